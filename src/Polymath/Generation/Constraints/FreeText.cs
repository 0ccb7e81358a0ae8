using System.Text;

namespace Polymath.Generation.Constraints;

/// <summary>Text that may be anything, up to a trigger.</summary>
internal static class FreeText
{
    private const int MostTriggers = 256;

    /// <summary>Any text, control tokens within it.</summary>
    public static Expression Any()
    {
        ByteDfa character = ByteDfa.Character(CodePointSet.All);
        Expression text = Expression.Of(ByteDfa.Of(Expression.Times(Expression.Of(character), 0, null), new CompileBudget()));
        return Expression.All(Broken(text), text);
    }

    /// <summary>Free text with triggers, each followed by its own grammar; see <see cref="Grammar.Triggered"/>.</summary>
    public static Expression Until(IReadOnlyList<GrammarTrigger> triggers, int least, int? most, CompileBudget budget)
    {
        if (triggers.Count is 0 or > MostTriggers)
            throw new ConstraintException($"{triggers.Count} triggers; 1 to {MostTriggers} are allowed");
        CompileBudget.CheckSource(triggers.Sum(trigger => trigger.Text.Length), "list of triggers");
        byte[][] texts = [.. triggers.Select(trigger => Encoding.UTF8.GetBytes(trigger.Text))];
        for (int i = 0; i < texts.Length; i++)
        {
            for (int j = 0; j < texts.Length; j++)
            {
                if (texts[i].Length == 0 || (i != j && texts[j].AsSpan().IndexOf(texts[i]) >= 0))
                    throw new ConstraintException($"trigger {triggers[i].Text} is empty or part of another one");
            }
        }

        var search = new TriggerSearch(texts, budget);
        Expression text = Expression.Of(search.Machine(-1, budget));
        var ways = new List<Expression>();
        for (int i = 0; i < triggers.Count; i++)
        {
            var rule = new Expression.Rule(triggers[i].Text) { Body = triggers[i].Then.Expression };
            var then = new Expression.Reference(rule);
            ways.Add(Expression.All(Expression.Of(search.Machine(i, budget)), then));
            ways.Add(Expression.All(text, new Expression.Token(triggers[i].Text, Expression.Never), then));
        }

        Expression once = Expression.All(Broken(text), Expression.Any([.. ways]));
        Expression end = Expression.All(Broken(text), text);
        if (most is not { } limit)
            return Expression.All(Expression.Times(once, least, null), end);
        Expression early = least < limit ? Expression.All(Expression.Times(once, least, limit - 1), end) : Expression.Never;
        return Expression.Any(early, Expression.Times(once, limit, limit));
    }

    /// <summary>Texts with a control token behind each.</summary>
    private static Expression Broken(Expression text) => Expression.Times(Expression.All(text, new Expression.OtherToken()), 0, null);

    /// <summary>Looks for triggers (Aho and Corasick, "Efficient string matching", 1975) in what is valid UTF-8.</summary>
    private sealed class TriggerSearch
    {
        private readonly ByteDfa _character = ByteDfa.Character(CodePointSet.All);
        private readonly List<int[]> _next = [];       // by node and byte
        private readonly List<int> _found = [];        // the trigger that ends at a node, or -1
        private readonly List<(int Node, int Part)> _states = [(0, 0)];
        private readonly Dictionary<(int Node, int Part), int> _ids = new() { [(0, 0)] = 0 };
        private readonly List<List<ByteDfa.Edge>> _edges = [];

        public TriggerSearch(byte[][] texts, CompileBudget budget)
        {
            AddNode();
            for (int i = 0; i < texts.Length; i++)
            {
                int node = 0;
                foreach (byte value in texts[i])
                {
                    budget.Charge(1);
                    if (_next[node][value] < 0)
                    {
                        int added = AddNode();
                        _next[node][value] = added;
                    }

                    node = _next[node][value];
                }

                _found[node] = i;
            }

            Complete();
            for (int state = 0; state < _states.Count; state++)
                _edges.Add(EdgesOf(_states[state], budget));
        }

        /// <summary>Text up to the end of trigger <paramref name="found"/>, with none before; text without any for -1.</summary>
        public ByteDfa Machine(int found, CompileBudget budget)
        {
            var builder = new ByteDfa.Builder();
            for (int state = 0; state < _states.Count; state++)
            {
                builder.Add();
                (int node, int part) = _states[state];
                if (part == 0 && _found[node] == found)
                    builder.Accept(state);
            }

            for (int state = 0; state < _states.Count; state++)
            {
                foreach (ByteDfa.Edge edge in _edges[state])
                    builder.Connect(state, edge.First, edge.Last, edge.Target);
            }

            return builder.Build(budget);
        }

        private int AddNode()
        {
            int[] next = new int[256];
            Array.Fill(next, -1);
            _next.Add(next);
            _found.Add(-1);
            return _next.Count - 1;
        }

        /// <summary>Gives every node an edge for every byte: where its longest proper end that begins a trigger would go.</summary>
        private void Complete()
        {
            int[] fallback = new int[_next.Count];
            var open = new Queue<int>();
            for (int value = 0; value < 256; value++)
            {
                if (_next[0][value] > 0)
                    open.Enqueue(_next[0][value]);
                else
                    _next[0][value] = 0;
            }

            while (open.TryDequeue(out int node))
            {
                for (int value = 0; value < 256; value++)
                {
                    int target = _next[node][value], other = _next[fallback[node]][value];
                    if (target < 0)
                    {
                        _next[node][value] = other;
                        continue;
                    }

                    fallback[target] = other;
                    open.Enqueue(target);
                }
            }
        }

        private List<ByteDfa.Edge> EdgesOf((int Node, int Part) from, CompileBudget budget)
        {
            var edges = new List<ByteDfa.Edge>();
            if (_found[from.Node] >= 0)
                return edges;
            budget.Work(256);
            for (int value = 0; value < 256; value++)
            {
                int part = _character.Next(from.Part, (byte)value);
                if (part < 0)
                    continue;
                (int Node, int Part) target = (_next[from.Node][value], _character.Accepts(part) ? 0 : part);
                if (!_ids.TryGetValue(target, out int id))
                {
                    budget.Charge(1);
                    id = _states.Count;
                    _ids.Add(target, id);
                    _states.Add(target);
                }

                if (edges.Count > 0 && edges[^1].Target == id && edges[^1].Last + 1 == value)
                    edges[^1] = edges[^1] with { Last = (byte)value };
                else
                    edges.Add(new ByteDfa.Edge((byte)value, (byte)value, id));
            }

            return edges;
        }
    }
}

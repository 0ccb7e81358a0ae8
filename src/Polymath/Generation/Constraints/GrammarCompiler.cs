using static Polymath.Generation.Constraints.Expression;

namespace Polymath.Generation.Constraints;

/// <summary>Turns a tree of expressions into a <see cref="GrammarProgram"/>. Nodes are made from the end of a rule to its start.</summary>
internal sealed partial class GrammarCompiler(CompileBudget budget)
{
    // A rule whose matches are so short is copied to where it stands: a token spans it, and masks that are kept for what
    // lies within one rule would hold nothing.
    private const int ShortRule = 16;
    private const int MostCopied = 256;
    private const int MostChained = 32;

    private readonly List<Node> _nodes = [];
    private readonly List<ByteDfa> _machines = [];
    private readonly Dictionary<ByteDfa, int> _machineIds = [];
    private readonly List<Rule> _rules = [];
    private readonly Dictionary<Rule, int> _ruleIds = [];
    private readonly Dictionary<Rule, Extent> _extents = [];
    private readonly List<string> _tokens = [];
    private readonly List<NodeCopies> _copies = [];
    private bool _copying;

    /// <summary>Bytes of the longest match and nodes, where both are small.</summary>
    private readonly record struct Extent(int Bytes, int Nodes)
    {
        public static Extent Large => new(int.MaxValue, int.MaxValue);

        public bool IsSmall => Bytes <= ShortRule && Nodes <= MostCopied;

        public Extent Then(Extent next) => IsSmall && next.IsSmall ? new(Bytes + next.Bytes, Nodes + next.Nodes) : Large;

        public Extent Or(Extent other) => IsSmall && other.IsSmall ? new(Math.Max(Bytes, other.Bytes), Nodes + other.Nodes + 1) : Large;
    }

    public GrammarProgram Compile(Expression root)
    {
        _rules.Add(new Rule("root") { Body = root });
        var starts = new List<int>();
        int rootNodes = 0;
        for (int rule = 0; rule < _rules.Count; rule++)
        {
            if (_rules.Count > CompileBudget.Rules)
                throw new ConstraintException($"the grammar has more than {CompileBudget.Rules} rules");
            Expression body = _rules[rule].Body ?? throw new ConstraintException($"rule {_rules[rule].Name} has no body");
            starts.Add(Emit(body, Add(NodeKind.Accept)));
            rootNodes = rule == 0 ? _nodes.Count : rootNodes;
        }

        bool[] live = FindLive(starts);
        if (!live[starts[0]])
            throw new ConstraintException("the grammar matches nothing");
        CheckLeftRecursion(starts);
        return new GrammarProgram([.. _nodes], live, [.. _machines], [.. starts], [.. _tokens], rootNodes, [.. _copies]);
    }

    private int Add(NodeKind kind, int value = 0, int a = -1, int b = -1)
    {
        budget.Charge(1);
        _nodes.Add(new Node(kind, value, a, b));
        return _nodes.Count - 1;
    }

    /// <summary>Adds what reads <paramref name="expression"/> and goes on at <paramref name="next"/>; gives its first node.</summary>
    private int Emit(Expression expression, int next)
    {
        switch (expression)
        {
            case Machine machine:
                return machine == Empty ? next : Add(NodeKind.Machine, MachineId(machine.Dfa), next);
            case Sequence sequence:
                for (int i = sequence.Parts.Length - 1; i >= 0; i--)
                    next = Emit(sequence.Parts[i], next);
                return next;
            case Alternation alternation:
                int any = alternation.Parts.Length == 0 ? Add(NodeKind.Split) : Emit(alternation.Parts[^1], next);
                for (int i = alternation.Parts.Length - 2; i >= 0; i--)
                    any = Add(NodeKind.Split, 0, Emit(alternation.Parts[i], next), any);
                return any;
            case Repeat repeat:
                return EmitRepeat(repeat, next);
            case Reference reference:
                return Measure(reference, MostChained) is { IsSmall: true }
                    ? Emit(reference.Target.Body!, next)
                    : Add(NodeKind.Call, RuleId(reference.Target), next);
            case Token token:
                int text = _tokens.IndexOf(token.Text);
                if (text < 0)
                {
                    text = _tokens.Count;
                    _tokens.Add(token.Text);
                }

                return Add(NodeKind.Token, text, next, Emit(token.Otherwise, next));
            case OtherToken:
                return Add(NodeKind.OtherToken, 0, next);
            case Members members:
                return EmitMembers(members, next);
            default:
                throw new InvalidOperationException($"no such expression: {expression.GetType().Name}");
        }
    }

    private int EmitRepeat(Repeat repeat, int next)
    {
        int entry = next;
        if (repeat.Most is { } most)
        {
            entry = EmitCopies(repeat.Part, most - repeat.Least, entry, optional: true);
        }
        else
        {
            entry = Add(NodeKind.Split);
            _nodes[entry] = new Node(NodeKind.Split, 0, Emit(repeat.Part, entry), next);
        }

        return EmitCopies(repeat.Part, repeat.Least, entry, optional: false);
    }

    /// <summary>The same nodes again and again, from the last copy to the first; where there are many, that is noted.</summary>
    private int EmitCopies(Expression part, int count, int next, bool optional)
    {
        bool noted = !_copying && count > NodeCopies.Few;
        _copying |= noted;
        int first = _nodes.Count, entry = next;
        for (int i = 0; i < count; i++)
        {
            entry = Emit(part, entry);
            if (optional)
                entry = Add(NodeKind.Split, 0, entry, next);
        }

        if (noted)
        {
            _copies.Add(new NodeCopies(first, (_nodes.Count - first) / count, count));
            _copying = false;
        }

        return entry;
    }

    /// <summary>One column of nodes for each number of members written so far, one row for each member that may come next.</summary>
    private int EmitMembers(Members members, int next)
    {
        Member[] items = members.Items;
        int columns = 1 + (members.Most is { } most ? Math.Min(most, items.Length + 1_000_000) : Math.Max(1, members.Least));
        int[] row = new int[columns];
        int never = Add(NodeKind.Split);
        EmitMore(members, row, next, never);
        for (int i = items.Length - 1; i >= 0; i--)
        {
            // A body is the same whether a separator stands before it; only where it leads differs.
            int[] before = new int[columns];
            int body = -1, bodyTarget = -1;
            for (int count = Math.Min(i, columns - 1); count >= 0; count--)
            {
                int target = members.Most is null ? row[Math.Min(count + 1, columns - 1)] : count + 1 < columns ? row[count + 1] : never;
                int take = never;
                if (target != never)
                {
                    body = target == bodyTarget ? body : Emit(items[i].Body, target);
                    bodyTarget = target;
                    take = count > 0 ? Emit(members.Separator, body) : body;
                }

                before[count] = items[i].Required ? take : Add(NodeKind.Split, 0, take, row[count]);
            }

            row = before;
        }

        return row[0];
    }

    /// <summary>The last row: members of no name, and the end.</summary>
    private void EmitMore(Members members, int[] row, int next, int never)
    {
        int last = row.Length - 1;
        bool more = members.More != Never;
        if (members.Most is null)
        {
            int loop = Add(NodeKind.Split, 0, next);
            int body = more ? Emit(members.More, loop) : never;
            if (more)
                _nodes[loop] = new Node(NodeKind.Split, 0, next, Emit(members.Separator, body));
            for (int count = 0; count <= last; count++)
                row[count] = count >= members.Least ? count > 0 ? loop : Add(NodeKind.Split, 0, next, body) : members.Least == 1 ? body : never;
            return;
        }

        int behind = next;   // where the member before leads
        row[last] = last < members.Least ? never : next;
        for (int count = last - 1; count >= 0; count--)
        {
            int body = more ? Emit(members.More, behind) : never;
            behind = Add(NodeKind.Split, 0, next, more && count > 0 ? Emit(members.Separator, body) : body);
            row[count] = count >= members.Least ? behind : members.Least == 1 ? body : never;
        }
    }

    private int MachineId(ByteDfa machine) => IdOf(machine, _machines, _machineIds);

    private int RuleId(Rule rule) => IdOf(rule, _rules, _ruleIds);

    /// <summary>The place of an item in a list, to whose end it is added when it is new.</summary>
    private static int IdOf<T>(T item, List<T> items, Dictionary<T, int> ids)
        where T : notnull
    {
        if (ids.TryGetValue(item, out int id))
            return id;
        id = items.Count;
        items.Add(item);
        ids.Add(item, id);
        return id;
    }

    private Extent Measure(Expression expression, int chained)
    {
        budget.Work(1);
        switch (expression)
        {
            case Machine machine:
                return machine.Dfa.Longest() is { } longest ? new Extent(longest, 1) : Extent.Large;
            case Sequence sequence:
                Extent all = default;
                foreach (Expression part in sequence.Parts)
                    all = all.IsSmall ? all.Then(Measure(part, chained)) : all;
                return all;
            case Alternation alternation:
                Extent any = default;
                foreach (Expression part in alternation.Parts)
                    any = any.IsSmall ? any.Or(Measure(part, chained)) : any;
                return any;
            case Repeat { Most: { } most and <= ShortRule } repeat:
                Extent one = Measure(repeat.Part, chained);
                return one.IsSmall ? new Extent(one.Bytes * most, (one.Nodes + 1) * most) : Extent.Large;
            case Reference reference when chained > 0:
                if (_extents.TryGetValue(reference.Target, out Extent known))
                    return known;
                _extents[reference.Target] = Extent.Large;   // what it is to itself
                return _extents[reference.Target] = reference.Target.Body is { } body ? Measure(body, chained - 1) : Extent.Large;
            default:
                return Extent.Large;
        }
    }
}

namespace Polymath.Generation.Constraints;

/// <content>What must hold of the nodes before they are run.</content>
internal sealed partial class GrammarCompiler
{
    /// <summary>The nodes from which the end of their rule can be reached, rules that have no match counting as walls.</summary>
    private bool[] FindLive(List<int> starts)
    {
        int count = _nodes.Count;
        var sources = new Sources(_nodes);
        var callers = new List<int>[starts.Count];
        bool[] live = new bool[count];
        var ruleOfStart = new Dictionary<int, List<int>>();
        for (int rule = 0; rule < starts.Count; rule++)
        {
            if (!ruleOfStart.TryGetValue(starts[rule], out List<int>? rules))
                ruleOfStart.Add(starts[rule], rules = []);
            rules.Add(rule);
        }

        bool[] reads = new bool[starts.Count];   // rules with a match
        var open = new Stack<int>();
        for (int node = 0; node < count; node++)
        {
            if (_nodes[node].Kind == NodeKind.Accept)
                open.Push(node);
            else if (_nodes[node].Kind == NodeKind.Call)
                (callers[_nodes[node].Value] ??= []).Add(node);
        }

        while (open.TryPop(out int node))
        {
            if (live[node])
                continue;
            live[node] = true;
            budget.Work(1);
            foreach (int source in sources.Of(node))
            {
                if (_nodes[source].Kind != NodeKind.Call || reads[_nodes[source].Value])
                    open.Push(source);
            }

            foreach (int rule in ruleOfStart.GetValueOrDefault(node) ?? [])
            {
                reads[rule] = true;
                foreach (int caller in callers[rule] ?? [])
                {
                    if (live[_nodes[caller].A])
                        open.Push(caller);
                }
            }
        }

        return live;
    }

    /// <summary>A rule must read something before it comes to itself, or it would be entered without end.</summary>
    private void CheckLeftRecursion(List<int> starts)
    {
        bool[] empty = FindEmpty(starts);
        var first = new List<int>[starts.Count];   // rules that may begin a rule
        for (int rule = 0; rule < starts.Count; rule++)
            first[rule] = FirstCalls(starts[rule], empty);

        byte[] seen = new byte[starts.Count];   // 1 on the path, 2 done
        for (int root = 0; root < starts.Count; root++)
        {
            var path = new Stack<(int Rule, int Next)>();
            path.Push((root, 0));
            while (path.TryPop(out (int Rule, int Next) at))
            {
                if (at.Next == 0 && seen[at.Rule] == 2)
                    continue;
                seen[at.Rule] = 1;
                if (at.Next == first[at.Rule].Count)
                {
                    seen[at.Rule] = 2;
                    continue;
                }

                path.Push((at.Rule, at.Next + 1));
                int callee = first[at.Rule][at.Next];
                if (seen[callee] == 1)
                    throw ConstraintException.Refused("left recursion", $"rule {_rules[callee].Name}", "it can come to itself without reading anything");
                path.Push((callee, 0));
            }
        }
    }

    /// <summary>The rules that match the empty text.</summary>
    private bool[] FindEmpty(List<int> starts)
    {
        bool[] empty = new bool[starts.Count];
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int rule = 0; rule < starts.Count; rule++)
            {
                if (empty[rule])
                    continue;
                empty[rule] = Reaches(starts[rule], empty, null);
                changed |= empty[rule];
            }
        }

        return empty;
    }

    private List<int> FirstCalls(int start, bool[] empty)
    {
        var calls = new HashSet<int>();
        Reaches(start, empty, calls);
        return [.. calls];
    }

    /// <summary>True when the end of the rule is reached from <paramref name="start"/> without reading; collects the calls on the way.</summary>
    private bool Reaches(int start, bool[] empty, HashSet<int>? calls)
    {
        bool end = false;
        var seen = new HashSet<int>();
        var open = new Stack<int>();
        open.Push(start);
        while (open.TryPop(out int index))
        {
            if (index < 0 || !seen.Add(index))
                continue;
            budget.Work(1);
            Node node = _nodes[index];
            end |= node.Kind == NodeKind.Accept;
            if (node.Kind == NodeKind.Call)
                calls?.Add(node.Value);
            if (node.Kind is NodeKind.Split or NodeKind.Token)
                open.Push(node.B);
            if (node.Kind == NodeKind.Split
                || (node.Kind == NodeKind.Machine && _machines[node.Value].Accepts(0))
                || (node.Kind == NodeKind.Call && empty[node.Value]))
                open.Push(node.A);
        }

        return end;
    }

    /// <summary>For each node those that lead to it.</summary>
    private readonly struct Sources
    {
        private readonly int[] _starts;
        private readonly int[] _sources;

        public Sources(List<Node> nodes)
        {
            _starts = new int[nodes.Count + 1];
            foreach (Node node in nodes)
            {
                foreach (int target in (ReadOnlySpan<int>)[node.A, node.B])
                    _starts[target + 1]++;   // -1 counts in front, unused
            }

            for (int i = 1, total = 0; i <= nodes.Count; i++)
            {
                total += _starts[i];
                _starts[i] = total;
            }

            _starts[0] = 0;
            _sources = new int[_starts[^1]];
            int[] next = _starts[..^1];
            for (int source = 0; source < nodes.Count; source++)
            {
                foreach (int target in (ReadOnlySpan<int>)[nodes[source].A, nodes[source].B])
                {
                    if (target >= 0)
                        _sources[next[target]++] = source;
                }
            }
        }

        public ReadOnlySpan<int> Of(int node) => _sources.AsSpan(_starts[node].._starts[node + 1]);
    }
}

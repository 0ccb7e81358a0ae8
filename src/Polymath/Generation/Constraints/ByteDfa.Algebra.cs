namespace Polymath.Generation.Constraints;

/// <content>Making automata out of others.</content>
internal sealed partial class ByteDfa
{
    private const int MostMinimized = 3000;   // states; beyond, the rounds cost more than the states saved

    /// <summary>Matches what both match.</summary>
    public ByteDfa And(ByteDfa other, CompileBudget budget) => Product(this, other, needsOther: true, budget);

    /// <summary>Matches what this matches and <paramref name="other"/> does not.</summary>
    public ByteDfa Except(ByteDfa other, CompileBudget budget) => Product(this, other, needsOther: false, budget);

    /// <summary>The automaton of a regular expression tree: no rules, no tokens.</summary>
    public static ByteDfa Of(Expression expression, CompileBudget budget)
    {
        if (expression is Expression.Machine machine)
            return machine.Dfa;
        var frames = new FrameTable(GrammarProgram.Compile(expression, budget), []);
        var builder = new Builder();
        builder.Add();
        frames.OfRule(0);
        ByteClasses classes = frames.Program.Classes;
        for (int frame = 0, size = 0; frame < frames.Count; frame++)
        {
            if (frames[frame].Accepts)
                builder.Accept(frame);
            for (int c = 0; c < classes.Count; c++)
            {
                int next = frames.Next(frame, c);
                while (builder.Count <= next)
                    builder.Add();
                if (next >= 0)
                    builder.Connect(frame, classes.Representative(c), classes.Last(c), next);
            }

            budget.Charge(1);
            budget.Work(frames.Size - size);
            size = frames.Size;
        }

        return builder.Build(budget);
    }

    /// <summary>Pairs of states; with <paramref name="needsOther"/> both must accept, else the second must not.</summary>
    private static ByteDfa Product(ByteDfa a, ByteDfa b, bool needsOther, CompileBudget budget)
    {
        var builder = new Builder();
        var ids = new Dictionary<(int A, int B), int>();
        var pairs = new List<(int A, int B)>();
        Id(0, 0);
        for (int state = 0; state < pairs.Count; state++)
        {
            (int sa, int sb) = pairs[state];
            if (a.Accepts(sa) && (sb >= 0 && b.Accepts(sb)) == needsOther)
                builder.Accept(state);
            foreach (Edge edge in a.Edges(sa))
            {
                int from = edge.First;
                foreach (Edge other in sb < 0 ? [] : b.Edges(sb))
                {
                    if (other.Last < from || other.First > edge.Last)
                        continue;
                    if (!needsOther && other.First > from)
                        builder.Connect(state, (byte)from, (byte)(other.First - 1), Id(edge.Target, -1));
                    int to = Math.Min(edge.Last, other.Last);
                    builder.Connect(state, Math.Max((byte)from, other.First), (byte)to, Id(edge.Target, other.Target));
                    from = to + 1;
                }

                if (!needsOther && from <= edge.Last)
                    builder.Connect(state, (byte)from, edge.Last, Id(edge.Target, -1));
            }
        }

        return builder.Build(budget);

        int Id(int x, int y)
        {
            if (ids.TryGetValue((x, y), out int id))
                return id;
            budget.Charge(1);
            id = builder.Add();
            ids.Add((x, y), id);
            pairs.Add((x, y));
            return id;
        }
    }

    private static ByteDfa Minimal(List<List<Edge>> edges, List<bool> accepts, CompileBudget budget)
    {
        bool[] live = Live(edges, accepts);
        if (!live[0])
            return new ByteDfa([], [0, 0], [false]);
        int[] block = Blocks(edges, accepts, live, budget);

        // Numbered in the order in which they are reached, so that the start is 0 and equal languages look alike.
        var number = new Dictionary<int, int> { [block[0]] = 0 };
        var order = new List<int> { 0 };
        var flat = new List<Edge>();
        var starts = new List<int> { 0 };
        var ends = new List<bool>();
        for (int at = 0; at < order.Count; at++)
        {
            int begin = flat.Count;
            foreach (Edge edge in Sorted(edges[order[at]]))
            {
                if (!live[edge.Target])
                    continue;
                if (!number.TryGetValue(block[edge.Target], out int target))
                {
                    target = order.Count;
                    number.Add(block[edge.Target], target);
                    order.Add(edge.Target);
                }

                if (flat.Count > begin && flat[^1].Target == target && flat[^1].Last + 1 == edge.First)
                    flat[^1] = flat[^1] with { Last = edge.Last };
                else
                    flat.Add(edge with { Target = target });
            }

            starts.Add(flat.Count);
            ends.Add(accepts[order[at]]);
        }

        return new ByteDfa([.. flat], [.. starts], [.. ends]);
    }

    private static List<Edge> Sorted(List<Edge> edges)
    {
        edges.Sort((a, b) => a.First.CompareTo(b.First));
        return edges;
    }

    /// <summary>The states from which a match can still end.</summary>
    private static bool[] Live(List<List<Edge>> edges, List<bool> accepts)
    {
        var sources = new List<int>[edges.Count];
        for (int i = 0; i < edges.Count; i++)
        {
            foreach (Edge edge in edges[i])
                (sources[edge.Target] ??= []).Add(i);
        }

        bool[] live = new bool[edges.Count];
        var open = new Stack<int>();
        for (int i = 0; i < edges.Count; i++)
        {
            if (accepts[i])
                open.Push(i);
        }

        while (open.TryPop(out int state))
        {
            if (live[state])
                continue;
            live[state] = true;
            foreach (int source in sources[state] ?? [])
                open.Push(source);
        }

        return live;
    }

    /// <summary>States that match the same, by Moore's rounds: split while any two of a block differ.</summary>
    private static int[] Blocks(List<List<Edge>> edges, List<bool> accepts, bool[] live, CompileBudget budget)
    {
        int[] block = new int[edges.Count];
        for (int i = 0; i < block.Length; i++)
            block[i] = block.Length > MostMinimized ? i : accepts[i] ? 1 : 0;
        for (int blocks = block.Length > MostMinimized ? block.Length : 0; ;)
        {
            var ids = new Dictionary<Signature, int>();
            int[] next = new int[block.Length];
            for (int i = 0; i < block.Length && blocks < block.Length; i++)
            {
                if (!live[i])
                    continue;
                budget.Work(edges[i].Count + 1);
                var signature = Signature.Of(block[i], Sorted(edges[i]), block, live);
                if (!ids.TryGetValue(signature, out next[i]))
                    ids.Add(signature, next[i] = ids.Count);
            }

            if (ids.Count == blocks || blocks == block.Length)
                return block;
            blocks = ids.Count;
            block = next;
        }
    }

    /// <summary>What one round knows of a state.</summary>
    private readonly struct Signature(int[] values) : IEquatable<Signature>
    {
        public static Signature Of(int own, List<Edge> edges, int[] block, bool[] live)
        {
            var values = new List<int>(1 + (3 * edges.Count)) { own };
            foreach (Edge edge in edges)
            {
                if (!live[edge.Target])
                    continue;
                if (values.Count > 1 && values[^1] == block[edge.Target] && values[^2] + 1 == edge.First)
                    values[^2] = edge.Last;
                else
                    values.AddRange([edge.First, edge.Last, block[edge.Target]]);
            }

            return new Signature([.. values]);
        }

        public bool Equals(Signature other) => values.AsSpan().SequenceEqual(other.Values);

        public override bool Equals(object? obj) => obj is Signature other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (int value in values)
                hash.Add(value);
            return hash.ToHashCode();
        }

        private int[] Values => values;
    }
}

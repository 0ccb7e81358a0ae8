using System.Text;

namespace Polymath.Generation.Constraints;

/// <summary>
/// A deterministic automaton over bytes: a literal, a character, or any regular language. State 0 is the start; from
/// every state an accepting one can be reached, unless the language is empty. Immutable.
/// </summary>
internal sealed partial class ByteDfa
{
    private readonly Edge[] _edges;
    private readonly int[] _starts; // [states + 1]
    private readonly bool[] _accepts;

    private ByteDfa(Edge[] edges, int[] starts, bool[] accepts)
    {
        _edges = edges;
        _starts = starts;
        _accepts = accepts;
    }

    /// <summary>The bytes from First to Last lead to state Target. Edges of a state are sorted and apart.</summary>
    public readonly record struct Edge(byte First, byte Last, int Target);

    /// <summary>Number of states.</summary>
    public int Count => _accepts.Length;

    /// <summary>True when nothing matches.</summary>
    public bool IsEmpty => Count == 1 && !_accepts[0];

    /// <summary>True when a match may end in this state.</summary>
    public bool Accepts(int state) => _accepts[state];

    /// <summary>Where a state leads.</summary>
    public ReadOnlySpan<Edge> Edges(int state) => _edges.AsSpan(_starts[state].._starts[state + 1]);

    /// <summary>The state after one more byte, or -1.</summary>
    public int Next(int state, byte value)
    {
        foreach (Edge edge in Edges(state))
        {
            if (value <= edge.Last)
                return value >= edge.First ? edge.Target : -1;
        }

        return -1;
    }

    /// <summary>True when the whole of <paramref name="text"/> matches.</summary>
    public bool Matches(ReadOnlySpan<byte> text)
    {
        int state = 0;
        foreach (byte value in text)
        {
            state = Next(state, value);
            if (state < 0)
                return false;
        }

        return _accepts[state];
    }

    /// <summary>Bytes of the longest match, or null when there is no longest or it is not short.</summary>
    public int? Longest()
    {
        const int Short = 64;
        if (Count > Short)
            return null;
        Span<int> longest = stackalloc int[Short];   // from each state on
        for (int round = 0; round <= Count; round++)
        {
            bool changed = false;
            for (int state = 0; state < Count; state++)
            {
                foreach (Edge edge in Edges(state))
                {
                    if (longest[state] > longest[edge.Target])
                        continue;
                    longest[state] = longest[edge.Target] + 1;
                    changed = true;
                }
            }

            if (!changed)
                return longest[0];
        }

        return null;
    }

    /// <summary>Matches one text.</summary>
    public static ByteDfa Literal(ReadOnlySpan<byte> text)
    {
        var edges = new Edge[text.Length];
        int[] starts = new int[text.Length + 2];
        bool[] accepts = new bool[text.Length + 1];
        for (int i = 0; i < text.Length; i++)
        {
            edges[i] = new Edge(text[i], text[i], i + 1);
            starts[i + 1] = i + 1;
        }

        starts[^1] = text.Length;
        accepts[^1] = true;
        return new ByteDfa(edges, starts, accepts);
    }

    /// <summary>Matches one text.</summary>
    public static ByteDfa Literal(string text) => Literal(Encoding.UTF8.GetBytes(text));

    /// <summary>Matches any of some texts.</summary>
    public static ByteDfa Literals(IEnumerable<byte[]> texts, CompileBudget budget)
    {
        var builder = new Builder();
        builder.Add();
        var children = new Dictionary<(int State, byte Value), int>();
        foreach (byte[] text in texts)
        {
            int state = 0;
            foreach (byte value in text)
            {
                budget.Work(1);
                if (!children.TryGetValue((state, value), out int next))
                {
                    budget.Charge(1);
                    next = builder.Add();
                    children.Add((state, value), next);
                    builder.Connect(state, value, value, next);
                }

                state = next;
            }

            builder.Accept(state);
        }

        return builder.Build(budget);
    }

    /// <summary>Matches one character of a set, in UTF-8.</summary>
    public static ByteDfa Character(CodePointSet set)
    {
        var builder = new Builder();
        int start = builder.Add(), end = builder.Add();
        builder.Accept(end);
        int[] anything = [end, -1, -1, -1];
        int smallest = 0;
        foreach ((int length, int largest) in ((int, int)[])[(1, 0x7F), (2, 0x7FF), (3, 0xFFFF), (4, 0x10FFFF)])
        {
            List<(int First, int Last)> ranges = Within(set.Ranges, smallest, largest);
            AddCharacters(builder, start, ranges, length, length, anything);
            smallest = largest + 1;
        }

        return builder.Build(new CompileBudget());
    }

    private static List<(int First, int Last)> Within(IReadOnlyList<(int First, int Last)> ranges, int smallest, int largest)
    {
        var within = new List<(int First, int Last)>();
        foreach ((int first, int last) in ranges)
        {
            if (first <= largest && last >= smallest)
                within.Add((Math.Max(first, smallest), Math.Min(last, largest)));
        }

        return within;
    }

    /// <summary>Adds the last <paramref name="left"/> of <paramref name="length"/> bytes of some characters.</summary>
    /// <param name="builder">Takes the states.</param>
    /// <param name="state">What they start from.</param>
    /// <param name="ranges">The characters, without the bits of the bytes before.</param>
    /// <param name="length">Bytes of each character.</param>
    /// <param name="left">Bytes still to come.</param>
    /// <param name="anything">By the bytes still to come, the state behind which they are free; -1 while there is none.</param>
    private static void AddCharacters(
        Builder builder, int state, List<(int First, int Last)> ranges, int length, int left, int[] anything)
    {
        int shift = 6 * (left - 1), low = (1 << shift) - 1;
        int lead = left < length ? 0x80 : length switch { 1 => 0, 2 => 0xC0, 3 => 0xE0, _ => 0xF0 };
        for (int i = 0; i < ranges.Count;)
        {
            (int first, int last) = ranges[i];
            if ((first & low) == 0 && last - first >= low)
            {
                int end = ((last + 1) & ~low) - 1;   // whole blocks: what follows is free
                if (anything[left - 1] < 0)
                {
                    anything[left - 1] = builder.Add();
                    AddCharacters(builder, anything[left - 1], [(0, low)], 5, left - 1, anything);
                }

                builder.Connect(state, (byte)(lead | (first >> shift)), (byte)(lead | (end >> shift)), anything[left - 1]);
                ranges[i] = (end + 1, last);
                i += end == last ? 1 : 0;
                continue;
            }

            // What shares the leading byte with the first.
            int block = first >> shift;
            var inner = new List<(int First, int Last)>();
            while (i < ranges.Count && ranges[i].First >> shift == block)
            {
                int end = Math.Min(ranges[i].Last, (block << shift) | low);
                inner.Add((ranges[i].First & low, end & low));
                if (end < ranges[i].Last)
                {
                    ranges[i] = (end + 1, ranges[i].Last);
                    break;
                }

                i++;
            }

            int next = builder.Add();
            AddCharacters(builder, next, inner, length, left - 1, anything);
            builder.Connect(state, (byte)(lead | block), (byte)(lead | block), next);
        }
    }

    /// <summary>An automaton being made.</summary>
    internal sealed class Builder
    {
        private readonly List<List<Edge>> _edges = [];
        private readonly List<bool> _accepts = [];

        /// <summary>Number of states so far.</summary>
        public int Count => _edges.Count;

        /// <summary>Adds a state; the first is the start.</summary>
        public int Add()
        {
            _edges.Add([]);
            _accepts.Add(false);
            return _edges.Count - 1;
        }

        /// <summary>A match may end in this state.</summary>
        public void Accept(int state) => _accepts[state] = true;

        /// <summary>Adds an edge; those of a state must not overlap.</summary>
        public void Connect(int state, byte first, byte last, int target) => _edges[state].Add(new Edge(first, last, target));

        /// <summary>The automaton without states that lead nowhere, and minimal.</summary>
        public ByteDfa Build(CompileBudget budget) => Minimal(_edges, _accepts, budget);
    }
}

using System.Runtime.InteropServices;

namespace Polymath.Generation.Constraints;

/// <summary>
/// Where a reader may be within one rule: a set of positions of the program, made deterministic as it is needed. A frame
/// is numbered when it is first met. For one thread at a time.
/// </summary>
internal sealed class FrameTable
{
    private const int Unknown = -2;

    private readonly int[] _tokenIds;
    private readonly List<Frame> _frames = [];
    private readonly Dictionary<long[], int> _ids = new(new PositionComparer());
    private readonly int[] _starts;
    private readonly int[] _stamps;
    private readonly Stack<int> _open = new();
    private readonly List<long> _positions = [];
    private int _stamp;

    /// <summary>Starts empty.</summary>
    /// <param name="program">The grammar.</param>
    /// <param name="tokenIds">Ids of the program's tokens in the vocabulary, -1 where it has none.</param>
    public FrameTable(GrammarProgram program, int[] tokenIds)
    {
        Program = program;
        _tokenIds = tokenIds;
        _stamps = new int[program.Count];
        _starts = new int[program.Rules];
        Array.Fill(_starts, Unknown);
    }

    /// <summary>The grammar.</summary>
    public GrammarProgram Program { get; }

    /// <summary>Number of frames so far.</summary>
    public int Count => _frames.Count;

    /// <summary>Values held in all frames, which is also the work that made them.</summary>
    public int Size { get; private set; }

    /// <summary>A frame.</summary>
    public Frame this[int frame] => _frames[frame];

    /// <summary>The frame at the start of a rule.</summary>
    public int OfRule(int rule)
    {
        if (_starts[rule] == Unknown)
        {
            Begin();
            Reach(Program.Start(rule));
            _starts[rule] = Intern();
        }

        return _starts[rule];
    }

    /// <summary>The frame after a byte of the class, or -1.</summary>
    public int Next(int frame, int byteClass)
    {
        Frame at = _frames[frame];
        int[] next = at.Next;
        if (next.Length == 0)
            return -1;
        if (next[byteClass] == Unknown)
            next[byteClass] = Step(at, Program.Classes.Representative(byteClass));
        return next[byteClass];
    }

    /// <summary>The frame after a rule or token; found when first asked for, since sequences of rules are long.</summary>
    public int Return(FrameEdge edge)
    {
        if (edge.Return == Unknown)
        {
            Begin();
            foreach (int node in edge.Nodes)
                Reach(node);
            edge.Return = Intern();
        }

        return edge.Return;
    }

    /// <summary>The number here of a frame of another table of the same program and vocabulary.</summary>
    public int Import(Frame other)
    {
        _positions.Clear();
        _positions.AddRange(other.Positions);
        return Intern();
    }

    private int Step(Frame from, byte value)
    {
        Begin();
        foreach (long position in from.Positions)
        {
            int node = (int)(position >> 32);
            if (Program[node].Kind != NodeKind.Machine)
                continue;
            int state = Program.Machine(Program[node].Value).Next((int)position, value);
            if (state >= 0)
                Enter(node, state);
        }

        return Intern();
    }


    private void Begin()
    {
        _positions.Clear();
        _stamp++;
    }

    /// <summary>Adds a state of a machine, and what follows where it may end.</summary>
    private void Enter(int node, int state)
    {
        ByteDfa machine = Program.Machine(Program[node].Value);
        if (!machine.Edges(state).IsEmpty)
            _positions.Add(((long)node << 32) | (uint)state);
        if (machine.Accepts(state))
            Reach(Program[node].A);
    }

    /// <summary>Adds a node and all that is reached from it without reading.</summary>
    private void Reach(int first)
    {
        _open.Push(first);
        while (_open.TryPop(out int index))
        {
            if (index < 0 || _stamps[index] == _stamp || !Program.IsLive(index))
                continue;
            _stamps[index] = _stamp;
            Size++;
            Node node = Program[index];
            switch (node.Kind)
            {
                case NodeKind.Split:
                    _open.Push(node.A);
                    _open.Push(node.B);
                    break;
                case NodeKind.Machine:
                    if (!Program.Machine(node.Value).Edges(0).IsEmpty)
                        _positions.Add((long)index << 32);
                    if (Program.Machine(node.Value).Accepts(0))
                        _open.Push(node.A);
                    break;
                case NodeKind.Token when _tokenIds[node.Value] < 0:
                    _open.Push(node.B);
                    break;
                default:
                    _positions.Add((long)index << 32);
                    break;
            }
        }
    }

    private int Intern()
    {
        if (_positions.Count == 0)
            return -1;
        Span<long> all = CollectionsMarshal.AsSpan(_positions);
        all.Sort();
        int count = 1;
        for (int i = 1; i < all.Length; i++)
        {
            if (all[i] != all[count - 1])
                all[count++] = all[i];
        }

        long[] key = all[..count].ToArray();
        if (_ids.TryGetValue(key, out int id))
            return id;
        id = _frames.Count;
        _ids.Add(key, id);
        var frame = new Frame(key);
        _frames.Add(frame);
        Size += key.Length + 16;
        Describe(frame);
        return id;
    }

    private void Describe(Frame frame)
    {
        var calls = new SortedDictionary<int, List<int>>();
        var tokens = new SortedDictionary<int, List<int>>();
        foreach (long position in frame.Positions)
        {
            Node node = Program[(int)(position >> 32)];
            switch (node.Kind)
            {
                case NodeKind.Machine when frame.Next.Length == 0:
                    frame.Next = new int[Program.Classes.Count];
                    Array.Fill(frame.Next, Unknown);
                    Size += frame.Next.Length;
                    break;
                case NodeKind.Call:
                    Collect(calls, node.Value, node.A);
                    break;
                case NodeKind.Token:
                    Collect(tokens, _tokenIds[node.Value], node.A);
                    break;
                case NodeKind.OtherToken:
                    Collect(tokens, Frame.OtherToken, node.A);
                    break;
                case NodeKind.Accept:
                    frame.Accepts = true;
                    break;
                default:
                    break;
            }
        }

        frame.Calls = Edges(calls);
        frame.Tokens = Edges(tokens);

        static void Collect(SortedDictionary<int, List<int>> edges, int what, int next)
        {
            if (!edges.TryGetValue(what, out List<int>? nodes))
                edges.Add(what, nodes = []);
            nodes.Add(next);
        }

        static FrameEdge[] Edges(SortedDictionary<int, List<int>> edges)
        {
            var result = new List<FrameEdge>(edges.Count);
            foreach ((int what, List<int> nodes) in edges)
                result.Add(new FrameEdge(what, nodes));
            return [.. result];
        }
    }

    private sealed class PositionComparer : IEqualityComparer<long[]>
    {
        public bool Equals(long[]? x, long[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(long[] obj)
        {
            ulong hash = (ulong)obj.Length;
            foreach (long value in obj)
                hash = (System.Numerics.BitOperations.RotateLeft(hash, 5) ^ (ulong)value) * 0x9E3779B97F4A7C15;
            return (int)(hash >> 32);
        }
    }
}

/// <summary>One frame of a <see cref="FrameTable"/>.</summary>
/// <param name="positions">Nodes, in the upper half, and states of their machines, sorted.</param>
internal sealed class Frame(long[] positions)
{
    /// <summary>Stands among <see cref="Tokens"/> for every control token that the grammar does not name.</summary>
    public const int OtherToken = int.MaxValue;

    public long[] Positions => positions;

    /// <summary>True when the rule may end here.</summary>
    public bool Accepts { get; set; }

    /// <summary>Rules that may come now.</summary>
    public FrameEdge[] Calls { get; set; } = [];

    /// <summary>Ids of control tokens that may come now.</summary>
    public FrameEdge[] Tokens { get; set; } = [];

    /// <summary>The frame after each class of bytes, -1 for none, -2 while unknown; empty where no byte may come.</summary>
    public int[] Next { get; set; } = [];

    /// <summary>True when all that can be done is to leave the rule.</summary>
    public bool OnlyAccepts => Accepts && Calls.Length == 0 && Tokens.Length == 0 && Next.Length == 0;

    /// <summary>True when something is read here, not in another rule.</summary>
    public bool Reads => Next.Length > 0 || Tokens.Length > 0;
}

/// <summary>A step of a frame over a whole rule or a control token.</summary>
/// <param name="what">The rule, or the token's id.</param>
/// <param name="nodes">Where it goes on.</param>
internal sealed class FrameEdge(int what, List<int> nodes)
{
    public int What => what;

    public List<int> Nodes => nodes;

    /// <summary>The frame after it; -2 while unknown.</summary>
    public int Return { get; set; } = -2;
}

using System.Runtime.InteropServices;

namespace Polymath.Generation.Constraints;

/// <summary>
/// Runs a grammar over bytes. A stack is a frame and the stack to return to; a state is the set of stacks in which the text
/// so far can have left the reader. Both are numbered when first met, so that a step is a look into a table once it has
/// been made. Grows while it is used, up to a bound. For one thread at a time.
/// </summary>
internal sealed partial class Automaton
{
    /// <summary>The state of a text that can not be.</summary>
    public const int Dead = -1;

    private const int Unknown = -2;
    private const int Bottom = 0;             // the stack below all others: what was to be read has been read
    private const int MostDepth = 512;        // frames on a stack; deeper nesting is not allowed to begin
    private const int MostStacks = 2048;      // in one state
    private const int MostSize = 16 << 20;    // values in all tables; then a fresh automaton takes over
    private const int HardSize = 2 * MostSize;

    private readonly FrameTable _frames;
    private readonly List<Stack> _stacks = [new Stack(-1, -1, 0)];
    private readonly Dictionary<(int Frame, int Parent), int> _stackIds = [];
    private readonly List<int[]> _states = [];
    private readonly Dictionary<int[], int> _stateIds = new(new StackSetComparer());
    private readonly List<int> _members = [];
    private readonly List<int> _open = [];
    private readonly HashSet<int> _seen = [];
    private readonly byte[] _classes;
    private readonly int _classCount;
    private int[] _next = [];                 // [states, classes]
    private int _size;

    /// <summary>An automaton that has read nothing.</summary>
    /// <param name="program">The grammar.</param>
    /// <param name="trie">The vocabulary.</param>
    /// <param name="tokenIds">Ids of the program's control tokens, -1 where the vocabulary has none.</param>
    public Automaton(GrammarProgram program, TokenTrie trie, int[] tokenIds)
    {
        _frames = new FrameTable(program, tokenIds);
        _classes = program.Classes.Table.ToArray();
        _classCount = program.Classes.Count;
        _trie = trie;
        _path = new int[trie.Depth + 1];
        _namedTokens = [.. tokenIds];
        int first = _frames.OfRule(0);
        if (first < 0)
            throw new ConstraintException("the grammar matches nothing that this vocabulary can write");
        Start = Closure(Push(first, Bottom));
    }

    private readonly record struct Stack(int Frame, int Parent, int Depth)
    {
        /// <summary>State of all stacks that this one becomes without reading.</summary>
        public int Closure { get; init; } = Unknown;
    }

    /// <summary>The state before the first byte.</summary>
    public int Start { get; private set; }

    /// <summary>True when it should be replaced by a fresh one between two tokens.</summary>
    public bool IsFull => _size + _frames.Size > MostSize;

    /// <summary>True when the text may end here.</summary>
    public bool CanEnd(int state) => _states[state][0] == Bottom;

    /// <summary>True when the text must end here.</summary>
    public bool MustEnd(int state) => _states[state] is [Bottom];

    /// <summary>The state after some bytes, or <see cref="Dead"/>.</summary>
    public int Next(int state, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            state = Next(state, value);
            if (state < 0)
                return Dead;
        }

        return state;
    }

    /// <summary>The state after a byte, or <see cref="Dead"/>.</summary>
    public int Next(int state, byte value)
    {
        int byteClass = _classes[value], next = _next[(state * _classCount) + byteClass];
        return next != Unknown ? next : Step(state, byteClass);
    }

    /// <summary>The state after a control token, or <see cref="Dead"/>.</summary>
    public int NextToken(int state, int id)
    {
        _members.Clear();
        foreach (int stack in _states[state])
        {
            if (stack == Bottom)
                continue;
            (int frame, int parent, _) = _stacks[stack];
            foreach (FrameEdge edge in _frames[frame].Tokens)
            {
                if (edge.What == id || (edge.What == Frame.OtherToken && !_namedTokens.Contains(id)))
                    AddClosure(_frames.Return(edge), parent);
            }
        }

        return InternMembers();
    }

    /// <summary>The byte that must come next, where there is just one and the text may not end.</summary>
    public bool TryGetForced(int state, out byte value)
    {
        value = 0;
        int found = 0;
        if (CanEnd(state) || _states[state].Any(stack => _frames[_stacks[stack].Frame].Tokens.Length > 0))
            return false;
        for (int byteClass = 0; byteClass < _classCount; byteClass++)
        {
            ByteClasses classes = _frames.Program.Classes;
            byte first = classes.Representative(byteClass);
            if (Next(state, first) < 0)
                continue;
            if (++found > 1 || classes.Last(byteClass) != first)
                return false;
            value = first;
        }

        return found == 1;
    }

    /// <summary>The state here that means the same as <paramref name="state"/> of another automaton of the same grammar.</summary>
    public int Import(Automaton other, int state)
    {
        var members = new List<int>();
        foreach (int stack in other._states[state])
            members.Add(ImportStack(other, stack));
        members.Sort();
        return InternState([.. members]);
    }

    private int ImportStack(Automaton other, int stack)
    {
        var frames = new Stack<int>();
        for (; stack != Bottom; stack = other._stacks[stack].Parent)
            frames.Push(other._stacks[stack].Frame);
        int result = Bottom;
        foreach (int frame in frames)
            result = Push(_frames.Import(other._frames[frame]), result);
        return result;
    }

    private int Step(int state, int byteClass)
    {
        _members.Clear();
        foreach (int stack in _states[state])
        {
            if (stack == Bottom)
                continue;
            (int frame, int parent, _) = _stacks[stack];
            int next = _frames.Next(frame, byteClass);
            if (next >= 0)
                AddClosure(next, parent);
        }

        int result = InternMembers();
        _next[(state * _classCount) + byteClass] = result;
        return result;
    }

    private void AddClosure(int frame, int parent)
    {
        int closure = Closure(Push(frame, parent));
        if (closure != Dead)
            _members.AddRange(_states[closure]);
    }

    private int InternMembers()
    {
        if (_members.Count == 0)
            return Dead;
        Span<int> members = CollectionsMarshal.AsSpan(_members);
        members.Sort();
        int count = 1;
        for (int i = 1; i < members.Length; i++)
        {
            if (members[i] != members[count - 1])
                members[count++] = members[i];
        }

        if (count > MostStacks)
            throw new ConstraintException($"the grammar is too ambiguous: a text can be read in more than {MostStacks} ways at once");
        return InternState(members[..count].ToArray());
    }

    private int InternState(int[] stacks)
    {
        if (_stateIds.TryGetValue(stacks, out int id))
            return id;
        id = _states.Count;
        Grow(_classCount + stacks.Length + 8);
        int needed = (id + 1) * _classCount;
        if (needed > _next.Length)
        {
            int old = _next.Length;
            Array.Resize(ref _next, Math.Max(needed, 2 * old));
            Array.Fill(_next, Unknown, old, _next.Length - old);
        }

        _states.Add(stacks);
        _stateIds.Add(stacks, id);
        return id;
    }

    /// <summary>The stack with one more frame; a frame that can only be left is not kept.</summary>
    private int Push(int frame, int parent)
    {
        if (_frames[frame].OnlyAccepts)
            return parent;
        if (_stackIds.TryGetValue((frame, parent), out int id))
            return id;
        Grow(8);
        id = _stacks.Count;
        _stacks.Add(new Stack(frame, parent, _stacks[parent].Depth + 1));
        _stackIds.Add((frame, parent), id);
        return id;
    }

    /// <summary>The state of the stacks that <paramref name="stack"/> becomes by entering and leaving rules without reading.</summary>
    private int Closure(int stack)
    {
        if (_stacks[stack].Closure != Unknown)
            return _stacks[stack].Closure;
        var reading = new List<int>();
        _seen.Clear();
        _open.Clear();
        Open(stack);
        while (_open.Count > 0)
        {
            int top = _open[^1];
            _open.RemoveAt(_open.Count - 1);
            if (top == Bottom)
            {
                reading.Add(Bottom);
                continue;
            }

            (int index, int parent, int depth) = _stacks[top];
            Frame frame = _frames[index];
            if (frame.Reads)
                reading.Add(top);
            if (frame.Accepts)
                Open(parent);
            foreach (FrameEdge call in depth < MostDepth ? frame.Calls : [])
            {
                int start = _frames.OfRule(call.What);
                if (start >= 0)
                    Open(Push(start, Push(_frames.Return(call), parent)));
            }
        }

        reading.Sort();
        int state = reading.Count == 0 ? Dead : InternState([.. reading]);
        _stacks[stack] = _stacks[stack] with { Closure = state };
        return state;

        void Open(int id)
        {
            if (_seen.Add(id))
                _open.Add(id);
        }
    }

    private void Grow(int size)
    {
        _size += size;
        if (_size + _frames.Size > HardSize)
            throw new ConstraintException($"the grammar needs more than {HardSize} table entries for this text");
    }

    private sealed class StackSetComparer : IEqualityComparer<int[]>
    {
        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] obj)
        {
            uint hash = (uint)obj.Length;
            foreach (int value in obj)
                hash = (System.Numerics.BitOperations.RotateLeft(hash, 5) ^ (uint)value) * 0x9E3779B1;
            return (int)(hash ^ (hash >> 16));
        }
    }
}

namespace Polymath.Generation.Constraints;

/// <content>Which tokens may come next, as sets of bits.</content>
/// <remarks>
/// What a token does within the frame on top of a stack does not depend on the stack below, so it is found once for a frame,
/// by one walk of the vocabulary's tree, and kept with the places at which tokens leave the frame. A state's mask is those
/// of its frames and, below the places of leaving, short walks from where the stacks return to.
/// </remarks>
internal sealed partial class Automaton
{
    private const long MostMaskBytes = 64 << 20;

    private readonly TokenTrie _trie;
    private readonly int[] _path;             // state at each depth of a walk
    private readonly HashSet<int> _namedTokens;
    private readonly Dictionary<int, FrameMask> _frameMasks = [];
    private readonly Dictionary<int, ulong[]> _masks = [];
    private long _maskBytes;

    /// <summary>Tokens that stay alive from a frame whatever is below it, and nodes of the tree at which it can be left.</summary>
    private sealed record FrameMask(ulong[] Bits, int[] Exits);

    /// <summary>One bit for each id that may come next, the ends of an answer among them. Not to be changed.</summary>
    public ulong[] Mask(int state)
    {
        if (_masks.TryGetValue(state, out ulong[]? mask))
            return mask;
        mask = MakeMask(state);
        Keep(mask.Length * 8);
        _masks[state] = mask;
        return mask;
    }

    private ulong[] MakeMask(int state)
    {
        int[] stacks = _states[state];
        ulong[]? bits = null;
        bool shared = true;   // still the mask of a frame, which belongs to it
        foreach (int stack in stacks)
        {
            if (stack == Bottom)
            {
                foreach (int id in _trie.Ends)
                    Own()[id >> 6] |= 1UL << id;
                continue;
            }

            (int index, int parent, _) = _stacks[stack];
            Frame frame = _frames[index];
            if (frame.Next.Length > 0)
            {
                FrameMask own = MaskOf(index);
                if (bits is null)
                    bits = own.Bits;
                else
                    Add(own.Bits, Own());
                if (own.Exits.Length > 0 && Closure(parent) is var below and not Dead && !MustEnd(below))
                {
                    ulong[] target = Own();
                    foreach (int exit in own.Exits)
                        Walk(exit + 1, _trie.Nodes[exit].End, below, target, null);
                }
            }

            foreach (FrameEdge token in frame.Tokens)
                AllowToken(token.What, Own());
        }

        return bits ?? new ulong[(_trie.Vocabulary + 63) / 64];

        ulong[] Own()
        {
            if (bits is null)
                bits = new ulong[(_trie.Vocabulary + 63) / 64];
            else if (shared)
                bits = (ulong[])bits.Clone();
            shared = false;
            return bits;
        }
    }

    private static void Add(ulong[] more, ulong[] bits)
    {
        for (int i = 0; i < bits.Length; i++)
            bits[i] |= more[i];
    }

    private void AllowToken(int id, ulong[] bits)
    {
        if (id != Frame.OtherToken)
        {
            bits[id >> 6] |= 1UL << id;
            return;
        }

        foreach (int control in _trie.Controls)
        {
            if (!_namedTokens.Contains(control))
                bits[control >> 6] |= 1UL << control;
        }
    }

    private FrameMask MaskOf(int frame)
    {
        if (_frameMasks.TryGetValue(frame, out FrameMask? mask))
            return mask;
        ulong[] bits = new ulong[(_trie.Vocabulary + 63) / 64];
        var exits = new List<int>();
        Walk(1, _trie.Nodes.Length, InternState([Push(frame, Bottom)]), bits, exits);
        mask = new FrameMask(bits, [.. exits]);
        Keep((bits.Length * 8) + (exits.Count * 4));
        return _frameMasks[frame] = mask;
    }

    /// <summary>Allows the tokens from node <paramref name="from"/> on, whose parent left the automaton in <paramref name="state"/>.</summary>
    private void Walk(int from, int to, int state, ulong[] bits, List<int>? exits)
    {
        ReadOnlySpan<TrieNode> nodes = _trie.Nodes;
        if (from >= to)
            return;
        int[] path = _path;
        path[nodes[from].Depth - 1] = state;
        byte[] classes = _classes;
        int classCount = _classCount;
        for (int i = from; i < to;)
        {
            ref readonly TrieNode node = ref nodes[i];
            int at = path[node.Depth - 1], byteClass = classes[node.Label];
            int next = _next[(at * classCount) + byteClass];
            if (next == Unknown)
                next = Step(at, byteClass);
            if (next < 0)
            {
                i = node.End;
                continue;
            }

            path[node.Depth] = next;
            for (int token = node.Token; token >= 0; token = _trie.Same[token])
                bits[token >> 6] |= 1UL << token;
            if (exits is not null && node.End > i + 1 && CanEnd(next))
                exits.Add(i);
            i++;
        }
    }

    /// <summary>Masks are only kept up to a bound; beyond, all are found anew.</summary>
    private void Keep(int bytes)
    {
        _maskBytes += bytes;
        if (_maskBytes <= MostMaskBytes)
            return;
        _frameMasks.Clear();
        _masks.Clear();
        _maskBytes = bytes;
    }
}

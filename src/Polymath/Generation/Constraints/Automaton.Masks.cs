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
    private const int LargeSubtree = 1000;   // nodes for which it pays to ask what is safe

    private readonly TokenTrie _trie;
    private readonly int[] _path;             // state at each depth of a walk
    private readonly HashSet<int> _namedTokens;
    private readonly Dictionary<int, FrameMask> _frameMasks = [];
    private readonly Dictionary<int, ulong[]> _masks = [];
    private long _maskBytes;

    /// <summary>Tokens that stay alive from a frame whatever is below it, and nodes of the tree at which it can be left.</summary>
    /// <param name="Bits">One bit for each token.</param>
    /// <param name="Exits">The nodes.</param>
    /// <param name="IsTwins">True when it is that of a frame that does the same for tokens that are not very long.</param>
    private sealed record FrameMask(ulong[] Bits, int[] Exits, bool IsTwins);

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
        _asked = 0;
        ulong[]? bits = null;
        bool shared = true;   // still the mask of a frame, which belongs to it
        bool twins = false;
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
                twins |= own.IsTwins;
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

        foreach ((int id, byte[] bytes) in twins ? _trie.VeryLong : [])
        {
            if (Next(state, bytes) != Dead)
                Own()[id >> 6] |= 1UL << id;
            else
                Own()[id >> 6] &= ~(1UL << id);
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
        int twin = _frames.Twin(frame);
        if (twin != frame)
            return _frameMasks[frame] = MaskOf(twin) with { IsTwins = true };
        int start = InternState([Push(frame, Bottom)]);
        bool root = (int)(_frames[frame].Positions[0] >> 32) < _frames.Program.RootNodes;   // nothing is below it
        _asked = 0;
        ulong safe = Safe(start, ByteGroups.Short, root);
        ulong[] bits = safe == 0 ? new ulong[(_trie.Vocabulary + 63) / 64] : (ulong[])_trie.Within(safe).Clone();
        var exits = new List<int>();
        Walk(1, _trie.Nodes.Length, start, bits, root ? null : exits, safe, isTaken: true);
        mask = new FrameMask(bits, [.. exits], IsTwins: false);
        Keep((bits.Length * 8) + (exits.Count * 4));
        return _frameMasks[frame] = mask;
    }

    /// <summary>Allows the tokens from node <paramref name="from"/> on, whose parent left the automaton in <paramref name="state"/>.</summary>
    /// <param name="from">The first node.</param>
    /// <param name="to">The node behind the last.</param>
    /// <param name="state">Where the parent of the first leads.</param>
    /// <param name="bits">Takes the tokens.</param>
    /// <param name="exits">Takes the nodes at which the rule can be left with tokens below; null where there is nothing to leave.</param>
    /// <param name="safe">Groups that are safe in <paramref name="state"/>.</param>
    /// <param name="isTaken">True when all tokens of those groups are allowed already.</param>
    private void Walk(int from, int to, int state, ulong[] bits, List<int>? exits, ulong safe = 0, bool isTaken = false)
    {
        ReadOnlySpan<TrieNode> nodes = _trie.Nodes;
        if (from >= to)
            return;
        ReadOnlySpan<ulong> own = _trie.Own, below = _trie.Below;
        int outside = safe == 0 ? to : 0;   // up to this node one above has a byte that is not safe
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
            if (i >= outside && (own[i] & ~safe & ~(ByteGroups.Long | ByteGroups.Broken)) != 0)
                outside = node.End;
            if (i >= outside && (below[i] & ~safe) == 0)
            {
                if (!isTaken)
                    TakeBelow(i, bits);
                i = node.End;
            }
            else if (i < outside && node.End - i > LargeSubtree && Safe(next, ByteGroups.Short, exits is null) is var inner and not 0)
            {
                Walk(i + 1, node.End, next, bits, exits, inner);
                i = node.End;
            }
            else
            {
                i++;
            }
        }
    }

    private void TakeBelow(int node, ulong[] bits)
    {
        foreach (ref readonly TrieNode below in _trie.Nodes[(node + 1).._trie.Nodes[node].End])
        {
            for (int token = below.Token; token >= 0; token = _trie.Same[token])
                bits[token >> 6] |= 1UL << token;
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

using System.Numerics;

namespace Polymath.Generation.Constraints;

/// <summary>
/// Sets of bytes as bits, coarse but the same for all grammars: what a part of the vocabulary is made of, and what a state
/// lets through. Letters go by the halves that hexadecimal digits make, other ASCII stands alone, the rest of Unicode is one
/// group of whole characters.
/// </summary>
internal static class ByteGroups
{
    /// <summary>Tokens of more than <see cref="Short"/> bytes.</summary>
    public const ulong Long = 1UL << 61;

    /// <summary>Whole characters of several bytes.</summary>
    public const ulong Characters = 1UL << 62;

    /// <summary>Tokens that begin or end within a character.</summary>
    public const ulong Broken = 1UL << 63;

    /// <summary>Bytes of a token that is not <see cref="Long"/>.</summary>
    public const int Short = 16;

    private static readonly byte[][] s_members = Members();
    private static readonly byte[] s_ofAscii = OfAscii();

    /// <summary>The ASCII bytes of each group.</summary>
    public static IReadOnlyList<byte[]> Ascii => s_members;

    /// <summary>Number of groups that are in a set.</summary>
    public static int Count(ulong groups) => BitOperations.PopCount(groups);

    /// <summary>For each node what it adds to a token: the group of its byte, and what is said of a token that ends there.</summary>
    public static ulong[] OfNodes(ReadOnlySpan<TrieNode> nodes)
    {
        const int Invalid = -1;
        ByteDfa character = ByteDfa.Character(CodePointSet.All);
        ulong[] groups = new ulong[nodes.Length];
        var parts = new List<int> { 0 };   // by depth: the bytes of an unfinished character
        for (int i = 1; i < nodes.Length; i++)
        {
            TrieNode node = nodes[i];
            int part = parts[node.Depth - 1];
            part = part == Invalid ? Invalid : character.Next(part, node.Label);
            if (part >= 0 && character.Accepts(part))
                part = 0;
            if (parts.Count <= node.Depth)
                parts.Add(0);
            parts[node.Depth] = part;
            groups[i] = node.Label < 0x80 ? 1UL << s_ofAscii[node.Label] : Characters;
            groups[i] |= part == Invalid ? Broken : 0;
            if (node.Token >= 0)
                groups[i] |= (part != 0 ? Broken : 0) | (node.Depth > Short ? Long : 0);
        }

        return groups;
    }

    /// <summary>For each node the groups of all nodes below it.</summary>
    public static ulong[] Below(ReadOnlySpan<TrieNode> nodes, ulong[] own)
    {
        ulong[] below = new ulong[nodes.Length];
        for (int i = nodes.Length - 1; i >= 0; i--)
        {
            for (int child = i + 1; child < nodes[i].End; child = nodes[child].End)
                below[i] |= own[child] | below[child];
        }

        return below;
    }

    private static byte[][] Members()
    {
        var groups = new List<byte[]>();
        Range(0, 8);
        Range(11, 12);
        Range(14, 31);
        Range('a', 'f');
        Range('g', 'z');
        Range('A', 'F');
        Range('G', 'Z');
        Range('1', '9');
        for (int value = 0; value < 128; value++)
        {
            if (!groups.Any(group => group.Contains((byte)value)))
                groups.Add([(byte)value]);
        }

        return [.. groups];

        void Range(int first, int last) => groups.Add([.. Enumerable.Range(first, last - first + 1).Select(value => (byte)value)]);
    }

    private static byte[] OfAscii()
    {
        byte[] groups = new byte[128];
        for (int group = 0; group < s_members.Length; group++)
        {
            foreach (byte value in s_members[group])
                groups[value] = (byte)group;
        }

        return groups;
    }
}

using System.Runtime.CompilerServices;
using Polymath.Text;

namespace Polymath.Generation.Constraints;

/// <summary>The tokens of a vocabulary that are text, as a tree of their bytes. Made once for a tokenizer. Immutable.</summary>
internal sealed class TokenTrie
{
    private const int LongestToken = 1024;

    private static readonly ConditionalWeakTable<Tokenizer, TokenTrie> s_tries = [];

    private readonly TrieNode[] _nodes;
    private readonly int[] _same;

    private TokenTrie(Tokenizer tokenizer)
    {
        Vocabulary = tokenizer.VocabularySize;
        _same = new int[Vocabulary];
        var ids = new List<int>(Vocabulary);
        var ends = new List<int>();
        var controls = new List<int>();
        for (int id = 0; id < Vocabulary; id++)
        {
            if (tokenizer.IsEndOfGeneration(id))
                ends.Add(id);
            else if (tokenizer.IsSpecial(id))
                controls.Add(id);
            else if (tokenizer.TokenBytes(id).Length is > 0 and <= LongestToken)
                ids.Add(id);
        }

        Ends = [.. ends];
        Controls = [.. controls];
        ids.Sort((a, b) => Compare(tokenizer, a, b));
        _nodes = Build(tokenizer, ids);
    }

    /// <summary>Ids in the vocabulary.</summary>
    public int Vocabulary { get; }

    /// <summary>Ids that end an answer.</summary>
    public int[] Ends { get; }

    /// <summary>Ids of the other control tokens.</summary>
    public int[] Controls { get; }

    /// <summary>Nodes, each before those below it; node 0 is the empty text.</summary>
    public ReadOnlySpan<TrieNode> Nodes => _nodes;

    /// <summary>Bytes of the longest token.</summary>
    public int Depth { get; private set; }

    /// <summary>For each token the next one with the same bytes, or -1.</summary>
    public ReadOnlySpan<int> Same => _same;

    /// <summary>The tree of a tokenizer, kept with it.</summary>
    public static TokenTrie Of(Tokenizer tokenizer) => s_tries.GetValue(tokenizer, static t => new TokenTrie(t));

    private TrieNode[] Build(Tokenizer tokenizer, List<int> ids)
    {
        var nodes = new List<TrieNode> { new(0, 0) };
        var path = new List<int> { 0 };   // the nodes from the root to the last token
        ReadOnlySpan<byte> last = [];
        foreach (int id in ids)
        {
            ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
            int common = last.CommonPrefixLength(bytes);
            Close(common);
            for (int depth = common; depth < bytes.Length; depth++)
            {
                path.Add(nodes.Count);
                nodes.Add(new TrieNode(bytes[depth], depth + 1));
            }

            TrieNode node = nodes[path[^1]];
            _same[id] = node.Token;
            nodes[path[^1]] = node with { Token = id };
            last = bytes;
            Depth = Math.Max(Depth, bytes.Length);
        }

        Close(-1);
        return [.. nodes];

        void Close(int depth)
        {
            for (; path.Count > depth + 1; path.RemoveAt(path.Count - 1))
                nodes[path[^1]] = nodes[path[^1]] with { End = nodes.Count };
        }
    }

    private static int Compare(Tokenizer tokenizer, int a, int b)
    {
        int order = tokenizer.TokenBytes(a).SequenceCompareTo(tokenizer.TokenBytes(b));
        return order != 0 ? order : a.CompareTo(b);
    }
}

/// <summary>A node of a <see cref="TokenTrie"/>.</summary>
/// <param name="Label">Its last byte.</param>
/// <param name="Depth">Its number of bytes.</param>
internal readonly record struct TrieNode(byte Label, int Depth)
{
    /// <summary>A token of these bytes, or -1.</summary>
    public int Token { get; init; } = -1;

    /// <summary>The first node behind all that are below this one.</summary>
    public int End { get; init; }
}

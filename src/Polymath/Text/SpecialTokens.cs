using System.Buffers;
using Polymath.Files;

namespace Polymath.Text;

/// <summary>
/// Finds tokens that are written in a text as they stand: the leftmost, and the longest of those that start there.
/// Work per character is at most <see cref="Vocabulary.LongestSpecial"/>.
/// </summary>
internal sealed class SpecialTokens
{
    /// <summary>Most characters of all tokens together: real vocabularies have some 100,000.</summary>
    private const int MostNodes = 1 << 20;

    private readonly SearchValues<char> _firsts;
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<int> _ids = [-1]; // token that ends at a node, or -1

    /// <summary>Builds the trie of all tokens that <paramref name="chosen"/> accepts.</summary>
    /// <exception cref="ModelFormatException">One is too long to search for.</exception>
    public SpecialTokens(Vocabulary vocabulary, Func<TokenKind, bool> chosen)
    {
        var firsts = new HashSet<char>();
        for (int id = 0; id < vocabulary.Count; id++)
        {
            if (!chosen(vocabulary.Kinds[id]))
                continue;
            string text = vocabulary.Texts[id];
            if (text.Length > Vocabulary.LongestSpecial)
            {
                throw new ModelFormatException(
                    $"{vocabulary.Name}: token {id} is special and {text.Length} characters long; {Vocabulary.LongestSpecial} are allowed");
            }

            firsts.Add(text[0]);
            Insert(text, id);
            if (_ids.Count > MostNodes)
                throw new ModelFormatException($"{vocabulary.Name}: the special tokens have more than {MostNodes} characters together");
        }

        _firsts = SearchValues.Create([.. firsts]);
        IsEmpty = firsts.Count == 0;
    }

    /// <summary>True when there is nothing to find.</summary>
    public bool IsEmpty { get; }

    /// <summary>Where the first token starts in <paramref name="text"/>, or -1.</summary>
    public int Find(ReadOnlySpan<char> text, out int length, out int id)
    {
        length = 0;
        id = -1;
        if (IsEmpty)
            return -1;
        for (int start = 0; start < text.Length; start++)
        {
            int step = text[start..].IndexOfAny(_firsts);
            if (step < 0)
                return -1;
            start += step;
            id = LongestAt(text[start..], out length);
            if (id >= 0)
                return start;
        }

        return -1;
    }

    private int LongestAt(ReadOnlySpan<char> text, out int length)
    {
        int found = -1;
        int node = 0;
        length = 0;
        for (int i = 0; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_ids[node] < 0)
                continue;
            found = _ids[node];
            length = i + 1;
        }

        return found;
    }

    private void Insert(string text, int id)
    {
        int node = 0;
        foreach (char c in text)
        {
            if (!_edges.TryGetValue((node, c), out int next))
            {
                next = _ids.Count;
                _ids.Add(-1);
                _edges.Add((node, c), next);
            }

            node = next;
        }

        _ids[node] = id;
    }
}

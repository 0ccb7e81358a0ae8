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
    private readonly Dictionary<int, AddedTraits> _traits;

    /// <summary>Builds the trie of all tokens that <paramref name="chosen"/> accepts.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="chosen">Which ids.</param>
    /// <param name="normalizer">Changes the tokens as it changes the texts, or null.</param>
    /// <exception cref="ModelFormatException">One is too long to search for.</exception>
    public SpecialTokens(Vocabulary vocabulary, Func<int, bool> chosen, Func<string, string>? normalizer = null)
    {
        _traits = vocabulary.Traits;
        var firsts = new HashSet<char>();
        for (int id = 0; id < vocabulary.Count; id++)
        {
            if (!chosen(id))
                continue;
            string text = vocabulary.Texts[id];
            if (text.Length > Vocabulary.LongestSpecial)
            {
                throw new ModelFormatException(
                    $"{vocabulary.Name}: token {id} is special and {text.Length} characters long; {Vocabulary.LongestSpecial} are allowed");
            }

            text = normalizer?.Invoke(text) ?? text;
            if (text.Length == 0)
                continue;
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

    /// <summary>Finds the first token in <paramref name="text"/> from a place on.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="from">What lies before is done.</param>
    /// <param name="begin">Where the token starts, with the spaces it takes.</param>
    /// <param name="end">Where it ends, with the spaces it takes.</param>
    /// <returns>Its id, or -1 when there is none.</returns>
    public int Find(ReadOnlySpan<char> text, int from, out int begin, out int end)
    {
        begin = end = text.Length;
        if (IsEmpty)
            return -1;
        for (int start = from; start < text.Length; start++)
        {
            int step = text[start..].IndexOfAny(_firsts);
            if (step < 0)
                return -1;
            start += step;
            int id = LongestAt(text[start..], out int length);
            if (id < 0)
                continue;
            begin = start;
            end = start + length;
            if (_traits.Count == 0 || !_traits.TryGetValue(id, out AddedTraits traits) || Fits(traits, text, from, ref begin, ref end))
                return id;
            start = end - 1;
            begin = end = text.Length;
        }

        return -1;
    }

    /// <summary>Takes the spaces beside a token; false when it must stand alone and does not.</summary>
    private static bool Fits(AddedTraits traits, ReadOnlySpan<char> text, int from, ref int begin, ref int end)
    {
        if ((traits & AddedTraits.SingleWord) != 0
            && ((begin > 0 && IsWord(text[begin - 1])) || (end < text.Length && IsWord(text[end]))))
        {
            return false;
        }

        while ((traits & AddedTraits.TakesLeft) != 0 && begin > from && char.IsWhiteSpace(text[begin - 1]))
            begin--;
        while ((traits & AddedTraits.TakesRight) != 0 && end < text.Length && char.IsWhiteSpace(text[end]))
            end++;
        return true;
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_';

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

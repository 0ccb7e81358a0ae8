using Polymath.Files;

namespace Polymath.Text;

/// <summary>Reads the list of merges of a vocabulary.</summary>
internal static class MergeList
{
    /// <summary>The pairs of a GGUF file.</summary>
    public static (string Left, string Right)[] Read(Metadata metadata, string file) => Parse(
        metadata.GetArray<string>("tokenizer.ggml.merges") ?? throw new ModelFormatException($"{file}: tokenizer.ggml.merges is missing"),
        file);

    /// <summary>Pairs from lines "left right".</summary>
    public static (string Left, string Right)[] Parse(string[] lines, string file)
    {
        var pairs = new (string, string)[lines.Length];
        for (int i = 0; i < lines.Length; i++)
            pairs[i] = Parse(lines[i], file, $"merge {i}");
        return pairs;
    }

    /// <summary>The pair of a line; the first character is never the separator.</summary>
    /// <param name="line">Two tokens with a space between them.</param>
    /// <param name="file">File, for messages.</param>
    /// <param name="place">Place in it, for messages.</param>
    public static (string Left, string Right) Parse(string line, string file, string place)
    {
        int space = line.Length > 1 ? line.IndexOf(' ', 1) : -1;
        if (space < 0 || space == line.Length - 1)
            throw new ModelFormatException($"{file}: {place} is not a pair of tokens");
        return (line[..space], line[(space + 1)..]);
    }

    /// <summary>The table of merges, ordered as listed; of two for the same pair the first counts.</summary>
    /// <exception cref="ModelFormatException">A part or the result is no token.</exception>
    public static MergeTable Build(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges)
    {
        var table = new MergeTable(merges.Count);
        Dictionary<string, int> ids = vocabulary.Ids;
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> bySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var joined = new char[256];
        for (int order = 0; order < merges.Count; order++)
        {
            (string left, string right) = merges[order];
            int length = checked(left.Length + right.Length);
            if (length > joined.Length)
                joined = new char[length * 2L <= Array.MaxLength ? length * 2 : length];
            left.CopyTo(joined);
            right.CopyTo(joined.AsSpan(left.Length));
            if (!ids.TryGetValue(left, out int leftId) || !ids.TryGetValue(right, out int rightId)
                || !bySpan.TryGetValue(joined.AsSpan(0, length), out int result))
            {
                throw new ModelFormatException($"{vocabulary.Name}: merge {order} names a token that is not in the vocabulary");
            }

            // A plain text must not be able to spell a control token.
            if (!vocabulary.IsSpecial(result))
                table.Add(leftId, rightId, order, result);
        }

        return table;
    }
}

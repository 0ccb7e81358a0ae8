using Polymath.Files;

namespace Polymath.Text;

/// <summary>Reads the list of merges of a vocabulary.</summary>
internal static class MergeList
{
    /// <summary>Pairs from lines "left right"; the first character is never the separator.</summary>
    public static (string Left, string Right)[] Parse(string[] lines, string name)
    {
        var pairs = new (string, string)[lines.Length];
        for (int i = 0; i < lines.Length; i++)
        {
            int space = lines[i].Length > 1 ? lines[i].IndexOf(' ', 1) : -1;
            if (space < 0 || space == lines[i].Length - 1)
                throw new ModelFormatException($"{name}: merge {i} is not a pair of tokens");
            pairs[i] = (lines[i][..space], lines[i][(space + 1)..]);
        }

        return pairs;
    }

    /// <summary>The table of merges, ordered as listed; of two for the same pair the first counts.</summary>
    /// <exception cref="ModelFormatException">A part or the result is no token.</exception>
    public static MergeTable Build(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges)
    {
        var table = new MergeTable(merges.Count);
        Dictionary<string, int> ids = vocabulary.Ids;
        for (int order = 0; order < merges.Count; order++)
        {
            (string left, string right) = merges[order];
            if (!ids.TryGetValue(left, out int leftId) || !ids.TryGetValue(right, out int rightId)
                || !ids.TryGetValue(left + right, out int result))
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

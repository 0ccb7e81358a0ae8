using System.Globalization;

namespace Polymath.Cli;

/// <summary>Token ids written by hand.</summary>
internal static class IdList
{
    /// <summary>Ids with commas or white space between; [ and ] around them are fine.</summary>
    /// <exception cref="UsageException">Something else, or an id outside the vocabulary.</exception>
    public static int[] Parse(string text, int vocabulary)
    {
        string[] words = text.Split([',', ' ', '\t', '\r', '\n', '[', ']'], StringSplitOptions.RemoveEmptyEntries);
        int[] ids = new int[words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            if (!int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out ids[i]) || ids[i] >= vocabulary)
                throw new UsageException($"\"{Printable.Abbreviate(words[i], 20)}\" is no token id (0 to {vocabulary - 1})");
        }

        return ids;
    }
}

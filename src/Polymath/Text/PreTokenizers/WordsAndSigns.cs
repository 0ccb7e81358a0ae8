namespace Polymath.Text.PreTokenizers;

/// <summary>\w+|[^\w\s]+ : runs of letters, marks, numbers and underscores, and runs of all else but spaces.</summary>
internal sealed class WordsAndSigns : PreTokenizer
{
    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at)
    {
        int kind = Kind(text, at, out _);
        if (kind == 0)
            return at;
        while (at < text.Length && Kind(text, at, out int width) == kind)
            at += width;
        return at;
    }

    private static int Kind(ReadOnlySpan<char> text, int at, out int width)
    {
        ScalarClass found = Scalars.At(text, at, out width);
        return (found & ScalarClass.Space) != 0 ? 0
            : (found & (ScalarClass.Letter | ScalarClass.Mark | ScalarClass.Number)) != 0 || text[at] == '_' ? 1
            : 2;
    }
}

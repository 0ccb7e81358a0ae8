namespace Polymath.Text.PreTokenizers;

/// <summary>
/// Llama 3's pattern: (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ .
/// Qwen 2 takes one number character where Llama 3 takes up to three.
/// </summary>
internal sealed class Llama3(int digits) : PreTokenizer
{
    /// <inheritdoc/>
    public override void Split(ReadOnlySpan<char> text, IntList ends)
    {
        for (int at = 0; at < text.Length;)
        {
            at = Next(text, at);
            ends.Add(at);
        }
    }

    private int Next(ReadOnlySpan<char> text, int at)
    {
        char c = text[at];
        if (c == '\'' && Contraction(text[at..]) is > 0 and int length)
            return at + length;
        ScalarClass first = Scalars.At(text, at, out int width);
        if ((first & ScalarClass.Letter) != 0)
            return Scalars.Skip(text, at, ScalarClass.Letter);
        if ((first & ScalarClass.Number) != 0)
            return Numbers(text, at);
        ScalarClass second = Scalars.At(text, at + width);
        if (c is not ('\r' or '\n') && (second & ScalarClass.Letter) != 0)
            return Scalars.Skip(text, at + width, ScalarClass.Letter);
        if ((first & ScalarClass.Rest) != 0 || (c == ' ' && (second & ScalarClass.Rest) != 0))
            return LineBreaks(text, Scalars.Skip(text, at + (c == ' ' ? 1 : 0), ScalarClass.Rest));
        return Spaces(text, at);
    }

    private int Numbers(ReadOnlySpan<char> text, int at)
    {
        for (int taken = 0; taken < digits && at < text.Length; taken++)
        {
            if ((Scalars.At(text, at, out int width) & ScalarClass.Number) == 0)
                break;
            at += width;
        }

        return at;
    }

    private static int LineBreaks(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is '\r' or '\n')
            at++;
        return at;
    }

    private static int Spaces(ReadOnlySpan<char> text, int at)
    {
        int end = Scalars.Skip(text, at, ScalarClass.Space);
        int lastBreak = text[at..end].LastIndexOfAny('\r', '\n');
        if (lastBreak >= 0)
            return at + lastBreak + 1;
        return end < text.Length && end - at > 1 ? end - 1 : end;
    }

    private static int Contraction(ReadOnlySpan<char> text) => text switch
    {
        [_, 's' or 't' or 'm' or 'd' or 'S' or 'T' or 'M' or 'D', ..] => 2,
        [_, 'r' or 'v' or 'R' or 'V', 'e' or 'E', ..] or [_, 'l' or 'L', 'l' or 'L', ..] => 3,
        _ => 0,
    };
}

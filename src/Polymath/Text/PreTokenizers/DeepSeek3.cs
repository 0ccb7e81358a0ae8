namespace Polymath.Text.PreTokenizers;

/// <summary>
/// The last stage of DeepSeek V3's splitting: [ASCII punctuation][A-Za-z]+ , [^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+ ,
/// ␠?[\p{P}\p{S}]+[\r\n]* , \s*[\r\n]+ , \s+(?!\S) , \s+ . Other characters match nothing. Spark's takes line breaks one by one.
/// </summary>
internal sealed class DeepSeek3(bool breaksAlone) : PreTokenizer
{
    private const ScalarClass Word = ScalarClass.Letter | ScalarClass.Mark;
    private const ScalarClass Marks = ScalarClass.Punctuation | ScalarClass.Symbol;

    /// <summary>DeepSeek V3: up to three digits, Chinese and Kana, then this.</summary>
    public static PreTokenizer Make() => new Staged(
        new Runs<ScalarSets.Numbers>(most: 3), new Runs<ScalarSets.ChineseAndKana>(), new DeepSeek3(breaksAlone: false));

    /// <summary>Spark 2.5: the same with line breaks one by one, and then digits one by one.</summary>
    public static PreTokenizer MakeSpark() => new Staged(
        new Runs<ScalarSets.Numbers>(most: 3), new Runs<ScalarSets.ChineseAndKana>(), new DeepSeek3(breaksAlone: true),
        new Runs<ScalarSets.Numbers>(most: 1));

    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at)
    {
        char c = text[at];
        ScalarClass first = Scalars.At(text, at, out int width);
        if (c < 0x80 && (first & Marks) != 0 && at + 1 < text.Length && char.IsAsciiLetter(text[at + 1]))
        {
            int end = at + 1;
            while (end < text.Length && char.IsAsciiLetter(text[end]))
                end++;
            return end;
        }

        if ((first & Word) != 0)
            return Scalars.Skip(text, at, Word);
        bool leads = (first & Marks) == 0 && c is not ('\r' or '\n');
        if (leads && (Scalars.At(text, at + width) & Word) != 0)
            return Scalars.Skip(text, at + width, Word);
        int from = c == ' ' ? at + 1 : at;
        if ((Scalars.At(text, from) & Marks) != 0)
        {
            int end = Scalars.Skip(text, from, Marks);
            while (!breaksAlone && end < text.Length && text[end] is '\r' or '\n')
                end++;
            return end;
        }

        return (first & ScalarClass.Space) != 0 ? Spaces(text, at) : at;
    }

    private int Spaces(ReadOnlySpan<char> text, int at)
    {
        if (breaksAlone && text[at] is '\r' or '\n')
            return at + 1;
        int end = Scalars.Skip(text, at, ScalarClass.Space);
        int lastBreak = breaksAlone ? -1 : text[at..end].LastIndexOfAny('\r', '\n');
        if (lastBreak >= 0)
            return at + lastBreak + 1;
        return end < text.Length && end - at > 1 ? end - 1 : end;
    }
}

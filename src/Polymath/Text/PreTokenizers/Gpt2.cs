namespace Polymath.Text.PreTokenizers;

/// <summary>
/// GPT-2's pattern: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ .
/// Some later vocabularies (StarCoder, SmolLM) cut out every number character first.
/// </summary>
internal sealed class Gpt2(bool digitsAlone) : PreTokenizer
{
    /// <inheritdoc/>
    public override void Split(ReadOnlySpan<char> text, IntList ends, int offset = 0)
    {
        for (int at = 0; at < text.Length;)
        {
            at = Match(text, at);
            ends.Add(offset + at);
        }
    }

    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at)
    {
        char c = text[at];
        if (c == '\'' && Contraction.Lower(text[at..]) is > 0 and int length)
            return at + length;
        ScalarClass first = Scalars.At(text, at, out int width);
        if (c == ' ')
        {
            ScalarClass second = Scalars.At(text, at + 1);
            ScalarClass joins = ScalarClass.Letter | ScalarClass.Other | (digitsAlone ? ScalarClass.None : ScalarClass.Number);
            if ((second & joins) != 0)
                return Scalars.Skip(text, at + 1, Run(second));
        }

        if ((first & ScalarClass.Space) == 0)
            return digitsAlone && (first & ScalarClass.Number) != 0 ? at + width : Scalars.Skip(text, at, Run(first));

        // \s+(?!\S): the last space of a run goes to the piece behind it, but not to digits that were cut out before.
        int end = Scalars.Skip(text, at, ScalarClass.Space);
        bool cutOut = digitsAlone && (Scalars.At(text, end) & ScalarClass.Number) != 0;
        return end < text.Length && !cutOut && end - at > 1 ? end - 1 : end;
    }

    private static ScalarClass Run(ScalarClass first) =>
        (first & ScalarClass.Other) != 0 ? ScalarClass.Other : first & (ScalarClass.Letter | ScalarClass.Number);
}

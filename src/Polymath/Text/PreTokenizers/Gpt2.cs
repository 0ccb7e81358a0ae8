namespace Polymath.Text.PreTokenizers;

/// <summary>
/// GPT-2's pattern: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ .
/// Some later vocabularies (StarCoder, SmolLM) cut out every number character first.
/// </summary>
internal sealed class Gpt2(bool digitsAlone) : PreTokenizer
{
    /// <inheritdoc/>
    public override void Split(ReadOnlySpan<char> text, IntList ends)
    {
        for (int at = 0; at < text.Length;)
        {
            at = Next(text, at, digitsAlone);
            ends.Add(at);
        }
    }

    /// <summary>Where the piece that starts at <paramref name="at"/> ends.</summary>
    public static int Next(ReadOnlySpan<char> text, int at, bool digitsAlone)
    {
        char c = text[at];
        if (c == '\'' && Contraction(text[at..]) is > 0 and int length)
            return at + length;
        ScalarClass first = Scalars.At(text, at, out int width);
        if (c == ' ')
        {
            ScalarClass second = Scalars.At(text, at + 1);
            ScalarClass joins = ScalarClass.Letter | ScalarClass.Rest | (digitsAlone ? ScalarClass.None : ScalarClass.Number);
            if ((second & joins) != 0)
                return Scalars.Skip(text, at + 1, second & joins);
        }

        if ((first & ScalarClass.Space) == 0)
        {
            return digitsAlone && (first & ScalarClass.Number) != 0
                ? at + width
                : Scalars.Skip(text, at, first & (ScalarClass.Letter | ScalarClass.Number | ScalarClass.Rest));
        }

        // \s+(?!\S): the last space of a run goes to the piece behind it, but not to digits that were cut out before.
        int end = Scalars.Skip(text, at, ScalarClass.Space);
        bool cutOut = digitsAlone && (Scalars.At(text, end) & ScalarClass.Number) != 0;
        return end < text.Length && !cutOut && end - at > 1 ? end - 1 : end;
    }

    /// <summary>Length of the contraction at the start of <paramref name="text"/>, which is an apostrophe; 0 when there is none.</summary>
    private static int Contraction(ReadOnlySpan<char> text) => text switch
    {
        [_, 's' or 't' or 'm' or 'd', ..] => 2,
        [_, 'r' or 'v', 'e', ..] or [_, 'l', 'l', ..] => 3,
        _ => 0,
    };
}

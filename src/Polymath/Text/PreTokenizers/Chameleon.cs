namespace Polymath.Text.PreTokenizers;

/// <summary>
/// Chameleon's stages: &lt;sentinel:[0-9]+&gt; , IMGIMG[A-I]{1,4}Z , a tab, line feed, four or two spaces, \p{N} ,
/// each punctuation character or ASCII symbol, then GPT-2's pattern.
/// </summary>
internal static class Chameleon
{
    /// <summary>The stages.</summary>
    public static PreTokenizer Make() => new Staged(
        new Marks(Sentinel), new Marks(Image), new Marks(Indent), new Runs<ScalarSets.Numbers>(most: 1), new Runs<Signs>(most: 1),
        new Gpt2(digitsAlone: false));

    private delegate int Length(ReadOnlySpan<char> text);

    private static int Sentinel(ReadOnlySpan<char> text)
    {
        const string Start = "<sentinel:";
        if (text[0] != '<' || !text.StartsWith(Start))
            return 0;
        int at = Start.Length;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        return at > Start.Length && at < text.Length && text[at] == '>' ? at + 1 : 0;
    }

    private static int Image(ReadOnlySpan<char> text)
    {
        const string Start = "IMGIMG";
        if (text[0] != 'I' || !text.StartsWith(Start))
            return 0;
        int at = Start.Length;
        while (at < Start.Length + 4 && at < text.Length && text[at] is >= 'A' and <= 'I')
            at++;
        return at > Start.Length && at < text.Length && text[at] == 'Z' ? at + 1 : 0;
    }

    private static int Indent(ReadOnlySpan<char> text) => text switch
    {
        ['\t' or '\n', ..] => 1,
        [' ', ' ', ' ', ' ', ..] => 4,
        [' ', ' ', ..] => 2,
        _ => 0,
    };

    private readonly struct Signs : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => (kind & ScalarClass.Punctuation) != 0
            || (scalar < 0x80 && (kind & ScalarClass.Symbol) != 0);
    }

    private sealed class Marks(Length length) : PreTokenizer
    {
        protected override int Match(ReadOnlySpan<char> text, int at) => at + length(text[at..]);
    }
}

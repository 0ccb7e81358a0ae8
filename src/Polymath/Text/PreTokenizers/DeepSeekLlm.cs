namespace Polymath.Text.PreTokenizers;

/// <summary>
/// DeepSeek LLM's patterns in a row: each line break, \s?[cased letters]+ , \s?[ASCII and wide punctuation]+ , \s+$ ,
/// [CJK and Hangul]+ , \p{N}+ .
/// </summary>
internal static class DeepSeekLlm
{
    /// <summary>First and last scalars of the letter ranges in the vocabulary's own pattern.</summary>
    private static readonly int[] CasedLetters =
    [
        'A', 'Z', 'a', 'z', 0xB5, 0xB5, 0xC0, 0xD6, 0xD8, 0xF6, 0xF8, 0x1BA, 0x1BC, 0x1BF, 0x1C4, 0x293, 0x295, 0x2AF,
        0x370, 0x373, 0x376, 0x377, 0x37B, 0x37D, 0x37F, 0x37F, 0x386, 0x386, 0x388, 0x38A, 0x38C, 0x38C, 0x38E, 0x3A1,
        0x3A3, 0x3F5, 0x3F7, 0x481, 0x48A, 0x52F, 0x531, 0x556, 0x10A0, 0x10C5, 0x13A0, 0x13F5, 0x13F8, 0x13FD,
        0x1C90, 0x1CBA, 0x1CBD, 0x1CBF, 0x1D00, 0x1D2B, 0x1D6B, 0x1D77, 0x1D79, 0x1D9A, 0x1E00, 0x1F15, 0x1F18, 0x1F1D,
        0x1F20, 0x1F45, 0x1F48, 0x1F4D, 0x1F50, 0x1F57, 0x1F59, 0x1F59, 0x1F5B, 0x1F5B, 0x1F5D, 0x1F5D, 0x1F5F, 0x1F7D,
        0x1F80, 0x1FB4, 0x1FB6, 0x1FBC, 0x1FBE, 0x1FBE, 0x1FC2, 0x1FC4, 0x1FC6, 0x1FCC, 0x1FD0, 0x1FD3, 0x1FD6, 0x1FDB,
        0x1FE0, 0x1FEC, 0x1FF2, 0x1FF4, 0x1FF6, 0x1FFC, 0x2102, 0x2102, 0x2107, 0x2107, 0x210A, 0x2113, 0x2115, 0x2115,
        0x2119, 0x211D, 0x2124, 0x2124, 0x2126, 0x2126, 0x2128, 0x2128, 0x212A, 0x212D, 0x212F, 0x2134, 0x2139, 0x2139,
        0x213C, 0x213F, 0x2145, 0x2149, 0x214E, 0x214E, 0x2183, 0x2184, 0x2C00, 0x2C7B, 0x2C7E, 0x2CE4, 0x2CEB, 0x2CEE,
        0x2CF2, 0x2CF3, 0xA640, 0xA66D, 0xA680, 0xA69B, 0xA722, 0xA76F, 0xA771, 0xA787, 0xA78B, 0xA78E, 0xAB70, 0xABBF,
        0xFB00, 0xFB06, 0xFB13, 0xFB17, 0xFF21, 0xFF3A, 0xFF41, 0xFF5A, 0x10400, 0x1044F, 0x104B0, 0x104D3,
        0x104D8, 0x104FB, 0x10C80, 0x10CB2, 0x10CC0, 0x10CF2, 0x118A0, 0x118DF, 0x1E900, 0x1E943,
    ];

    /// <summary>The stages.</summary>
    /// <param name="wideSpaces">
    /// Spaces beyond ASCII count where the vocabulary's own patterns have them among other characters; the reference engine
    /// of GGUF files does not count them.
    /// </param>
    public static PreTokenizer Make(bool wideSpaces) => new Staged(
        new Runs<ScalarSets.LineBreaks>(most: 1),
        new Runs<Letters>(spaceBefore: true),
        new Runs<Punctuation>(new Punctuation(wideSpaces), spaceBefore: true),
        new TrailingSpaces(),
        new Runs<ScalarSets.EastAsian>(new ScalarSets.EastAsian(wideSpaces)),
        new Runs<ScalarSets.Numbers>());

    private readonly struct Letters : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind)
        {
            if (scalar < 0x80)
                return char.IsAsciiLetter((char)scalar);
            int at = Array.BinarySearch(CasedLetters, scalar);
            return at >= 0 || (~at & 1) == 1; // between a first and its last
        }
    }

    private readonly struct Punctuation(bool wideSpace) : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => scalar is (>= '!' and <= '/') or (>= ':' and <= '~')
            or (>= 0xFF01 and <= 0xFF0F) or (>= 0xFF1A and <= 0xFF5E) or (>= 0x2018 and <= 0x201F) or 0x3001 or 0x3002
            || (scalar == 0x3000 && wideSpace);
    }

    /// <summary>\s+$</summary>
    private sealed class TrailingSpaces : PreTokenizer
    {
        public override void Split(ReadOnlySpan<char> text, IntList ends, int offset = 0)
        {
            int tail = text.TrimEnd().Length;
            if (tail > 0 && tail < text.Length)
                ends.Add(offset + tail);
            if (text.Length > 0)
                ends.Add(offset + text.Length);
        }

        protected override int Match(ReadOnlySpan<char> text, int at) => throw new NotSupportedException("only at the end");
    }
}

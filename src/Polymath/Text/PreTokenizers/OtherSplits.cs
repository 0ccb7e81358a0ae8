namespace Polymath.Text.PreTokenizers;

/// <summary>First stages that only one vocabulary has.</summary>
internal static class OtherSplits
{
    /// <summary>AFMoE: digits by threes, East Asian scripts, then DeepSeek V3's last stage.</summary>
    public static PreTokenizer Afmoe() => new Staged(
        new DigitGroups(joinedToText: true), new Runs<AsianScripts>(), new DeepSeek3(breaksAlone: false));

    /// <summary>Youtu: Hangul, wide punctuation, Bopomofo, Chinese and Kana, then words with marks.</summary>
    public static PreTokenizer Youtu() => new Staged(
        new YoutuScripts(),
        new Words { Digits = 1, Marks = true, Contracted = Words.Contractions.Behind, Behind = Words.Trail.BreaksAndSlashes });

    /// <summary>Laguna and Gemma 4 cut at runs of line feeds first.</summary>
    public static PreTokenizer LineFeeds(PreTokenizer? then) => then is null ? new Lines() : new Staged(new Lines(), then);

    private readonly struct AsianScripts : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => scalar is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
            or (>= 0x8C48 and <= 0xFAFF) or (>= 0x3040 and <= 0x30FF) or (>= 0xFF65 and <= 0xFF9F) or (>= 0x2F00 and <= 0x2FDF)
            or (>= 0x0E40 and <= 0x0E7F) or (>= 0x0E80 and <= 0x0EFF) or (>= 0x1780 and <= 0x17FF) or (>= 0x1000 and <= 0x109F)
            or (>= 0xAA60 and <= 0xAA7F) or (>= 0xA9E0 and <= 0xA9FF) or (>= 0xAC00 and <= 0xD7AF) or (>= 0x1100 and <= 0x11FF);
    }

    private sealed class YoutuScripts : PreTokenizer
    {
        protected override int Match(ReadOnlySpan<char> text, int at)
        {
            int script = Script(text[at]);
            if (script == 0)
                return at;
            while (at < text.Length && Script(text[at]) == script)
                at++;
            return at;
        }

        private static int Script(char c) => c switch
        {
            (>= '\uAC00' and <= '\uD7A3') or (>= '\u3131' and <= '\u318E') => 1,
            '\uFF01' or '\u2026' or '\u201C' or '\u201D' or '\u2018' or '\u2019' or '\u2014' or '\uFF1A' or '\uFF1B' or '\uFF0C'
                or (>= '\u3001' and <= '\u303F') or (>= '\uFE30' and <= '\uFE4F') => 2,
            >= '\u3105' and <= '\u312F' => 3,
            (>= '\u4E00' and <= '\u9FA5') or (>= '\u3040' and <= '\u30FF') => 4,
            _ => 0,
        };
    }

    private sealed class Lines : PreTokenizer
    {
        protected override int Match(ReadOnlySpan<char> text, int at)
        {
            int step = text[at] == '\n' ? text[at..].IndexOfAnyExcept('\n') : text[at..].IndexOf('\n');
            return step < 0 ? text.Length : at + step;
        }
    }
}

namespace Polymath.Text.PreTokenizers;

/// <summary>
/// The family of patterns that GPT-4's began. In order: contractions, [^\r\n\p{L}\p{N}]?word, \p{N}{1,3},
/// ␠?[^\s\p{L}\p{N}]+[\r\n]*, \s*[\r\n]+, \s+(?!\S), \s+ . The members say what differs.
/// </summary>
internal sealed class Words : PreTokenizer
{
    private ScalarClass _word = ScalarClass.Letter;

    /// <summary>What makes up a word.</summary>
    internal enum Casing
    {
        /// <summary>\p{L}+</summary>
        Any,

        /// <summary>Letters but a-z, then letters but A-Z; either part may be missing.</summary>
        Ascii,

        /// <summary>[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ , or the other way about with + and * .</summary>
        Unicode,
    }

    /// <summary>Where contractions are looked for.</summary>
    internal enum Contractions
    {
        /// <summary>As pieces of their own.</summary>
        Apart,

        /// <summary>At the end of words.</summary>
        Behind,

        /// <summary>Nowhere.</summary>
        None,
    }

    /// <summary>What may follow punctuation in its piece.</summary>
    internal enum Trail
    {
        /// <summary>[\r\n]*</summary>
        Breaks,

        /// <summary>[\r\n/]*</summary>
        BreaksAndSlashes,

        /// <summary>[\r\n/]?</summary>
        OneBreakOrSlash,

        /// <summary>Nothing.</summary>
        None,
    }

    /// <summary>Most number characters of a piece.</summary>
    public required int Digits { get; init; }

    public Casing Case { get; init; }

    public Contractions Contracted { get; init; }

    public Trail Behind { get; init; }

    /// <summary>Marks belong to words.</summary>
    public bool Marks
    {
        get => (_word & ScalarClass.Mark) != 0;
        init => _word = value ? ScalarClass.Letter | ScalarClass.Mark : ScalarClass.Letter;
    }

    /// <summary>Marks do not belong to runs of punctuation.</summary>
    public bool RestWithoutMarks { get; init; }

    /// <summary>Runs of Chinese characters are pieces of their own.</summary>
    public bool HanApart { get; init; }

    /// <summary>Words with one space between them are one piece.</summary>
    public bool SpacedWords { get; init; }

    /// <summary>Runs of spaces are cut into 512, 256, … 4 and then 2 or 1.</summary>
    public bool SpacesByPowers { get; init; }

    private ScalarClass Rest => RestWithoutMarks ? ScalarClass.Rest : ScalarClass.Other;

    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at)
    {
        char c = text[at];
        if (c == '\'' && Contracted == Contractions.Apart && Contraction.AnyCase(text[at..]) is > 0 and int length)
            return at + length;
        ScalarClass first = Scalars.At(text, at, out int width);
        if (HanApart && (first & ScalarClass.Han) != 0)
            return Scalars.Skip(text, at, ScalarClass.Han);
        int end = Case == Casing.Any ? Word(text, at, first, width) : CasedWord(text, at, first, width);
        if (end > at)
            return AfterWord(text, end);
        if ((first & ScalarClass.Number) != 0)
            return Numbers(text, at);
        int from = c == ' ' ? at + 1 : at;
        return (Scalars.At(text, from) & Rest) != 0
            ? AfterRest(text, Scalars.Skip(text, from, Rest))
            : Spaces(text, at);
    }

    /// <summary>[^\r\n\p{L}\p{N}]?\p{L}+ ; <paramref name="at"/> where there is none.</summary>
    private int Word(ReadOnlySpan<char> text, int at, ScalarClass first, int width)
    {
        if ((first & _word) != 0)
            return Letters(text, at);
        return MayLead(text[at], first) && IsWord(Scalars.At(text, at + width)) ? Letters(text, at + width) : at;
    }

    private bool IsWord(ScalarClass kind) => (kind & _word) != 0 && !(HanApart && (kind & ScalarClass.Han) != 0);

    private int Letters(ReadOnlySpan<char> text, int at)
    {
        if (!HanApart)
            return Scalars.Skip(text, at, _word);
        while (at < text.Length && IsWord(Scalars.At(text, at, out int width)))
            at += width;
        return at;
    }

    private static bool MayLead(char c, ScalarClass first) =>
        (first & (ScalarClass.Letter | ScalarClass.Number)) == 0 && c is not ('\r' or '\n');

    /// <summary>The two ways to write a cased word, each with a character in front first.</summary>
    private int CasedWord(ReadOnlySpan<char> text, int at, ScalarClass first, int width)
    {
        bool leads = MayLead(text[at], first);
        int afterLead = at + width;
        if (leads && LowerLast(text, afterLead) is > 0 and int a)
            return a;
        if (LowerLast(text, at) is > 0 and int b)
            return b;
        if (leads && UpperRun(text, afterLead) is int c && c > afterLead)
            return c;
        return UpperRun(text, at);
    }

    /// <summary>Upper* lower+ from <paramref name="start"/>; 0 where there is none.</summary>
    private int LowerLast(ReadOnlySpan<char> text, int start)
    {
        int upper = UpperRun(text, start);
        int at = upper;
        while (at < text.Length && CanBeLower(Scalars.At(text, at, out int width), text[at]))
            at += width;
        if (at > upper)
            return at;

        // The last of the first run that may also be in the second ends the word.
        while (at > start)
        {
            int before = at - (at - 2 >= start && char.IsSurrogatePair(text[at - 2], text[at - 1]) ? 2 : 1);
            if (CanBeLower(Scalars.At(text, before, out _), text[before]))
                return at;
            at = before;
        }

        return 0;
    }

    private int UpperRun(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && CanBeUpper(Scalars.At(text, at, out int width), text[at]))
            at += width;
        return at;
    }

    private bool CanBeUpper(ScalarClass kind, char c) => (kind & _word) != 0
        && (Case == Casing.Ascii ? !char.IsAsciiLetterLower(c) : (kind & ScalarClass.Lower) == 0);

    private bool CanBeLower(ScalarClass kind, char c) => (kind & _word) != 0
        && (Case == Casing.Ascii ? !char.IsAsciiLetterUpper(c) : (kind & ScalarClass.Upper) == 0);

    private int AfterWord(ReadOnlySpan<char> text, int at)
    {
        if (Contracted == Contractions.Behind && at < text.Length && text[at] == '\'')
            at += Contraction.AnyCase(text[at..]);
        while (SpacedWords && at < text.Length)
        {
            int next = Scalars.Skip(text, at, ScalarClass.Letter | ScalarClass.Mark);
            if (next < text.Length && text[next] == ' ' && (Scalars.At(text, next + 1) & ScalarClass.Letter) != 0)
                next++;
            if (next == at)
                break;
            at = next;
        }

        return at;
    }

    private int Numbers(ReadOnlySpan<char> text, int at)
    {
        for (int taken = 0; taken < Digits && at < text.Length; taken++)
        {
            if ((Scalars.At(text, at, out int width) & ScalarClass.Number) == 0)
                break;
            at += width;
        }

        return at;
    }

    private int AfterRest(ReadOnlySpan<char> text, int at)
    {
        if (Behind == Trail.None)
            return at;
        bool slashes = Behind != Trail.Breaks;
        int most = Behind == Trail.OneBreakOrSlash ? at + 1 : text.Length;
        while (at < most && at < text.Length && (text[at] is '\r' or '\n' || (slashes && text[at] == '/')))
            at++;
        return at;
    }

    private int Spaces(ReadOnlySpan<char> text, int at)
    {
        int end = Scalars.Skip(text, at, ScalarClass.Space);
        int lastBreak = text[at..end].LastIndexOfAny('\r', '\n');
        if (lastBreak >= 0)
            return at + lastBreak + 1;
        int most = end < text.Length && end - at > 1 ? end - 1 : end;
        return SpacesByPowers ? at + PowerWithin(most - at) : most;
    }

    private static int PowerWithin(int count)
    {
        int power = 512;
        while (power > 2 && power > count)
            power /= 2;
        return Math.Min(power, count);
    }
}

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Polymath.Text.PreTokenizers;

/// <summary>
/// Classes of Unicode scalar values as the splitting patterns see them. Each scalar is exactly one of letter, number,
/// space, mark and rest; punctuation and symbols are kinds of rest, upper and lower case kinds of letters.
/// </summary>
[Flags]
internal enum ScalarClass : ushort
{
    None = 0,
    Letter = 1,
    Number = 2,
    Space = 4,
    Rest = 8,
    Mark = 16,
    Punctuation = 32,
    Symbol = 64,
    Surrogate = 128,

    /// <summary>Upper and title case.</summary>
    Upper = 256,
    Lower = 512,

    /// <summary>Chinese characters, which are letters too.</summary>
    Han = 1024,
    Other = Rest | Mark,
}

/// <summary>Looks up the classes of scalars in UTF-16 text. An unpaired surrogate counts as U+FFFD, which it becomes.</summary>
internal static class Scalars
{
    private static readonly ScalarClass[] Plane0 = MakePlane0();

    /// <summary>Class of the scalar that starts at <paramref name="at"/>, and how many chars it takes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarClass At(ReadOnlySpan<char> text, int at, out int length)
    {
        ScalarClass found = Plane0[text[at]];
        length = 1;
        return (found & ScalarClass.Surrogate) == 0 ? found : Astral(text[at..], out length);
    }

    /// <summary>Class of the scalar at <paramref name="at"/>; <see cref="ScalarClass.None"/> at the end of the text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarClass At(ReadOnlySpan<char> text, int at) =>
        (uint)at < (uint)text.Length ? At(text, at, out _) : ScalarClass.None;

    /// <summary>The scalar at <paramref name="at"/> that takes <paramref name="width"/> chars.</summary>
    public static int Value(ReadOnlySpan<char> text, int at, int width) =>
        width == 2 ? char.ConvertToUtf32(text[at], text[at + 1]) : char.IsSurrogate(text[at]) ? 0xFFFD : text[at];

    /// <summary>Where the run of scalars of the given classes that starts at <paramref name="at"/> ends.</summary>
    public static int Skip(ReadOnlySpan<char> text, int at, ScalarClass classes)
    {
        ScalarClass[] plane = Plane0;
        while ((uint)at < (uint)text.Length)
        {
            ScalarClass found = plane[text[at]];
            int length = 1;
            if ((found & ScalarClass.Surrogate) != 0)
                found = Astral(text[at..], out length);
            if ((found & classes) == 0)
                break;
            at += length;
        }

        return at;
    }

    private static ScalarClass Astral(ReadOnlySpan<char> text, out int length) =>
        Rune.DecodeFromUtf16(text, out Rune rune, out length) == System.Buffers.OperationStatus.Done
            ? Classify(rune.Value)
            : Plane0[0xFFFD];

    private static ScalarClass[] MakePlane0()
    {
        var classes = new ScalarClass[0x10000];
        for (int value = 0; value < classes.Length; value++)
            classes[value] = char.IsSurrogate((char)value) ? ScalarClass.Surrogate : Classify(value);
        return classes;
    }

    private static ScalarClass Classify(int value)
    {
        if (value < 0x10000 && char.IsWhiteSpace((char)value))
            return ScalarClass.Space;
        ScalarClass han = IsHan(value) ? ScalarClass.Han : ScalarClass.None;
        return han | CharUnicodeInfo.GetUnicodeCategory(value) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => ScalarClass.Letter | ScalarClass.Upper,
            UnicodeCategory.LowercaseLetter => ScalarClass.Letter | ScalarClass.Lower,
            UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => ScalarClass.Letter,
            <= UnicodeCategory.EnclosingMark => ScalarClass.Mark,
            <= UnicodeCategory.OtherNumber => ScalarClass.Number,
            >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation => ScalarClass.Rest | ScalarClass.Punctuation,
            >= UnicodeCategory.MathSymbol and <= UnicodeCategory.OtherSymbol => ScalarClass.Rest | ScalarClass.Symbol,
            _ => ScalarClass.Rest,
        };
    }

    /// <summary>The blocks of Chinese characters that Kimi K2's splitter counts, assigned or not.</summary>
    private static bool IsHan(int value) => value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2EBEF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}

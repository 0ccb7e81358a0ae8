using System.Globalization;
using System.Text;
using Polymath.Text.Unicode;

namespace Polymath.Text.Normalizers;

/// <summary>The ways to change a text before it is cut, as tokenizer.json names them, and that of BERT in GGUF files.</summary>
internal static class TextCleaning
{
    /// <summary>Each character in lower case; İ becomes i and a dot above, as Unicode's full mapping has it.</summary>
    public static string Lowercase(string text)
    {
        if (text.Contains('\u0130', StringComparison.Ordinal))
            text = text.Replace("\u0130", "i\u0307", StringComparison.Ordinal);
        return text.ToLowerInvariant();
    }

    /// <summary>Without marks of any kind.</summary>
    public static string StripAccents(string text) => Filter(text, rune => Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark));

    /// <summary>Without most control characters; several kinds of space become a space.</summary>
    public static string Nmt(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (c is (>= '\u0001' and <= '\u0008') or '\u000B' or (>= '\u000E' and <= '\u001F') or '\u007F' or '\u008F' or '\u009F')
                continue;
            bool space = c is '\t' or '\n' or '\f' or '\r' or '\u1680' or (>= '\u200B' and <= '\u200F') or '\u2028' or '\u2029'
                or '\u2581' or '\uFEFF' or '\uFFFD';
            result.Append(space ? ' ' : c);
        }

        return result.ToString();
    }

    /// <summary>Several spaces in a row become <paramref name="content"/>.</summary>
    public static string MergeSpaces(string text, string content)
    {
        if (!text.Contains("  ", StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length);
        for (int at = 0; at < text.Length;)
        {
            int end = at;
            while (end < text.Length && text[end] == ' ')
                end++;
            if (end - at > 1)
                result.Append(content);
            else
                result.Append(text[at..(end = Math.Max(end, at + 1))]);
            at = end;
        }

        return result.ToString();
    }

    /// <summary>BERT's cleaning as tokenizer.json describes it.</summary>
    public static string Bert(string text, bool clean, bool chineseApart, bool stripAccents, bool lowercase)
    {
        if (clean)
            text = Clean(text);
        if (chineseApart)
            text = SetApart(text, rune => IsChinese(rune.Value));
        if (stripAccents)
        {
            text = Filter(
                UnicodeNormalization.Apply(text, UnicodeForm.D), rune => Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark);
        }

        return lowercase ? Lowercase(text) : text;
    }

    /// <summary>
    /// BERT's cleaning as the reference engine of GGUF files has it: the first character of each decomposition, no controls
    /// and marks, punctuation and Chinese characters between spaces.
    /// </summary>
    public static string BertOfGguf(string text, bool stripAccents, bool lowercase)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune given in text.EnumerateRunes())
        {
            int scalar = stripAccents ? UnicodeNormalization.FirstOfDecomposition(given.Value) : given.Value;
            var rune = new Rune(scalar);
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            if (Rune.IsWhiteSpace(rune))
            {
                result.Append(' ');
                continue;
            }

            bool mark = category is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
            if (scalar is 0 or 0xFFFD || IsControl(category) || (stripAccents && mark))
                continue;
            bool apart = category is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation
                || (scalar < 0x7F && category is >= UnicodeCategory.MathSymbol and <= UnicodeCategory.OtherSymbol) || IsChinese(scalar);
            if (apart)
                result.Append(' ');
            result.Append(lowercase ? Lower(rune).ToString() : rune.ToString());
            if (apart)
                result.Append(' ');
        }

        return result.ToString();
    }

    /// <summary>The blocks of Chinese characters that BERT sets apart; the fifth starts later than Unicode's, as in its first code.</summary>
    private static bool IsChinese(int scalar) => scalar is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private static Rune Lower(Rune rune) => rune.Value == 0x130 ? new Rune('i') : Rune.ToLowerInvariant(rune);

    private static bool IsControl(UnicodeCategory category) => category is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate;

    private static string Clean(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            bool space = rune.Value is '\t' or '\n' or '\r' || Rune.IsWhiteSpace(rune);
            bool control = rune.Value is not ('\t' or '\n' or '\r') && IsControl(category);
            if (rune.Value is 0 or 0xFFFD || control)
                continue;
            if (space)
                result.Append(' ');
            else
                result.Append(rune.ToString());
        }

        return result.ToString();
    }

    private static string SetApart(string text, Func<Rune, bool> chosen)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool apart = chosen(rune);
            if (apart)
                result.Append(' ');
            result.Append(rune.ToString());
            if (apart)
                result.Append(' ');
        }

        return result.ToString();
    }

    private static string Filter(string text, Func<Rune, bool> keeps)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (keeps(rune))
                result.Append(rune.ToString());
        }

        return result.ToString();
    }
}

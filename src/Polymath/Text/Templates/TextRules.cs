using System.Text;

namespace Polymath.Text.Templates;

/// <summary>What counts as white space, a word and a letter's case. The rules are ECMAScript's, as the reference engine's are.</summary>
internal static class TextRules
{
    public static bool IsSpace(char c) => c is '\uFEFF' || (c != '\u0085' && char.IsWhiteSpace(c));

    public static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    public static string TrimStart(string text)
    {
        int start = 0;
        while (start < text.Length && IsSpace(text[start]))
            start++;
        return text[start..];
    }

    public static string TrimEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }

    public static string Trim(string text) => TrimEnd(TrimStart(text));

    /// <summary>Upper case, with the letters that become several.</summary>
    public static string Upper(string text)
    {
        string upper = text.ToUpperInvariant();
        if (!upper.AsSpan().ContainsAnyInRange('\u00DF', '\uFB17'))
            return upper;
        var all = new StringBuilder(upper.Length + 8);
        foreach (char c in upper)
            _ = Several(c) is { } several ? all.Append(several) : all.Append(c);
        return all.ToString();
    }

    /// <summary>Lower case, with the Greek sigma that ends a word.</summary>
    public static string Lower(string text)
    {
        string lower = text.ToLowerInvariant();
        if (!text.AsSpan().ContainsAny('Σ', 'İ'))
            return lower;
        var all = new StringBuilder(lower.Length + 4);
        for (int i = 0; i < lower.Length; i++)
        {
            bool final = text[i] == 'Σ' && i > 0 && char.IsLetter(text[i - 1]) && !(i + 1 < text.Length && char.IsLetter(text[i + 1]));
            _ = final ? all.Append('ς') : text[i] == 'İ' ? all.Append("i\u0307") : all.Append(lower[i]);
        }

        return all.ToString();
    }

    /// <summary>The first letter of every ASCII word in upper case, the others as they are.</summary>
    public static string Title(string text) => string.Create(text.Length, text, static (to, from) =>
    {
        for (int i = 0; i < from.Length; i++)
            to[i] = i == 0 || !IsWord(from[i - 1]) ? char.IsAsciiLetterLower(from[i]) ? char.ToUpperInvariant(from[i]) : from[i] : from[i];
    });

    /// <summary>The first letter in upper case, the others as they are.</summary>
    public static string Capitalize(string text) => text.Length == 0 ? text : Upper(text[..1]) + text[1..];

    /// <summary>The Unicode characters of a text, each as a text; halves of pairs stand alone.</summary>
    public static List<string> Characters(string text)
    {
        var characters = new List<string>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            int length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;
            characters.Add(text.Substring(i, length));
            i += length - 1;
        }

        return characters;
    }

    /// <summary>
    /// Order of keys as the reference sorts them: punctuation, digits, letters without regard to case; then small letters first.
    /// Characters beyond ASCII follow by their code.
    /// </summary>
    public static int Collate(string a, string b)
    {
        for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            int order = Weight(a[i]).CompareTo(Weight(b[i]));
            if (order != 0)
                return order;
        }

        if (a.Length != b.Length)
            return a.Length.CompareTo(b.Length);
        for (int i = 0; i < a.Length; i++)
        {
            if (a[i] != b[i])
                return char.IsAsciiLetterLower(a[i]) ? -1 : 1;
        }

        return 0;
    }

    private static int Weight(char c)
    {
        const string Punctuation = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
        return c > '\u007F' ? c + 512
            : char.IsAsciiDigit(c) ? 256 + c
            : char.IsAsciiLetter(c) ? 256 + (c | 0x20)
            : Punctuation.IndexOf(c, StringComparison.Ordinal);
    }

    private static string? Several(char c) => c switch
    {
        'ß' => "SS",
        'ŉ' => "ʼN",
        'ǰ' => "J\u030C",
        'ﬀ' => "FF",
        'ﬁ' => "FI",
        'ﬂ' => "FL",
        'ﬃ' => "FFI",
        'ﬄ' => "FFL",
        'ﬅ' or 'ﬆ' => "ST",
        _ => null,
    };
}

using System.Globalization;
using System.Text;

namespace Polymath.Cli;

/// <summary>Makes text from files safe to show: what could steer a terminal or reorder a line is spelled out.</summary>
internal static class Printable
{
    /// <summary>
    /// <paramref name="text"/> on one line: line breaks and tabs as \n, \r, \t, other control, format and separator
    /// characters and unpaired surrogates as \u{hex}. A backslash is doubled, so that the result reads only one way.
    /// </summary>
    public static string Escape(string text) => Rewrite(text, keepBackslash: false);

    /// <summary>The same for messages, whose backslashes (Windows paths) stay single.</summary>
    public static string OneLine(string text) => Rewrite(text, keepBackslash: true);

    /// <summary>At most <paramref name="length"/> characters of the escaped text, and an ellipsis with the full length when cut.</summary>
    public static string Abbreviate(string text, int length)
    {
        if (text.Length <= length)
            return Escape(text);
        int end = char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
        return $"{Escape(text[..end])}… ({Figures.Count(text.Length)} characters)";
    }

    /// <summary>
    /// For text of a model shown to a person as it comes: line breaks and tabs pass, other controls become visible.
    /// </summary>
    public static ReadOnlySpan<char> Tame(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (char.IsControl(c) && c is not ('\n' or '\t'))
                return TameSlowly(text);
        }

        return text;
    }

    private static string TameSlowly(ReadOnlySpan<char> text)
    {
        var builder = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            _ = c switch
            {
                '\n' or '\t' => builder.Append(c),
                '\r' => builder,
                < ' ' => builder.Append((char)(0x2400 + c)),   // Unicode's control pictures
                '\x7f' => builder.Append('\u2421'),
                _ when char.IsControl(c) => builder.Append('\ufffd'),
                _ => builder.Append(c),
            };
        }

        return builder.ToString();
    }

    private static string Rewrite(string text, bool keepBackslash)
    {
        StringBuilder? builder = null;
        for (int i = 0; i < text.Length;)
        {
            bool whole = Rune.TryGetRuneAt(text, i, out Rune rune);
            int length = whole ? rune.Utf16SequenceLength : 1;
            string? replacement = !whole ? Hex(text[i]) : rune.Value == '\\' && keepBackslash ? null : Replacement(rune);
            if (replacement is not null)
                builder ??= new StringBuilder(text, 0, i, text.Length + 16);
            if (builder is not null)
                _ = replacement is null ? builder.Append(text, i, length) : builder.Append(replacement);
            i += length;
        }

        return builder?.ToString() ?? text;
    }

    private static string? Replacement(Rune rune) => rune.Value switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\\' => "\\\\",
        _ => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? Hex(rune.Value) : null,
    };

    private static string Hex(int value) => string.Create(CultureInfo.InvariantCulture, $"\\u{{{value:X}}}");
}

using System.Globalization;
using System.Text;

namespace Polymath.Text.Templates;

/// <summary>Python's two ways of filling values into a text, as far as templates use them.</summary>
internal static class StringFormat
{
    private const int Widest = 1 << 12;

    /// <summary>"{} {0} {name}": values without a format of their own.</summary>
    public static string Braces(Evaluator evaluator, string text, Arguments arguments)
    {
        var all = new StringBuilder();
        int next = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is not ('{' or '}'))
            {
                all.Append(c);
                continue;
            }

            if (i + 1 < text.Length && text[i + 1] == c)
            {
                all.Append(c);
                i++;
                continue;
            }

            int end = text.IndexOf('}', i);
            if (c == '}' || end < 0)
                throw evaluator.Fail("a brace in a format that is not closed");
            string field = text[(i + 1)..end];
            TemplateValue? value = field.Length == 0 ? arguments.Get(next++, "")
                : int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? arguments.Get(index, "")
                : arguments.Named.GetValueOrDefault(field);
            string shown = ValueText.ToText(evaluator, value ?? throw evaluator.Fail("a format without a value for a field"));
            evaluator.MakeText(shown.Length);
            all.Append(shown);
            i = end;
        }

        return all.ToString();
    }

    /// <summary>"%s %d %.2f %x %%".</summary>
    public static string Percent(Evaluator evaluator, string text, List<TemplateValue> values)
    {
        var all = new StringBuilder();
        int next = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                all.Append(text[i]);
                continue;
            }

            int start = ++i;
            while (i < text.Length && (char.IsAsciiDigit(text[i]) || text[i] is '.' or '-'))
                i++;
            if (i >= text.Length)
                throw evaluator.Fail("a format that ends within a field");
            if (text[i] == '%')
            {
                all.Append('%');
                continue;
            }

            TemplateValue value = next < values.Count ? values[next++] : throw evaluator.Fail("a format without a value for a field");
            string shown = Field(evaluator, text[start..i], text[i], value);
            evaluator.MakeText(shown.Length);
            all.Append(shown);
        }

        return all.ToString();
    }

    private static string Field(Evaluator evaluator, string layout, char kind, TemplateValue value)
    {
        string[] parts = layout.Split('.');
        int width = Number(evaluator, parts[0].TrimStart('-')), places = parts.Length > 1 ? Number(evaluator, parts[1]) : 6;
        double? number = Operators.Number(value);
        string shown = kind switch
        {
            's' => ValueText.ToText(evaluator, value),
            'd' or 'i' when number is { } n => Math.Truncate(n).ToString("F0", CultureInfo.InvariantCulture),
            'f' when number is { } n => n.ToString(string.Create(CultureInfo.InvariantCulture, $"F{Math.Min(places, 100)}"), CultureInfo.InvariantCulture),
            'x' when value is IntegerValue n => n.Value.ToString("x", CultureInfo.InvariantCulture),
            _ => throw evaluator.Fail("an unknown format"),
        };
        return parts[0].StartsWith('-') ? shown.PadRight(width)
            : shown.PadLeft(width, kind != 's' && parts[0].StartsWith('0') ? '0' : ' ');
    }

    private static int Number(Evaluator evaluator, string digits) => digits.Length == 0 ? 0
        : int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= Widest ? number
        : throw evaluator.Fail("a format that is too wide");
}

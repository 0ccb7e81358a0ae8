using System.Globalization;

namespace Polymath.Text.Templates;

/// <summary>Numbers as text: the shortest digits that read back as the same number, laid out as ECMAScript does.</summary>
internal static class NumberText
{
    public static string Of(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>1, 0.1, 1e+21, 1e-7, NaN, Infinity.</summary>
    public static string Of(double value)
    {
        if (double.IsNaN(value))
            return "NaN";
        if (double.IsInfinity(value))
            return value > 0 ? "Infinity" : "-Infinity";
        if (value == 0)
            return "0";
        string scientific = Math.Abs(value).ToString("E16", CultureInfo.InvariantCulture);
        string shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int exponent = int.Parse(scientific.AsSpan(scientific.IndexOf('E', StringComparison.Ordinal) + 1), CultureInfo.InvariantCulture);
        int mark = shortest.IndexOf('E', StringComparison.Ordinal);
        if (mark >= 0)
            exponent = int.Parse(shortest.AsSpan(mark + 1), CultureInfo.InvariantCulture);
        string digits = (mark < 0 ? shortest : shortest[..mark]).Replace(".", "", StringComparison.Ordinal).TrimStart('0').TrimEnd('0');
        return (value < 0 ? "-" : "") + Layout(digits, exponent + 1);
    }

    /// <summary>A floating-point number that shows it is one: 1.0, 0.1, -0.0.</summary>
    public static string OfFloat(double value) =>
        value == 0 ? double.IsNegative(value) ? "-0.0" : "0.0"
        : value % 1 == 0 && Math.Abs(value) < 1e21 ? value.ToString("F1", CultureInfo.InvariantCulture)
        : Of(value);

    /// <summary>The number at the start of a text, as far as it goes; null when there is none.</summary>
    public static double? Leading(string text, bool whole)
    {
        string trimmed = TextRules.TrimStart(text);
        int at = trimmed.Length > 0 && trimmed[0] is '+' or '-' ? 1 : 0, digits = 0;
        void Digits()
        {
            for (; at < trimmed.Length && char.IsAsciiDigit(trimmed[at]); at++)
                digits++;
        }

        Digits();
        if (!whole && at < trimmed.Length && trimmed[at] == '.')
        {
            at++;
            Digits();
        }

        if (digits == 0)
            return null;
        int end = at;
        if (!whole && at < trimmed.Length && trimmed[at] is 'e' or 'E')
        {
            at += at + 1 < trimmed.Length && trimmed[at + 1] is '+' or '-' ? 2 : 1;
            int before = digits;
            Digits();
            if (digits > before)
                end = at;
        }

        return double.Parse(trimmed.AsSpan(0, end), NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    /// <param name="digits">The digits, without a point.</param>
    /// <param name="point">Where the decimal point stands in them.</param>
    private static string Layout(string digits, int point)
    {
        if (point is > 0 and <= 21)
            return digits.Length <= point ? digits.PadRight(point, '0') : $"{digits[..point]}.{digits[point..]}";
        if (point is > -6 and <= 0)
            return $"0.{new string('0', -point)}{digits}";
        int exponent = point - 1;
        string fraction = digits.Length > 1 ? "." + digits[1..] : "";
        return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent)}");
    }
}

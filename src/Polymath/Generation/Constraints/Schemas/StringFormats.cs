namespace Polymath.Generation.Constraints.Schemas;

/// <summary>Patterns of the formats of JSON Schema that are honoured; each matches only what is valid, and what is usual of it.</summary>
internal static class StringFormats
{
    private const string Year = @"([1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])";
    private const string LeapYear = @"(\d\d(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)";

    private const string Date =
        $@"({Year}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))|{LeapYear}-02-29)";

    private const string Time = @"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,7})?(Z|[+-](0\d|1[0-3]):[0-5]\d)";
    private const string Label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private const string Byte = @"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)";
    private const string Quad = "[0-9A-Fa-f]{1,4}";
    private const string PathCharacter = @"([A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})";

    private static readonly Dictionary<string, string> s_patterns = new(StringComparer.Ordinal)
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}T{Time}",
        ["duration"] = @"P(\d{1,6}W|\d{1,6}Y(\d{1,6}M(\d{1,6}D)?)?(T{D})?|\d{1,6}M(\d{1,6}D)?(T{D})?|\d{1,6}D(T{D})?|T{D})"
            .Replace("{D}", @"(\d{1,6}H(\d{1,6}M(\d{1,6}S)?)?|\d{1,6}M(\d{1,6}S)?|\d{1,6}S)", StringComparison.Ordinal),
        ["email"] = $@"[A-Za-z0-9_+\-]+(\.[A-Za-z0-9_+\-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{{0,20}}[A-Za-z0-9])?\.){{1,4}}[A-Za-z]{{2,12}}",
        ["hostname"] = $@"{Label}(\.{Label}){{0,2}}",
        ["ipv4"] = $@"{Byte}(\.{Byte}){{3}}",
        ["ipv6"] = $"(({Quad}:){{7}}{Quad}|({Quad}:){{1,7}}:|"
            + string.Join('|', Enumerable.Range(1, 6).Select(n => $"({Quad}:){{1,{7 - n}}}(:{Quad}){{{n}}}")) + $"|:((:{Quad}){{1,7}}|:))",
        ["uuid"] = "[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
        ["uri"] = $@"https?://{Label}(\.{Label}){{0,3}}(:[1-9]\d{{0,3}})?(/{PathCharacter}*)*(\?({PathCharacter}|[/?])*)?(#({PathCharacter}|[/?])*)?",
    };

    /// <summary>Names of the formats that are honoured.</summary>
    public static IEnumerable<string> Names => s_patterns.Keys;

    /// <summary>The pattern of a format, or null for one that is not honoured.</summary>
    public static string? Pattern(string format) => s_patterns.GetValueOrDefault(format);
}

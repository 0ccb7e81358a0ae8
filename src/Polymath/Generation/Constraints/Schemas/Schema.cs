using System.Text.Json;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>One schema of a document, at its place.</summary>
/// <param name="id">Its number, for naming sets of schemas.</param>
/// <param name="pointer">Its JSON pointer, for messages.</param>
/// <param name="element">Its text.</param>
internal sealed class Schema(int id, string pointer, JsonElement element)
{
    public const int MostCount = 100_000;

    public int Id => id;

    public string Pointer => pointer.Length == 0 ? "/" : pointer;

    public JsonElement Element => element;

    /// <summary>True or false for a schema that is one of them.</summary>
    public bool? Constant => element.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null };

    public bool TryGet(string keyword, out JsonElement value) => element.TryGetProperty(keyword, out value);

    /// <summary>A count, or null where there is no such keyword.</summary>
    public int? Count(string keyword)
    {
        if (!TryGet(keyword, out JsonElement value))
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number) || number < 0 || number != Math.Floor(number))
            throw Wrong(keyword, "it is not a count");
        return number <= MostCount ? (int)number : throw Refused(keyword, $"{MostCount} is the most");
    }

    public string? Text(string keyword) =>
        !TryGet(keyword, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(keyword, "it is not a string");

    public string At(string keyword) => $"{pointer}/{Escaped(keyword)}";

    public ConstraintException Wrong(string keyword, string what) =>
        new($"{keyword} at {At(keyword)} is wrong: {what}") { Keyword = keyword, Place = At(keyword) };

    public ConstraintException Refused(string keyword, string why) => ConstraintException.Refused(keyword, At(keyword), why);

    private static string Escaped(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}

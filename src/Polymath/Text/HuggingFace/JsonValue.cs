using System.Text.Json;
using Polymath.Files;

namespace Polymath.Text.HuggingFace;

/// <summary>A value in a JSON file with its place, so that every complaint can say what is wrong where.</summary>
/// <param name="Element">The value.</param>
/// <param name="File">File it stands in.</param>
/// <param name="Place">Names on the way to it.</param>
internal readonly record struct JsonValue(JsonElement Element, string File, string Place)
{
    private const int Depth = 64;

    /// <summary>True when the value is null.</summary>
    public bool IsNull => Element.ValueKind == JsonValueKind.Null;

    /// <summary>True when the value is a string.</summary>
    public bool IsText => Element.ValueKind == JsonValueKind.String;

    /// <summary>True when the value is an object.</summary>
    public bool IsObject => Element.ValueKind == JsonValueKind.Object;

    /// <summary>Reads a whole file into <paramref name="document"/>, whose memory the value uses.</summary>
    /// <exception cref="ModelFormatException">No JSON object, nested too deeply, or with one name twice.</exception>
    public static JsonValue Parse(ReadOnlyMemory<byte> json, string file, out JsonDocument document)
    {
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = Depth, AllowDuplicateProperties = false });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new ModelFormatException($"{file}: not valid JSON: {e.Message.ReplaceLineEndings(" ")}", e);
        }

        var root = new JsonValue(document.RootElement, file, "the file");
        return root.IsObject ? root : throw root.Wrong("an object");
    }

    /// <summary>A member of an object; null when it is missing or null.</summary>
    public JsonValue? Find(string name)
    {
        if (!IsObject)
            throw Wrong("an object");
        return Element.TryGetProperty(name, out JsonElement found) && found.ValueKind != JsonValueKind.Null
            ? new JsonValue(found, File, Inside(name))
            : null;
    }

    /// <summary>A member of an object that must be there.</summary>
    public JsonValue Get(string name) => Find(name) ?? throw new ModelFormatException($"{File}: {Inside(name)} is missing");

    /// <summary>Elements of an array.</summary>
    public IEnumerable<JsonValue> Items()
    {
        if (Element.ValueKind != JsonValueKind.Array)
            throw Wrong("an array");
        int index = 0;
        foreach (JsonElement item in Element.EnumerateArray())
            yield return new JsonValue(item, File, $"{Place}[{index++}]");
    }

    /// <summary>Number of elements of an array.</summary>
    public int Count() => Element.ValueKind == JsonValueKind.Array ? Element.GetArrayLength() : throw Wrong("an array");

    /// <summary>Names and values of an object.</summary>
    public IEnumerable<(string Name, JsonValue Value)> Members()
    {
        if (!IsObject)
            throw Wrong("an object");
        foreach (JsonProperty member in Element.EnumerateObject())
            yield return (NameOf(member), new JsonValue(member.Value, File, Place));
    }

    /// <summary>A string.</summary>
    public string Text()
    {
        if (!IsText)
            throw Wrong("a string");
        try
        {
            return Element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong("valid Unicode");
        }
    }

    /// <summary>true or false.</summary>
    public bool Flag() => Element.ValueKind is JsonValueKind.True or JsonValueKind.False ? Element.GetBoolean() : throw Wrong("true or false");

    /// <summary>true or false of a member, or <paramref name="fallback"/> where it is missing or null.</summary>
    public bool Flag(string name, bool fallback) => Find(name)?.Flag() ?? fallback;

    /// <summary>A whole number of 32 bits.</summary>
    public int Integer() =>
        Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out int value) ? value : throw Wrong("a 32-bit integer");

    /// <summary>The exception for a value of another type.</summary>
    public ModelFormatException Wrong(string wanted) => new($"{File}: {Place} is not {wanted}");

    private string Inside(string name) => Place == "the file" ? name : $"{Place}.{name}";

    private string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw new ModelFormatException($"{File}: a name in {Place} is not valid Unicode");
        }
    }
}

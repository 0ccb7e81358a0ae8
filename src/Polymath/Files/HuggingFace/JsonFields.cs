using System.Text.Json;

namespace Polymath.Files.HuggingFace;

/// <summary>The fields of a JSON object in a model's folder; every value is checked when it is taken.</summary>
/// <param name="path">Path of the file, for messages.</param>
/// <param name="element">The object.</param>
/// <param name="prefix">Names of the objects around it, for messages.</param>
/// <param name="outer">Where fields that are not in <paramref name="element"/> are sought.</param>
internal sealed class JsonFields(string path, JsonElement element, string prefix = "", JsonFields? outer = null)
{
    private const int MaxDepth = 32;

    /// <summary>Path of the file.</summary>
    public string Path => path;

    /// <summary>Parses a small JSON file and lets <paramref name="use"/> take what it needs from the object in it.</summary>
    /// <exception cref="ModelFormatException">No valid JSON object.</exception>
    public static T Parse<T>(string path, ReadOnlyMemory<byte> json, Func<JsonFields, T> use)
    {
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = MaxDepth };
            using JsonDocument document = JsonDocument.Parse(json, options);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? use(new JsonFields(path, document.RootElement))
                : throw new ModelFormatException($"{path}: no JSON object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Text that is no valid Unicode is reported by InvalidOperationException.
            throw new ModelFormatException($"{path}: no valid JSON: {FileLimits.Printable(e.Message)}", e);
        }
    }

    public bool Has(string name) => TryGet(name, out _);

    /// <summary>True when the field is there and says null.</summary>
    public bool IsNull(string name) => Find(name) is { ValueKind: JsonValueKind.Null };

    /// <summary>An object, or null where the field is missing or null; what it lacks is sought here when <paramref name="inherit"/> says so.</summary>
    public JsonFields? Child(string name, bool inherit = false)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Object
            ? new JsonFields(path, value, $"{prefix}{name}.", inherit ? this : null)
            : throw Bad(name, "no object");
    }

    public int Int32(string name, int least, int most, int? fallback = null)
    {
        if (!TryGet(name, out JsonElement value))
            return fallback ?? throw Bad(name, "missing");
        return Int32(name, value, least, most);
    }

    /// <summary>A number that is finite and positive as a single.</summary>
    public double Positive(string name, double? fallback = null)
    {
        if (!TryGet(name, out JsonElement value))
            return fallback ?? throw Bad(name, "missing");
        return Positive(name, value);
    }

    public bool Bool(string name, bool fallback = false)
    {
        if (!TryGet(name, out JsonElement value))
            return fallback;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Bad(name, "no bool");
    }

    public string? Text(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Bad(name, "no string");
    }

    /// <summary>A token id, the first where a list stands, or null.</summary>
    public int? TokenId(string name, int vocabulary)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        if (value.ValueKind == JsonValueKind.Array)
        {
            if (value.GetArrayLength() == 0)
                return null;
            value = value[0];
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int id))
            throw Bad(name, "no token id");
        return id >= 0 && id < vocabulary ? id : throw Bad(name, $"{id} is no id of a vocabulary of {vocabulary}");
    }

    /// <summary>A list of whole numbers, or null where the field is missing.</summary>
    public int[]? Integers(string name, int length, int least, int most) =>
        List(name, length, value => Int32(name, value, least, most));

    /// <summary>A list of positive numbers, or null where the field is missing.</summary>
    public double[]? Positives(string name, int length) => List(name, length, value => Positive(name, value));

    /// <summary>A list of strings, or null where the field is missing; <paramref name="length"/> 0 for any.</summary>
    public string[]? Texts(string name, int length = 0) => List(
        name, length, value => value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad(name, "no list of strings"));

    /// <summary>The length of a list, 0 where the field is missing.</summary>
    public int Count(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return 0;
        return value.ValueKind == JsonValueKind.Array ? value.GetArrayLength() : throw Bad(name, "no list");
    }

    /// <summary>The values of an object of strings whose names are 0, 1, 2, …, in that order; null where the field is missing.</summary>
    public string[]? Numbered(string name, int most)
    {
        if (Child(name) is not { } child)
            return null;
        var texts = new List<string>();
        while (child.Text(texts.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)) is { } text)
        {
            texts.Add(text);
            if (texts.Count > most)
                throw Bad(name, $"more than {most} entries");
        }

        return [.. texts];
    }

    /// <summary>The values of an object of strings under their names; none where the field is missing.</summary>
    public IEnumerable<(string Name, string Text)> NamedTexts(string name, int most)
    {
        if (!TryGet(name, out JsonElement value))
            yield break;
        if (value.ValueKind != JsonValueKind.Object)
            throw Bad(name, "no object");
        if (value.GetPropertyCount() > most)
            throw Bad(name, $"more than {most} entries");
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
                throw Bad($"{name}.{FileLimits.Printable(property.Name)}", "no string");
            yield return (property.Name, property.Value.GetString()!);
        }
    }

    /// <summary>A text without a name, or a list of texts with names of letters, digits and the like.</summary>
    public IEnumerable<(string Name, string Text)> Templates(string name, int most)
    {
        if (!TryGet(name, out JsonElement value))
            yield break;
        if (value.ValueKind != JsonValueKind.Array)
        {
            yield return ("", Text(name)!);
            yield break;
        }

        if (value.GetArrayLength() > most)
            throw Bad(name, $"more than {most} entries");
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object)
                throw Bad(name, "no list of objects");
            var template = new JsonFields(path, item, $"{prefix}{name}.");
            string called = template.Text("name") ?? throw Bad(name, "a template without a name");
            if (called.Length is 0 or > 64 || !called.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
                throw Bad(name, $"{FileLimits.Printable(called)} is no name");
            yield return (called, template.Text("template") ?? throw Bad(name, $"{called} has no text"));
        }
    }

    public ModelFormatException Bad(string name, string problem) => new($"{path}: {prefix}{name}: {problem}");

    private T[]? List<T>(string name, int length, Func<JsonElement, T> take)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Bad(name, "no list");
        int found = value.GetArrayLength();
        if (length != 0 && found != length)
            throw Bad(name, $"{found} elements, {length} needed");
        return [.. value.EnumerateArray().Select(take)];
    }

    private int Int32(string name, JsonElement value, int least, int most)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int number))
            throw Bad(name, "no 32-bit integer");
        return number >= least && number <= most ? number : throw Bad(name, $"{number} is not in {least} to {most}");
    }

    private double Positive(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number))
            throw Bad(name, "no number");
        return float.IsFinite((float)number) && (float)number > 0 ? number : throw Bad(name, $"{number} is not finite and positive");
    }

    private JsonElement? Find(string name) => element.TryGetProperty(name, out JsonElement value) ? value : outer?.Find(name);

    private bool TryGet(string name, out JsonElement value)
    {
        value = Find(name) ?? default;
        return value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);
    }
}

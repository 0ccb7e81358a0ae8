using System.Text.Json;

namespace Polymath.Server.Wire;

/// <summary>
/// The fields of a JSON object in a request. A field that is missing or null is null; one of another type or outside its
/// range is refused by its name; those nobody asks for are not looked at.
/// </summary>
internal readonly struct Fields
{
    private readonly JsonElement _object;
    private readonly string _path;

    /// <summary>Takes an object.</summary>
    /// <param name="value">The object.</param>
    /// <param name="path">Its place in the request; empty for the request itself.</param>
    /// <exception cref="ApiException">It is none.</exception>
    public Fields(JsonElement value, string path = "")
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw path.Length == 0 ? new ApiException(400, "the body is no JSON object") : ApiException.Wrong(path, "an object is expected");
        _object = value;
        _path = path;
    }

    /// <summary>A field as it is, or null.</summary>
    public JsonElement? this[string name] =>
        _object.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Where a field stands in the request.</summary>
    public string Place(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>The refusal of a field.</summary>
    public ApiException Wrong(string name, string message) => ApiException.Wrong(Place(name), message);

    /// <summary>A text.</summary>
    public string? Text(string name) => this[name] switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Wrong(name, "a string is expected"),
    };

    /// <summary>A text that must be there.</summary>
    public string NeededText(string name) => Text(name) ?? throw Wrong(name, "is missing");

    /// <summary>True or false.</summary>
    public bool? Flag(string name) => this[name] switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name, "true or false is expected"),
    };

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public long? Integer(string name, long least = long.MinValue, long most = long.MaxValue)
    {
        if (this[name] is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long number))
            throw Wrong(name, "a whole number is expected");
        return number >= least && number <= most ? number : throw Wrong(name, $"must be from {least} to {most}");
    }

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public float? Number(string name, double least, double most)
    {
        if (this[name] is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number))
            throw Wrong(name, "a number is expected");
        return number >= least && number <= most ? (float)number
            : throw Wrong(name, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"must be from {least} to {most}"));
    }

    /// <summary>An object.</summary>
    public Fields? Object(string name) => this[name] is { } value ? new Fields(value, Place(name)) : null;

    /// <summary>A list of at most <paramref name="most"/> values; empty where there is none.</summary>
    public JsonElement[] List(string name, int most)
    {
        if (this[name] is not { } value)
            return [];
        if (value.ValueKind != JsonValueKind.Array)
            throw Wrong(name, "an array is expected");
        return value.GetArrayLength() <= most ? [.. value.EnumerateArray()] : throw Wrong(name, $"has more than {most} values");
    }

    /// <summary>A list of objects.</summary>
    public Fields[] Objects(string name, int most)
    {
        string place = Place(name);
        return [.. List(name, most).Select((value, i) => new Fields(value, $"{place}[{i}]"))];
    }

    /// <summary>A text, or a list of texts.</summary>
    public string[] Texts(string name, int most)
    {
        if (this[name] is { ValueKind: JsonValueKind.String } one)
            return [one.GetString()!];
        Fields self = this;
        return [.. List(name, most).Select((value, i) => value.ValueKind == JsonValueKind.String
            ? value.GetString()! : throw self.Wrong($"{name}[{i}]", "a string is expected"))];
    }

    /// <summary>A list of ids below <paramref name="vocabulary"/>.</summary>
    public int[] Ids(string name, int most, int vocabulary)
    {
        string place = Place(name);
        return [.. List(name, most).Select((value, i) => Id(value, $"{place}[{i}]", vocabulary))];
    }

    /// <summary>An id below <paramref name="vocabulary"/>.</summary>
    public static int Id(JsonElement value, string place, int vocabulary) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id >= 0 && id < vocabulary
            ? id : throw ApiException.Wrong(place, $"a token from 0 to {vocabulary - 1} is expected");

    /// <summary>All fields by name.</summary>
    public IEnumerable<(string Name, JsonElement Value)> All() => _object.EnumerateObject().Select(p => (p.Name, p.Value));
}

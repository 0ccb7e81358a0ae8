using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Polymath.Files;

/// <summary>Types of metadata values, numbered as in the GGUF specification.</summary>
public enum MetadataType
{
    /// <summary>byte.</summary>
    UInt8 = 0,

    /// <summary>sbyte.</summary>
    Int8 = 1,

    /// <summary>ushort.</summary>
    UInt16 = 2,

    /// <summary>short.</summary>
    Int16 = 3,

    /// <summary>uint.</summary>
    UInt32 = 4,

    /// <summary>int.</summary>
    Int32 = 5,

    /// <summary>float.</summary>
    Float32 = 6,

    /// <summary>bool, one byte of 0 or 1.</summary>
    Bool = 7,

    /// <summary>UTF-8 text with its length before it.</summary>
    String = 8,

    /// <summary>An array of one element type, possibly arrays again.</summary>
    Array = 9,

    /// <summary>ulong.</summary>
    UInt64 = 10,

    /// <summary>long.</summary>
    Int64 = 11,

    /// <summary>double.</summary>
    Float64 = 12,
}

/// <summary>
/// One value: its type and the CLR value of that type. An array is a CLR array of its element type
/// (<c>string[]</c>, <c>float[]</c>, …); an array of arrays is <c>MetadataValue[]</c>.
/// </summary>
/// <param name="Type">Type as stored.</param>
/// <param name="Value">byte … double, bool, string, or an array.</param>
/// <param name="ElementType">Element type of an array; unused otherwise.</param>
public sealed record MetadataValue(MetadataType Type, object Value, MetadataType ElementType = MetadataType.UInt8);

/// <summary>
/// Metadata of a model under GGUF keys, in file order. Model files of other kinds are translated to these keys,
/// so that everything above Files reads one vocabulary of settings.
/// </summary>
public sealed class Metadata : IEnumerable<KeyValuePair<string, MetadataValue>>
{
    private readonly List<string> _order = [];
    private readonly Dictionary<string, MetadataValue> _values = new(StringComparer.Ordinal);

    /// <summary>Number of keys.</summary>
    public int Count => _order.Count;

    /// <summary>True when <paramref name="key"/> is there.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>The raw value of <paramref name="key"/>.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out MetadataValue? value) => _values.TryGetValue(key, out value);

    /// <summary>Adds or replaces a value; its type follows from the CLR type.</summary>
    /// <exception cref="ArgumentException">The CLR type has no metadata type.</exception>
    public void Set(string key, object value) => Set(key, Wrap(value));

    /// <summary>Adds or replaces a value.</summary>
    public void Set(string key, MetadataValue value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!_values.ContainsKey(key))
            _order.Add(key);
        _values[key] = value;
    }

    /// <summary>Removes a key; false when it was not there.</summary>
    public bool Remove(string key) => _values.Remove(key) && _order.Remove(key);

    /// <summary>A string, or <paramref name="fallback"/> where the key is missing.</summary>
    /// <exception cref="ModelFormatException">The value is no string.</exception>
    [return: NotNullIfNotNull(nameof(fallback))]
    public string? GetString(string key, string? fallback = null) =>
        !_values.TryGetValue(key, out MetadataValue? v) ? fallback
        : v.Value as string ?? throw Wrong(key, "a string", v);

    /// <summary>An integer of any stored width that fits an Int32, or <paramref name="fallback"/>.</summary>
    /// <exception cref="ModelFormatException">Missing without a fallback, no integer, or out of range.</exception>
    public int GetInt32(string key, int? fallback = null)
    {
        if (!_values.TryGetValue(key, out MetadataValue? v))
            return fallback ?? throw Missing(key);
        long? wide = ToInt64(v.Value);
        return wide is >= int.MinValue and <= int.MaxValue ? (int)wide.Value : throw Wrong(key, "a 32-bit integer", v);
    }

    /// <summary>A number as single, or <paramref name="fallback"/>.</summary>
    /// <exception cref="ModelFormatException">Missing without a fallback, no number, or not finite.</exception>
    public float GetSingle(string key, float? fallback = null)
    {
        if (!_values.TryGetValue(key, out MetadataValue? v))
            return fallback ?? throw Missing(key);
        double? number = v.Value switch { float f => f, double d => d, _ => ToInt64(v.Value) };
        return number is { } n && float.IsFinite((float)n) ? (float)n : throw Wrong(key, "a finite number", v);
    }

    /// <summary>A bool, or <paramref name="fallback"/>.</summary>
    /// <exception cref="ModelFormatException">The value is no bool.</exception>
    public bool? GetBool(string key, bool? fallback = null) =>
        !_values.TryGetValue(key, out MetadataValue? v) ? fallback : v.Value as bool? ?? throw Wrong(key, "a bool", v);

    /// <summary>An array whose CLR element type is <typeparamref name="T"/>, or null where the key is missing.</summary>
    /// <exception cref="ModelFormatException">The value is another type.</exception>
    public T[]? GetArray<T>(string key) =>
        !_values.TryGetValue(key, out MetadataValue? v) ? null
        : v.Value.GetType() == typeof(T[]) ? (T[])v.Value
        : throw Wrong(key, $"an array of {typeof(T).Name}", v);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, MetadataValue>> GetEnumerator()
    {
        foreach (string key in _order)
            yield return new(key, _values[key]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static long? ToInt64(object value) => value switch
    {
        byte v => v,
        sbyte v => v,
        ushort v => v,
        short v => v,
        uint v => v,
        int v => v,
        long v => v,
        ulong v when v <= long.MaxValue => (long)v,
        _ => null,
    };

    private static MetadataType TypeOf(Type type) =>
        type == typeof(byte) ? MetadataType.UInt8 : type == typeof(sbyte) ? MetadataType.Int8
        : type == typeof(ushort) ? MetadataType.UInt16 : type == typeof(short) ? MetadataType.Int16
        : type == typeof(uint) ? MetadataType.UInt32 : type == typeof(int) ? MetadataType.Int32
        : type == typeof(float) ? MetadataType.Float32 : type == typeof(bool) ? MetadataType.Bool
        : type == typeof(string) ? MetadataType.String : type == typeof(ulong) ? MetadataType.UInt64
        : type == typeof(long) ? MetadataType.Int64 : type == typeof(double) ? MetadataType.Float64
        : throw new ArgumentException($"{type.Name} is no metadata type");

    private static MetadataValue Wrap(object value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value is Array
            ? new MetadataValue(MetadataType.Array, value, TypeOf(value.GetType().GetElementType()!))
            : new MetadataValue(TypeOf(value.GetType()), value);
    }

    private static ModelFormatException Missing(string key) => new($"metadata key {key} is missing");

    private static ModelFormatException Wrong(string key, string wanted, MetadataValue found) =>
        new(string.Create(CultureInfo.InvariantCulture, $"metadata key {key} holds {Show(found)}, not {wanted}"));

    private static string Show(MetadataValue value) => value.Type switch
    {
        MetadataType.Array => $"an array of {value.ElementType}",
        MetadataType.String => "a string",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value.Type} {value.Value}"),
    };
}

using System.Text.Json;

namespace Polymath.Text.Templates;

/// <summary>What a <see cref="TemplateValue"/> is.</summary>
public enum TemplateValueKind
{
    /// <summary>Nothing of that name.</summary>
    Undefined,

    /// <summary>none.</summary>
    Null,

    /// <summary>true or false.</summary>
    Bool,

    /// <summary>A whole number of 64 bits.</summary>
    Integer,

    /// <summary>A floating-point number of 64 bits.</summary>
    Float,

    /// <summary>A text.</summary>
    String,

    /// <summary>A list; tuples are lists.</summary>
    List,

    /// <summary>Texts to values, in the order of insertion.</summary>
    Map,

    /// <summary>What <c>namespace()</c> makes: the only value a template can change.</summary>
    Namespace,

    /// <summary>A macro, a method or a function of the language.</summary>
    Function,
}

/// <summary>
/// A value a template sees. The set is closed: nothing of the program around it can be reached through one.
/// Immutable, but for namespaces, which live inside one rendering.
/// </summary>
public abstract class TemplateValue
{
    private protected TemplateValue()
    {
    }

    /// <summary>Nothing of that name.</summary>
    public static TemplateValue Undefined { get; } = new UndefinedValue();

    /// <summary>none.</summary>
    public static TemplateValue Null { get; } = new NullValue();

    /// <summary>true.</summary>
    public static TemplateValue True { get; } = new BoolValue(true);

    /// <summary>false.</summary>
    public static TemplateValue False { get; } = new BoolValue(false);

    /// <summary>What it is.</summary>
    public abstract TemplateValueKind Kind { get; }

    /// <summary>Whether it counts as true: not empty, not zero, not none.</summary>
    internal virtual bool IsTrue => false;

    /// <summary>A text; null becomes none.</summary>
    public static implicit operator TemplateValue(string? text) => FromString(text);

    /// <summary>True or false.</summary>
    public static implicit operator TemplateValue(bool value) => FromBoolean(value);

    /// <summary>A whole number.</summary>
    public static implicit operator TemplateValue(long value) => FromInt64(value);

    /// <summary>A floating-point number.</summary>
    public static implicit operator TemplateValue(double value) => FromDouble(value);

    /// <summary>A text; null becomes none.</summary>
    public static TemplateValue FromString(string? text) => text is null ? Null : new StringValue(text);

    /// <summary>True or false.</summary>
    public static TemplateValue FromBoolean(bool value) => value ? True : False;

    /// <summary>A whole number.</summary>
    public static TemplateValue FromInt64(long value) => new IntegerValue(value);

    /// <summary>A floating-point number.</summary>
    public static TemplateValue FromDouble(double value) => new FloatValue(value);

    /// <summary>A list of values.</summary>
    public static TemplateValue FromList(IEnumerable<TemplateValue> items) => new ListValue([.. items]);

    /// <summary>A map in the order given; of two equal keys the last value counts.</summary>
    public static TemplateValue FromMap(IEnumerable<KeyValuePair<string, TemplateValue>> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var map = new MapValue();
        foreach ((string key, TemplateValue value) in entries)
            map.Entries[key] = value;
        return map;
    }

    /// <summary>The value of a JSON text. Numbers without a fraction become integers where 64 bits hold them.</summary>
    /// <exception cref="TemplateException">No valid JSON, or values more than 64 deep.</exception>
    public static TemplateValue Parse(string json) => JsonValues.Parse(json);

    /// <summary>The value of a JSON element, as <see cref="Parse"/> makes it.</summary>
    /// <exception cref="TemplateException">Values more than 64 deep, or text that is no valid Unicode.</exception>
    public static TemplateValue FromJson(JsonElement element) => JsonValues.Read(element, 0);
}

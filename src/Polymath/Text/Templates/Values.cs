namespace Polymath.Text.Templates;

internal sealed class UndefinedValue : TemplateValue
{
    public override TemplateValueKind Kind => TemplateValueKind.Undefined;
}

internal sealed class NullValue : TemplateValue
{
    public override TemplateValueKind Kind => TemplateValueKind.Null;
}

internal sealed class BoolValue(bool value) : TemplateValue
{
    public bool Value => value;

    public override TemplateValueKind Kind => TemplateValueKind.Bool;

    internal override bool IsTrue => value;
}

internal sealed class IntegerValue(long value) : TemplateValue
{
    public long Value => value;

    public override TemplateValueKind Kind => TemplateValueKind.Integer;

    internal override bool IsTrue => value != 0;
}

internal sealed class FloatValue(double value) : TemplateValue
{
    public double Value => value;

    public override TemplateValueKind Kind => TemplateValueKind.Float;

    internal override bool IsTrue => value != 0 && !double.IsNaN(value);
}

internal sealed class StringValue(string value) : TemplateValue
{
    public string Value => value;

    public override TemplateValueKind Kind => TemplateValueKind.String;

    internal override bool IsTrue => value.Length > 0;
}

internal sealed class ListValue(List<TemplateValue> items) : TemplateValue
{
    public List<TemplateValue> Items => items;

    public override TemplateValueKind Kind => TemplateValueKind.List;

    internal override bool IsTrue => items.Count > 0;
}

internal sealed class MapValue : TemplateValue
{
    public OrderedDictionary<string, TemplateValue> Entries { get; } = new(StringComparer.Ordinal);

    public override TemplateValueKind Kind => TemplateValueKind.Map;

    internal override bool IsTrue => Entries.Count > 0;

    public List<TemplateValue> Keys() => [.. Entries.Keys.Select(FromString)];

    /// <summary>A list of [key, value] for every entry.</summary>
    public List<TemplateValue> Pairs() => [.. Entries.Select(entry => new ListValue([entry.Key, entry.Value]))];
}

internal sealed class NamespaceValue : TemplateValue
{
    public OrderedDictionary<string, TemplateValue> Entries { get; } = new(StringComparer.Ordinal);

    public override TemplateValueKind Kind => TemplateValueKind.Namespace;

    internal override bool IsTrue => true;
}

/// <summary>Something that can be called.</summary>
/// <param name="name">For messages.</param>
/// <param name="call">What it does; the scope is the caller's.</param>
internal sealed class FunctionValue(string name, Func<Evaluator, Arguments, Scope, TemplateValue> call) : TemplateValue
{
    public string Name => name;

    public Func<Evaluator, Arguments, Scope, TemplateValue> Call => call;

    public override TemplateValueKind Kind => TemplateValueKind.Function;

    internal override bool IsTrue => true;
}

/// <summary>The values of a call.</summary>
internal sealed class Arguments
{
    public List<TemplateValue> Positional { get; } = [];

    public OrderedDictionary<string, TemplateValue> Named { get; } = new(StringComparer.Ordinal);

    /// <summary>The argument at a place or of a name, or null.</summary>
    public TemplateValue? Get(int index, string name) =>
        index >= 0 && index < Positional.Count ? Positional[index] : Named.GetValueOrDefault(name);
}

/// <summary>Variables, and the scope they hide those of.</summary>
internal sealed class Scope(Scope? outer)
{
    private Dictionary<string, TemplateValue>? _variables;

    public void Set(string name, TemplateValue value) =>
        (_variables ??= new Dictionary<string, TemplateValue>(StringComparer.Ordinal))[name] = value;

    /// <summary>The value of a name, undefined where there is none.</summary>
    /// <param name="name">The name.</param>
    /// <param name="scopes">How many scopes were looked at.</param>
    public TemplateValue Find(string name, out int scopes)
    {
        scopes = 0;
        for (Scope? scope = this; scope is not null; scope = scope.Outer)
        {
            scopes++;
            if (scope._variables is not null && scope._variables.TryGetValue(name, out TemplateValue? value))
                return value;
        }

        return TemplateValue.Undefined;
    }

    private Scope? Outer => outer;
}

using System.Text.Json;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>Kinds of values. A number is an integer or has a fraction.</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Fraction = 8,
    String = 16,
    Array = 32,
    Object = 64,
    Number = Integer | Fraction,
    All = 127,
}

/// <summary>
/// What must hold of a value all at once: a schema without its alternatives. What is said of members and items stays with
/// the schemas that say it. Immutable.
/// </summary>
internal sealed record Facets
{
    public static Facets Anything { get; } = new();

    public JsonTypes Types { get; init; } = JsonTypes.All;

    /// <summary>The values that are allowed, or null for all.</summary>
    public IReadOnlyList<JsonElement>? Values { get; init; }

    public int MinLength { get; init; }

    public int? MaxLength { get; init; }

    /// <summary>Patterns and formats, as automata over whole strings in quotes.</summary>
    public IReadOnlyList<ByteDfa> Strings { get; init; } = [];

    /// <summary>Bounds and divisors, as automata over numbers without exponents.</summary>
    public IReadOnlyList<ByteDfa> Numbers { get; init; } = [];

    public int MinItems { get; init; }

    public int? MaxItems { get; init; }

    public IReadOnlyList<ItemClause> Items { get; init; } = [];

    public int MinProperties { get; init; }

    public int? MaxProperties { get; init; }

    public IReadOnlyList<string> Required { get; init; } = [];

    public IReadOnlyList<MemberClause> Members { get; init; } = [];

    public IReadOnlyList<Schema> Names { get; init; } = [];

    /// <summary>True when every value is allowed.</summary>
    public bool IsAnything => this == Anything || (Types == JsonTypes.All && Values is null && !HasStringRule && Numbers.Count == 0
        && !HasItemRule && !HasMemberRule);

    public bool HasStringRule => MinLength > 0 || MaxLength is not null || Strings.Count > 0;

    public bool HasItemRule => MinItems > 0 || MaxItems is not null || Items.Count > 0;

    public bool HasMemberRule => MinProperties > 0 || MaxProperties is not null || Required.Count > 0 || Members.Count > 0 || Names.Count > 0;

    /// <summary>What both ask for.</summary>
    public Facets And(Facets other) => new()
    {
        Types = Types & other.Types,
        Values = Values is null ? other.Values : other.Values is null ? Values
            : [.. Values.Where(value => other.Values.Any(same => JsonElement.DeepEquals(value, same)))],
        MinLength = Math.Max(MinLength, other.MinLength),
        MaxLength = Least(MaxLength, other.MaxLength),
        Strings = [.. Strings, .. other.Strings],
        Numbers = [.. Numbers, .. other.Numbers],
        MinItems = Math.Max(MinItems, other.MinItems),
        MaxItems = Least(MaxItems, other.MaxItems),
        Items = [.. Items, .. other.Items],
        MinProperties = Math.Max(MinProperties, other.MinProperties),
        MaxProperties = Least(MaxProperties, other.MaxProperties),
        Required = [.. Required.Union(other.Required, StringComparer.Ordinal)],
        Members = [.. Members, .. other.Members],
        Names = [.. Names, .. other.Names],
    };

    /// <summary>The schemas that the item at <paramref name="index"/> must meet.</summary>
    public IEnumerable<Schema> Item(int index)
    {
        foreach (ItemClause clause in Items)
        {
            if (index < clause.First.Count)
                yield return clause.First[index];
            else if (clause.Others is not null)
                yield return clause.Others;
        }
    }

    private static int? Least(int? a, int? b) => a is null ? b : b is null ? a : Math.Min(a.Value, b.Value);
}

/// <summary>What one schema says of items.</summary>
/// <param name="First">Schemas of the first items.</param>
/// <param name="Others">Schema of the items behind those, or null for any.</param>
internal sealed record ItemClause(IReadOnlyList<Schema> First, Schema? Others);

/// <summary>What one schema says of members.</summary>
/// <param name="Named">Schemas of members by name, in order.</param>
/// <param name="Patterns">Schemas of members whose names match, with automata of those names in quotes.</param>
/// <param name="Others">Schema of members that neither of them speaks of, or null for any.</param>
internal sealed record MemberClause(
    IReadOnlyList<(string Name, Schema Schema)> Named, IReadOnlyList<(ByteDfa Names, Schema Schema)> Patterns, Schema? Others)
{
    /// <summary>The schemas that a member of this name must meet.</summary>
    public IEnumerable<Schema> Of(string name)
    {
        byte[] quoted = System.Text.Encoding.UTF8.GetBytes(JsonSyntax.Machines.Quote(name));
        bool known = false;
        foreach (Schema schema in Named.Where(n => n.Name == name).Select(n => n.Schema)
            .Concat(Patterns.Where(p => p.Names.Matches(quoted)).Select(p => p.Schema)))
        {
            known = true;
            yield return schema;
        }

        if (!known && Others is not null)
            yield return Others;
    }
}

using System.Text;
using System.Text.Json;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>Automata of the strings and numbers that meet some facets.</summary>
internal static class ScalarMachines
{
    // With at most 15 digits a number keeps its place among others when a reader rounds it to a double.
    private static readonly ByteDfa s_bounded = JsonSyntax.Machines.Make(@"-?(0|[1-9]\d*)(\.\d+)?")
        .And(JsonSyntax.Machines.Make(@"-?(\.?\d){1,15}"), new CompileBudget());

    private static readonly ByteDfa s_integer = JsonSyntax.Machines.Make(@"-?(0|[1-9]\d{0,16})");

    private static readonly ByteDfa s_written = ByteDfa.Of(
        Expression.All(Expression.Literal("\""), Expression.Times(JsonSyntax.Machines.Written(CodePointSet.All), 0, null), Expression.Literal("\"")),
        new CompileBudget());

    /// <summary>Any string in quotes, in its usual form.</summary>
    public static ByteDfa AnyWritten => s_written;

    /// <summary>Numbers that meet the facets, or null for any.</summary>
    public static ByteDfa? Number(Facets facets, CompileBudget budget)
    {
        bool integer = (facets.Types & JsonTypes.Number) == JsonTypes.Integer;
        if (facets.Numbers.Count == 0)
            return integer ? s_integer : null;
        ByteDfa machine = integer ? s_integer : s_bounded;
        foreach (ByteDfa rule in facets.Numbers)
            machine = machine.And(rule, budget);
        return machine;
    }

    /// <summary>Strings, in quotes, that meet the facets.</summary>
    public static ByteDfa String(Facets facets, CompileBudget budget)
    {
        ByteDfa? machine = null;
        foreach (ByteDfa rule in facets.Strings)
            machine = machine?.And(rule, budget) ?? rule;
        if (machine is not null && facets.MinLength == 0 && facets.MaxLength is null)
            return machine;
        ByteDfa length = ByteDfa.Of(Length(facets), budget);
        return machine?.And(length, budget) ?? length;
    }

    /// <summary>Strings, in quotes, of a length that meets the facets.</summary>
    public static Expression Length(Facets facets) => facets.MaxLength < facets.MinLength ? Expression.Never : Expression.All(
        Expression.Literal("\""),
        Expression.Times(Expression.Of(JsonSyntax.Machines.Character), facets.MinLength, facets.MaxLength),
        Expression.Literal("\""));

    /// <summary>True when a scalar value meets the facets, apart from the list of values.</summary>
    public static bool Meets(JsonElement value, Facets facets, CompileBudget budget)
    {
        if ((facets.Types & TypeOf(value)) == 0)
            return false;
        switch (value.ValueKind)
        {
            case JsonValueKind.String when facets.HasStringRule:
                byte[] quoted = Encoding.UTF8.GetBytes(JsonSyntax.Machines.Quote(value.GetString()!));
                int length = value.GetString()!.EnumerateRunes().Count();
                budget.Work(quoted.Length);
                return length >= facets.MinLength && !(length > facets.MaxLength) && facets.Strings.All(rule => rule.Matches(quoted));
            case JsonValueKind.Number when facets.Numbers.Count > 0:
                string? digits = Decimals.Parse(value.GetRawText())?.ToString();
                return digits is not null && facets.Numbers.All(rule => rule.Matches(Encoding.UTF8.GetBytes(digits)));
            default:
                return true;
        }
    }

    /// <summary>The kind of a value.</summary>
    public static JsonTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => JsonTypes.Null,
        JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
        JsonValueKind.String => JsonTypes.String,
        JsonValueKind.Array => JsonTypes.Array,
        JsonValueKind.Object => JsonTypes.Object,
        _ => Decimals.Parse(value.GetRawText()) is { IsInteger: false } ? JsonTypes.Fraction : JsonTypes.Integer,
    };
}

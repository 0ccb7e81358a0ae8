using System.Text.Json;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>Proves that no value meets all of some facets, where it can.</summary>
internal sealed class Disjointness(FacetReader reader, CompileBudget budget)
{
    private const int MostDepth = 4;

    /// <summary>True when no value can meet them; false when one might.</summary>
    public bool IsEmpty(Facets facets) => IsEmpty(facets, 0);

    private bool IsEmpty(Facets facets, int depth)
    {
        budget.Work(64);
        if (facets.Types == JsonTypes.None)
            return true;
        if (facets.Values is { } values)
            return values.All(value => !MayMeet(value, facets));
        return (facets.Types & (JsonTypes.Null | JsonTypes.Boolean)) == 0
            && ((facets.Types & JsonTypes.Number) == 0 || ScalarMachines.Number(facets, budget) is { IsEmpty: true })
            && ((facets.Types & JsonTypes.String) == 0 || (facets.HasStringRule && ScalarMachines.String(facets, budget).IsEmpty))
            && ((facets.Types & JsonTypes.Array) == 0 || HasNoArray(facets, depth))
            && ((facets.Types & JsonTypes.Object) == 0 || HasNoObject(facets, depth));
    }

    private bool HasNoArray(Facets facets, int depth)
    {
        if (facets.MaxItems < facets.MinItems)
            return true;
        int first = facets.Items.Count == 0 ? 0 : facets.Items.Max(clause => clause.First.Count) + 1;
        return depth < MostDepth
            && Enumerable.Range(0, Math.Min(facets.MinItems, first)).Any(i => HasNone(facets.Item(i), depth));
    }

    private bool HasNoObject(Facets facets, int depth)
    {
        if (facets.MaxProperties < Math.Max(facets.MinProperties, facets.Required.Count))
            return true;
        return depth < MostDepth
            && facets.Required.Any(name => HasNone(facets.Members.SelectMany(clause => clause.Of(name)), depth));
    }

    private bool HasNone(IEnumerable<Schema> schemas, int depth) => reader.Read(schemas).All(facets => IsEmpty(facets, depth + 1));

    private bool MayMeet(JsonElement value, Facets facets) =>
        value.ValueKind is JsonValueKind.Array or JsonValueKind.Object
            ? (facets.Types & ScalarMachines.TypeOf(value)) != 0
            : ScalarMachines.Meets(value, facets, budget);
}

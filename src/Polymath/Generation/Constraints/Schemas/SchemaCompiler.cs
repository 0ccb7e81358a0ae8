using System.Text.Json;
using static Polymath.Generation.Constraints.Expression;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>
/// Turns a schema into a grammar. For every set of schemas that one value must meet there is one rule, so that recursion in
/// the schema is recursion in the grammar.
/// </summary>
internal sealed partial class SchemaCompiler
{
    private readonly CompileBudget _budget = new();
    private readonly JsonSyntax _syntax;
    private readonly FacetReader _reader;
    private readonly Dictionary<string, Rule> _rules = new(StringComparer.Ordinal);
    private readonly Queue<(Rule Rule, IReadOnlyList<Schema> Schemas)> _open = new();

    private SchemaCompiler(SchemaDocument document, JsonSchemaOptions options)
    {
        _syntax = JsonSyntax.For(options.Whitespace);
        _reader = new FacetReader(document, options, _budget);
    }

    /// <summary>Compiles a schema's text.</summary>
    /// <exception cref="ConstraintException">See <see cref="Grammar.JsonSchema(string, JsonSchemaOptions?)"/>.</exception>
    public static Grammar Compile(string text, JsonSchemaOptions options)
    {
        ArgumentNullException.ThrowIfNull(text);
        SchemaDocument document = SchemaDocument.Parse(text);
        var compiler = new SchemaCompiler(document, options);
        Expression root = compiler.Value([document.Root]);
        while (compiler._open.TryDequeue(out (Rule Rule, IReadOnlyList<Schema> Schemas) next))
            next.Rule.Body = compiler.Body(next.Schemas);
        return new Grammar(root, compiler._budget);
    }

    /// <summary>A value that meets all of some schemas.</summary>
    private Expression Value(IEnumerable<Schema> schemas)
    {
        Schema[] all = [.. schemas.DistinctBy(schema => schema.Id).OrderBy(schema => schema.Id)];
        if (all.All(schema => schema.Constant == true))
            return _syntax.Value;
        if (all.Any(schema => schema.Constant == false))
            return Never;
        string key = string.Join(' ', all.Select(schema => schema.Id));
        if (_rules.TryGetValue(key, out Rule? rule))
            return new Reference(rule);
        _budget.Charge(1);
        if (_rules.Count >= CompileBudget.Rules)
            throw new ConstraintException($"the schema makes more than {CompileBudget.Rules} rules");
        rule = new Rule(all[0].Pointer);
        _rules.Add(key, rule);
        _open.Enqueue((rule, all));
        return new Reference(rule);
    }

    private Expression Body(IReadOnlyList<Schema> schemas)
    {
        List<Facets> alternatives = _reader.Read(schemas);
        if (alternatives.Any(facets => facets.IsAnything))
            return _syntax.Value;
        return Any([.. alternatives.Select(facets => OfFacets(facets, schemas[0]))]);
    }

    private Expression OfFacets(Facets facets, Schema place)
    {
        if (facets.Values is not null)
            return OfValues(facets, place);
        var ways = new List<Expression>();
        if (facets.Types.HasFlag(JsonTypes.Null))
            ways.Add(Literal("null"));
        if (facets.Types.HasFlag(JsonTypes.Boolean))
            ways.AddRange([Literal("true"), Literal("false")]);
        if ((facets.Types & JsonTypes.Number) != 0)
            ways.Add(ScalarMachines.Number(facets, _budget) is { } numbers ? OwnRule("number", Of(numbers)) : JsonSyntax.Number);
        if (facets.Types.HasFlag(JsonTypes.String))
            ways.Add(OfString(facets));
        if (facets.Types.HasFlag(JsonTypes.Array))
            ways.Add(OfArray(facets));
        if (facets.Types.HasFlag(JsonTypes.Object))
            ways.Add(OfObject(facets, place));
        return Any([.. ways]);
    }

    private Expression OfString(Facets facets)
    {
        if (!facets.HasStringRule)
            return JsonSyntax.String;
        return OwnRule("string", facets.Strings.Count == 0 ? ScalarMachines.Length(facets) : Of(ScalarMachines.String(facets, _budget)));
    }

    /// <summary>The values of an enum that meet the rest.</summary>
    private Expression OfValues(Facets facets, Schema place)
    {
        var ways = new List<Expression>();
        foreach (JsonElement value in facets.Values!)
        {
            _budget.Charge(1);
            if (!ScalarMachines.Meets(value, facets, _budget))
                continue;
            bool unchecked_ = (value.ValueKind == JsonValueKind.Array && facets.HasItemRule)
                || (value.ValueKind == JsonValueKind.Object && facets.HasMemberRule);
            if (unchecked_)
                throw place.Refused("enum", "its arrays and objects are not compared with other keywords");
            ways.Add(OfValue(value));
        }

        return Any([.. ways]);
    }

    private Expression OfValue(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                return OfList("[", value.EnumerateArray().Select(OfValue), "]");
            case JsonValueKind.Object:
                return OfList("{", value.EnumerateObject().Select(m => All(Key(m.Name), OfValue(m.Value))), "}");
            case JsonValueKind.String:
                return Literal(JsonSyntax.Machines.Quote(value.GetString()!));
            default:
                return Literal(value.GetRawText());
        }
    }

    private Expression OfList(string open, IEnumerable<Expression> items, string close)
    {
        var parts = new List<Expression>();
        foreach (Expression item in items)
        {
            if (parts.Count > 0)
                parts.Add(_syntax.Separator);
            parts.Add(item);
        }

        return parts.Count == 0 ? Literal(open + close)
            : All(Literal(open), _syntax.Inside, All([.. parts]), _syntax.Inside, Literal(close));
    }

    private Expression OfArray(Facets facets)
    {
        int least = facets.MinItems;
        int? most = facets.MaxItems;
        if (most < least)
            return Never;
        int first = facets.Items.Count == 0 ? 0 : facets.Items.Max(clause => clause.First.Count);
        first = Math.Min(first, most ?? first);
        Expression other = Value(facets.Item(int.MaxValue));
        int? others = most - first;
        Expression tail = Empty;
        if (others != 0)
        {
            int fewest = Math.Max(0, least - first);
            tail = first > 0
                ? Times(All(_syntax.Separator, other), fewest, others)
                : All(other, Times(All(_syntax.Separator, other), Math.Max(0, fewest - 1), others - 1));
            if (first == 0 && other == Never)
                tail = Empty;
        }

        for (int i = first - 1; i >= 0; i--)
        {
            if (i + 1 >= least && i + 1 < first)
                tail = Maybe(tail);
            else if (i + 1 >= least && tail == Never)
                tail = Empty;
            tail = All(i > 0 ? _syntax.Separator : Empty, Value(facets.Item(i)), tail);
        }

        Expression full = tail == Empty ? Never : All(Literal("["), _syntax.Inside, tail, _syntax.Inside, Literal("]"));
        return least > 0 ? full : Any(full, Literal("[]"));
    }

    private Expression Key(string name) => All(Literal(JsonSyntax.Machines.Quote(name) + ":"), _syntax.AfterColon);

    /// <summary>A rule of its own, so that its masks are shared between the places at which it stands.</summary>
    private static Expression OwnRule(string name, Expression body) => body == Never ? Never : new Reference(new Rule(name) { Body = body });
}

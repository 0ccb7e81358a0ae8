using System.Text.Json;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>Reads schemas into <see cref="Facets"/>: a list of alternatives, of which a value must meet one.</summary>
internal sealed class FacetReader(SchemaDocument document, JsonSchemaOptions options, CompileBudget budget)
{
    private const int MostAlternatives = 1024;
    private const int MostInPlace = 64;

    private readonly Dictionary<Schema, List<Facets>> _read = [];
    private readonly Dictionary<string, ByteDfa> _patterns = new(StringComparer.Ordinal);

    /// <summary>The alternatives of a value that must meet several schemas.</summary>
    public List<Facets> Read(IEnumerable<Schema> schemas)
    {
        List<Facets> all = [Facets.Anything];
        foreach (Schema schema in schemas)
            all = Cross(all, Read(schema, 0), schema);
        return all;
    }

    private List<Facets> Read(Schema schema, int depth)
    {
        if (_read.TryGetValue(schema, out List<Facets>? known))
            return known;
        if (depth > MostInPlace)
            throw schema.Wrong(schema.TryGet("$ref", out _) ? "$ref" : "allOf", "it comes to itself without going into the value");
        if (schema.Constant is { } constant)
            return constant ? [Facets.Anything] : [];
        List<Facets> all = [Own(schema)];
        if (schema.TryGet("$ref", out _))
            all = Cross(all, Read(document.Resolve(schema), depth + 1), schema);
        foreach (Schema part in document.List(schema, "allOf"))
            all = Cross(all, Read(part, depth + 1), schema);
        if (schema.TryGet("anyOf", out _))
            all = Cross(all, [.. document.List(schema, "anyOf").SelectMany(part => Read(part, depth + 1))], schema);
        if (schema.TryGet("oneOf", out _))
            all = Cross(all, ReadOneOf(schema, all, depth), schema);
        if (schema.TryGet("nullable", out JsonElement nullable) && nullable.ValueKind == JsonValueKind.True)
            all = [.. all, new Facets { Types = JsonTypes.Null }];
        return _read[schema] = all;
    }

    /// <summary>Alternatives of which only one may be met: honoured where no value can meet two of them.</summary>
    private List<Facets> ReadOneOf(Schema schema, List<Facets> around, int depth)
    {
        List<List<Facets>> each = [.. document.List(schema, "oneOf").Select(part => Cross(around, Read(part, depth + 1), schema))];
        var apart = new Disjointness(this, budget);
        for (int i = 0; i < each.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (each[i].Any(a => each[j].Any(b => !apart.IsEmpty(a.And(b)))))
                    throw schema.Refused("oneOf", $"a value might meet both alternative {j} and {i}; anyOf allows that");
            }
        }

        return [.. each.SelectMany(alternatives => alternatives)];
    }

    private List<Facets> Cross(List<Facets> all, List<Facets> more, Schema schema)
    {
        if ((long)all.Count * more.Count > MostAlternatives)
            throw schema.Refused("anyOf", $"combined with its surroundings it makes more than {MostAlternatives} alternatives");
        var result = new List<Facets>(all.Count * more.Count);
        foreach (Facets a in all)
        {
            foreach (Facets b in more)
            {
                budget.Work(16);
                Facets both = a.And(b);
                if (both.Types != JsonTypes.None)
                    result.Add(both);
            }
        }

        return result;
    }

    /// <summary>What a schema says itself.</summary>
    private Facets Own(Schema schema) => new()
    {
        Types = ReadTypes(schema),
        Values = ReadValues(schema),
        MinLength = schema.Count("minLength") ?? 0,
        MaxLength = schema.Count("maxLength"),
        Strings = ReadStrings(schema),
        Numbers = ReadNumbers(schema),
        MinItems = schema.Count("minItems") ?? 0,
        MaxItems = ReadMaxItems(schema),
        Items = ReadItems(schema),
        MinProperties = schema.Count("minProperties") ?? 0,
        MaxProperties = schema.Count("maxProperties"),
        Required = ReadRequired(schema),
        Members = ReadMembers(schema),
        Names = schema.TryGet("propertyNames", out JsonElement names) ? [document.Below(schema, "propertyNames", names)] : [],
    };

    private static JsonTypes ReadTypes(Schema schema)
    {
        if (!schema.TryGet("type", out JsonElement type))
            return JsonTypes.All;
        if (type.ValueKind != JsonValueKind.Array)
            return ReadType(schema, type);
        JsonTypes types = JsonTypes.None;
        foreach (JsonElement one in type.EnumerateArray())
            types |= ReadType(schema, one);
        return types;
    }

    private static JsonTypes ReadType(Schema schema, JsonElement type) => (type.ValueKind == JsonValueKind.String ? type.GetString() : null) switch
    {
        "null" => JsonTypes.Null,
        "boolean" => JsonTypes.Boolean,
        "integer" => JsonTypes.Integer,
        "number" => JsonTypes.Number,
        "string" => JsonTypes.String,
        "array" => JsonTypes.Array,
        "object" => JsonTypes.Object,
        _ => throw schema.Wrong("type", "no such type is known"),
    };

    private static List<JsonElement>? ReadValues(Schema schema)
    {
        List<JsonElement>? values = null;
        if (schema.TryGet("enum", out JsonElement list))
            values = list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : throw schema.Wrong("enum", "it is not a list");
        if (!schema.TryGet("const", out JsonElement value))
            return values;
        return values is null || values.Any(one => JsonElement.DeepEquals(one, value)) ? [value] : [];
    }

    private List<ByteDfa> ReadStrings(Schema schema)
    {
        var strings = new List<ByteDfa>();
        if (schema.Text("pattern") is { } pattern)
            strings.Add(OfPattern(schema, "pattern", pattern));
        if (schema.Text("format") is not { } format)
            return strings;
        string whole = StringFormats.Pattern(format) ?? throw schema.Refused("format", $"{format} is not known");
        if (!_patterns.TryGetValue("format " + format, out ByteDfa? machine))
            _patterns.Add("format " + format, machine = Quoted(Pattern.Parse(whole, budget).Whole(JsonSyntax.Machines.Written)));
        strings.Add(machine);
        return strings;
    }

    private ByteDfa OfPattern(Schema schema, string keyword, string pattern)
    {
        if (_patterns.TryGetValue("pattern " + pattern, out ByteDfa? machine))
            return machine;
        try
        {
            machine = Quoted(Pattern.Parse(pattern, budget).Anywhere(JsonSyntax.Machines.Written));
        }
        catch (ConstraintException wrong)
        {
            throw new ConstraintException($"{keyword} at {schema.At(keyword)}: {wrong.Message}", wrong) { Keyword = keyword, Place = schema.At(keyword) };
        }

        _patterns.Add("pattern " + pattern, machine);
        return machine;
    }

    private ByteDfa Quoted(Expression content) =>
        ByteDfa.Of(Expression.All(Expression.Literal("\""), content, Expression.Literal("\"")), budget);

    private List<ByteDfa> ReadNumbers(Schema schema)
    {
        var numbers = new List<ByteDfa>();
        Bound("minimum", "exclusiveMinimum", (bound, strict) => bound.AtLeast(strict, budget));
        Bound("maximum", "exclusiveMaximum", (bound, strict) => bound.AtMost(strict, budget));
        if (schema.TryGet("multipleOf", out JsonElement step))
        {
            numbers.Add(ReadNumber(schema, "multipleOf", step).Multiples(budget)
                ?? throw schema.Refused("multipleOf", "it is not above 0, or has too many digits"));
        }

        return numbers;

        void Bound(string keyword, string exclusive, Func<Decimals, bool, ByteDfa> make)
        {
            bool hasOther = schema.TryGet(exclusive, out JsonElement other);
            bool isFlag = other.ValueKind is JsonValueKind.True or JsonValueKind.False;   // as draft 4 has it
            if (schema.TryGet(keyword, out JsonElement bound))
                numbers.Add(make(ReadNumber(schema, keyword, bound), isFlag && other.GetBoolean()));
            if (hasOther && !isFlag)
                numbers.Add(make(ReadNumber(schema, exclusive, other), true));
        }
    }

    private static Decimals ReadNumber(Schema schema, string keyword, JsonElement value) =>
        value.ValueKind != JsonValueKind.Number ? throw schema.Wrong(keyword, "it is not a number")
        : Decimals.Parse(value.GetRawText()) ?? throw schema.Refused(keyword, "it has too many digits");

    private static int? ReadMaxItems(Schema schema)
    {
        int? most = schema.Count("maxItems");
        if (schema.TryGet("uniqueItems", out JsonElement unique) && unique.ValueKind == JsonValueKind.True && most is null or > 1)
            throw schema.Refused("uniqueItems", "no grammar can tell items apart");
        return most;
    }

    private List<ItemClause> ReadItems(Schema schema)
    {
        bool hasItems = schema.TryGet("items", out JsonElement items);
        if (hasItems && items.ValueKind == JsonValueKind.Array)   // as it was before prefixItems
        {
            Schema? others = schema.TryGet("additionalItems", out JsonElement rest) ? document.Below(schema, "additionalItems", rest) : null;
            List<Schema> first = items.GetArrayLength() == 0 ? [] : document.List(schema, "items");
            return [new ItemClause(first, others)];
        }

        List<Schema> prefix = document.List(schema, "prefixItems");
        Schema? all = hasItems ? document.Below(schema, "items", items) : null;
        return prefix.Count == 0 && all is null ? [] : [new ItemClause(prefix, all)];
    }

    private static List<string> ReadRequired(Schema schema)
    {
        if (!schema.TryGet("required", out JsonElement list))
            return [];
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(name => name.ValueKind != JsonValueKind.String))
            throw schema.Wrong("required", "it is not a list of names");
        return [.. list.EnumerateArray().Select(name => name.GetString()!).Distinct(StringComparer.Ordinal)];
    }

    private List<MemberClause> ReadMembers(Schema schema)
    {
        List<(string Name, Schema Schema)> named = document.Map(schema, "properties");
        List<(ByteDfa Names, Schema Schema)> patterns =
            [.. document.Map(schema, "patternProperties").Select(p => (OfPattern(schema, "patternProperties", p.Name), p.Schema))];
        Schema? others = null;
        if (schema.TryGet("additionalProperties", out JsonElement additional))
            others = document.Below(schema, "additionalProperties", additional);
        else if (options.ClosedObjects && schema.TryGet("properties", out _))
            others = document.Nothing;
        return named.Count == 0 && patterns.Count == 0 && others is null ? [] : [new MemberClause(named, patterns, others)];
    }
}

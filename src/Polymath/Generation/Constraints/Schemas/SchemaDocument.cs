using System.Text.Json;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>A schema document: its schemas by their places, and what their references mean.</summary>
internal sealed class SchemaDocument
{
    private static readonly JsonElement s_false = JsonElement.Parse("false");

    private readonly Dictionary<string, Schema> _schemas = new(StringComparer.Ordinal);
    private readonly JsonElement _root;

    private SchemaDocument(JsonElement root) => _root = root;

    /// <summary>The whole.</summary>
    public Schema Root => At("", _root);

    /// <summary>The schema that no value meets.</summary>
    public Schema Nothing => At("false", s_false);

    /// <summary>Reads a document.</summary>
    /// <exception cref="ConstraintException">Not JSON, too large or too deep.</exception>
    public static SchemaDocument Parse(string text)
    {
        CompileBudget.CheckSource(text.Length, "schema");
        try
        {
            using var document = JsonDocument.Parse(
                text, new JsonDocumentOptions { MaxDepth = CompileBudget.Depth, AllowDuplicateProperties = false });
            return new SchemaDocument(document.RootElement.Clone());
        }
        catch (JsonException wrong)
        {
            throw new ConstraintException($"the schema is not JSON: {wrong.Message}", wrong);
        }
    }

    /// <summary>The schema that is the value of a keyword, or below it at <paramref name="step"/>.</summary>
    public Schema Below(Schema schema, string keyword, JsonElement element, string? step = null) =>
        At(step is null ? schema.At(keyword) : new Schema(0, schema.At(keyword), element).At(step), element);

    /// <summary>The schemas of a keyword that lists them.</summary>
    public List<Schema> List(Schema schema, string keyword)
    {
        if (!schema.TryGet(keyword, out JsonElement value))
            return [];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw schema.Wrong(keyword, "it is not a list of schemas");
        return [.. value.EnumerateArray().Select((item, i) => Below(schema, keyword, item, $"{i}"))];
    }

    /// <summary>The schemas of a keyword that names them, in order.</summary>
    public List<(string Name, Schema Schema)> Map(Schema schema, string keyword)
    {
        if (!schema.TryGet(keyword, out JsonElement value))
            return [];
        if (value.ValueKind != JsonValueKind.Object)
            throw schema.Wrong(keyword, "it is not an object of schemas");
        return [.. value.EnumerateObject().Select(member => (member.Name, Below(schema, keyword, member.Value, member.Name)))];
    }

    /// <summary>The schema that a $ref means.</summary>
    /// <exception cref="ConstraintException">It lies elsewhere, or there is none.</exception>
    public Schema Resolve(Schema schema)
    {
        string reference = schema.Text("$ref")!;
        if (reference != "#" && !reference.StartsWith("#/", StringComparison.Ordinal))
            throw schema.Refused("$ref", "only places in the same document are, such as #/$defs/name");
        JsonElement at = _root;
        string pointer = Uri.UnescapeDataString(reference[1..]);
        foreach (string step in pointer.Split('/').Skip(1))
        {
            string name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(name, out JsonElement member))
                at = member;
            else if (at.ValueKind == JsonValueKind.Array && int.TryParse(name, out int index) && index >= 0 && index < at.GetArrayLength())
                at = at[index];
            else
                throw schema.Wrong("$ref", $"there is no {reference}");
        }

        return At(pointer, at);
    }

    private Schema At(string pointer, JsonElement element)
    {
        if (_schemas.TryGetValue(pointer, out Schema? schema))
            return schema;
        schema = new Schema(_schemas.Count, pointer, element);
        if (element.ValueKind == JsonValueKind.Object)
            SchemaKeywords.Check(schema, isRoot: pointer.Length == 0);
        else if (schema.Constant is null)
            throw new ConstraintException($"the schema at {schema.Pointer} is neither an object nor true or false") { Place = schema.Pointer };
        _schemas.Add(pointer, schema);
        return schema;
    }
}

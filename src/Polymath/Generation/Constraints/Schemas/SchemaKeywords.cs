namespace Polymath.Generation.Constraints.Schemas;

/// <summary>What is done about each keyword of JSON Schema. The table of docs/constraints.md is held to it by a test.</summary>
internal static class SchemaKeywords
{
    /// <summary>Keywords that are honoured.</summary>
    public static IReadOnlyList<string> Honoured { get; } =
    [
        "type", "enum", "const", "nullable", "$ref", "allOf", "anyOf", "oneOf",
        "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties",
        "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems",
        "minLength", "maxLength", "pattern", "format",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    ];

    /// <summary>Keywords that say nothing about what is valid.</summary>
    public static IReadOnlyList<string> Ignored { get; } =
    [
        "$schema", "$id", "id", "$comment", "$defs", "definitions", "$vocabulary", "title", "description", "default", "examples", "example",
        "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema",
    ];

    /// <summary>Keywords that are known and refused.</summary>
    public static IReadOnlyDictionary<string, string> Refused { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["not"] = "no grammar can leave out what another one matches",
        ["if"] = "write it as anyOf",
        ["then"] = "write it as anyOf",
        ["else"] = "write it as anyOf",
        ["dependentRequired"] = "write it as anyOf",
        ["dependentSchemas"] = "write it as anyOf",
        ["dependencies"] = "write it as anyOf",
        ["contains"] = "items are not counted by kind",
        ["minContains"] = "items are not counted by kind",
        ["maxContains"] = "items are not counted by kind",
        ["unevaluatedProperties"] = "write it as additionalProperties",
        ["unevaluatedItems"] = "write it as items",
        ["$anchor"] = "refer by a JSON pointer",
        ["$dynamicRef"] = "refer by $ref",
        ["$dynamicAnchor"] = "refer by a JSON pointer",
        ["$recursiveRef"] = "refer by $ref",
        ["$recursiveAnchor"] = "refer by a JSON pointer",
    };

    private static readonly HashSet<string> s_known = new([.. Honoured, .. Ignored], StringComparer.Ordinal);

    /// <summary>Refuses a schema with a keyword that would not be honoured.</summary>
    public static void Check(Schema schema, bool isRoot)
    {
        foreach (string keyword in schema.Element.EnumerateObject().Select(member => member.Name))
        {
            if (Refused.TryGetValue(keyword, out string? why))
                throw schema.Refused(keyword, why);
            if (keyword is "$id" or "id" && !isRoot)
                throw schema.Refused(keyword, "it would change what references mean");
            if (!s_known.Contains(keyword) && !keyword.StartsWith("x-", StringComparison.Ordinal))
                throw schema.Refused(keyword, "no such keyword is known");
        }
    }
}

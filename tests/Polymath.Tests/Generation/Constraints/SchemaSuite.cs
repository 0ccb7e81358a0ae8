using System.Text.Json;
using Json.Schema;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>The schemas of schemas.jsonl, alone and inside others, and instances to hold against them.</summary>
internal static class SchemaSuite
{
    private static readonly EvaluationOptions s_options = new() { RequireFormatValidation = true };

    /// <summary>Instances as an answer without whitespace would have them; members in alphabetical order, which is the order of the schemas.</summary>
    public static string[] Instances { get; } =
    [
        "null", "true", "false", "0", "1", "-1", "2", "3", "4", "5", "6", "7", "9", "10", "12", "14", "15", "21", "24", "42", "255", "256", "1000", "98765", "98766",
        "-5", "-6", "-1234", "0.5", "0.25", "0.125", "0.13", "0.2", "-0.5", "-0.25", "-1.5", "-1.6", "2.75", "2.76", "1.5", "7.5", "2.5", "0.01", "15.1", "999.5", "1000.5",
        "\"\"", "\"a\"", "\"b\"", "\"ab\"", "\"abc\"", "\"abcd\"", "\"abcde\"", "\"abcdef\"", "\"ba\"", "\"z\"", "\"xyz\"", "\"é\"", "\"世界\"", "\"😀😀😀\"", "\"x\"", "\"red\"", "\"yellow\"",
        "\"a\\\"b\"", "\"c\\\\d\"", "\"e\\nf\"", "\"é世\"", "\"fixed\"", "\"foo\"", "\"foo, bar\"", "\"foo,bar\"", "\"123\"", "\"1234\"", "\"AB-1234\"", "\"ABCD-1234\"", "\"me@there.com\"",
        "\"Éa\"", "\"Zürich\"", "\"bcdde\"", "\"dde\"", "\"de\"", "\"\\\"q\\\"\"", "\"a b\"", "\"a long text of more than twenty\"",
        "\"2024-02-29\"", "\"2023-02-29\"", "\"2023-12-31\"", "\"1999-04-31\"", "\"2024-1-1\"", "\"12:30:00Z\"", "\"25:00:00Z\"", "\"12:30:00\"", "\"12:30:00.5+01:00\"",
        "\"2024-02-29T12:30:00Z\"", "\"2024-02-29 12:30:00Z\"", "\"P1Y2M\"", "\"P3W\"", "\"PT1H\"", "\"P\"", "\"P1H\"", "\"1Y\"", "\"a@b.co\"", "\"a@\"", "\"@b.co\"",
        "\"example.org\"", "\"-x.org\"", "\"127.0.0.1\"", "\"256.0.0.1\"", "\"::1\"", "\"1::2::3\"", "\"fe80::1:2\"", "\"1:2:3:4:5:6:7:8\"", "\"12345::\"",
        "\"123e4567-e89b-12d3-a456-426614174000\"", "\"123e4567e89b12d3a456426614174000\"", "\"https://a.org/x?y=1#z\"", "\"not a uri\"",
        "[]", "[1]", "[0]", "[1,2]", "[1,2,1]", "[1,2,3]", "[1,2,3,4]", "[9,10]", "[true]", "[true,false]", "[true,false,true,true]", "[\"a\"]", "[\"abc\"]", "[1,\"a\"]", "[1,\"a\",null]",
        "[1,\"a\",null,null,null]", "[\"a\",1]", "[[1],[2,3]]", "[[1,2,3]]", "[[1,2],3]", "[null]", "[{}]", "[[]]",
        "{}", "{\"a\":1}", "{\"a\":3}", "{\"a\":6}", "{\"a\":\"x\"}", "{\"a\":1,\"b\":\"x\"}", "{\"a\":1,\"b\":2}", "{\"b\":\"x\"}", "{\"b\":2}", "{\"b\":2,\"c\":3}", "{\"a\":1,\"b\":\"x\",\"c\":null}",
        "{\"b\":\"x\",\"c\":null}", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"z\":true}", "{\"a\":1,\"z\":\"q\"}", "{\"z\":1}", "{\"y\":1,\"z\":2}", "{\"x\":1}", "{\"x\":\"1\"}", "{\"xy\":4}", "{\"xy\":9}",
        "{\"y\":3}", "{\"y\":null}", "{\"xa\":2}", "{\"xa\":3}", "{\"abc\":1}", "{\"c\":1}", "{\"d\":1}", "{\"a\\\"b\":1}", "{\"a\\\"b\":1,\"é/~\":null}", "{\"a\":{}}", "{\"a\":[1,\"b\"]}",
        "{\"a\":1,\"b\":{\"a\":2,\"b\":{}}}", "{\"a\":1,\"b\":{\"a\":2,\"b\":3}}", "{\"a\":1,\"c\":[{\"a\":2},{\"a\":3,\"c\":[]}]}", "{\"a\":1,\"c\":[{}]}",
        "{\"kind\":\"a\",\"x\":1}", "{\"kind\":\"b\",\"y\":\"q\"}", "{\"kind\":\"b\",\"x\":\"q\"}", "{\"kind\":\"a\",\"x\":\"q\"}", "{\"kind\":\"c\"}",
        "{\"name\":\"n\",\"tags\":[\"x\"],\"size\":{\"w\":1.5,\"h\":2}}", "{\"name\":\"\",\"tags\":[]}", "{\"name\":\"n\",\"size\":{\"w\":1}}",
    ];

    /// <summary>The schemas as they are written.</summary>
    public static string[] Own { get; } =
        [.. File.ReadLines(Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Tests", "Generation", "Constraints", "schemas.jsonl")).Where(l => l.Length > 0)];

    /// <summary>Each also as items, as a member, beside another one, and behind a reference.</summary>
    public static IEnumerable<string> All
    {
        get
        {
            foreach (string schema in Own)
            {
                yield return schema;
                if (schema.Contains("\"#", StringComparison.Ordinal))
                    continue;   // its references would mean something else inside
                yield return $$"""{"type":"array","items":{{schema}},"minItems":1,"maxItems":2}""";
                yield return $$"""{"type":"object","properties":{"a":{{schema}},"b":{"$ref":"#/$defs/s"}},"required":["b"],"additionalProperties":false,"$defs":{"s":{{schema}}}}""";
                yield return $$"""{"anyOf":[{"type":"object","properties":{"v":{{schema}}},"required":["v"],"additionalProperties":false},{"const":"nothing"}]}""";
            }
        }
    }

    public static JsonSchema Validator(string schema) => JsonSchema.FromText(schema);

    public static bool Validates(JsonSchema validator, string instance)
    {
        using JsonDocument document = JsonDocument.Parse(instance, new JsonDocumentOptions { MaxDepth = 600 });
        return validator.Evaluate(document.RootElement, s_options).IsValid;
    }
}

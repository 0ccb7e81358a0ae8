using System.Text;
using System.Text.Json;

namespace Polymath.Chat.Parsing;

/// <summary>The kinds of JSON values that a schema lets an argument have.</summary>
[Flags]
internal enum ValueKinds
{
    None = 0, Text = 1, Number = 2, Boolean = 4, Null = 8, Object = 16, Array = 32, Any = 63,
}

/// <summary>What a tool's schema says of one argument.</summary>
internal static class ArgumentKinds
{
    private const int DeepestSchema = 8;

    /// <summary>The kinds an argument may have; all when the schema does not say.</summary>
    /// <param name="tool">The tool; null when it is not known.</param>
    /// <param name="key">The argument, no longer than <see cref="ArgumentsReader.LongestKey"/>.</param>
    public static ValueKinds Of(ToolDefinition? tool, ReadOnlySpan<char> key)
    {
        Span<byte> utf8 = stackalloc byte[3 * (ArgumentsReader.LongestKey + 1)];
        utf8 = utf8[..Encoding.UTF8.GetBytes(key, utf8)]; // half a surrogate pair becomes U+FFFD and is no key of a schema
        if (tool is null || !tool.Parameters.TryGetProperty("properties", out JsonElement properties)
            || properties.ValueKind != JsonValueKind.Object || !properties.TryGetProperty(utf8, out JsonElement schema))
        {
            return ValueKinds.Any;
        }

        ValueKinds kinds = Of(schema, DeepestSchema);
        return kinds == ValueKinds.None ? ValueKinds.Any : kinds;
    }

    /// <summary>The kind of a JSON text.</summary>
    public static ValueKinds Of(ReadOnlySpan<char> json) => json[0] switch
    {
        '"' => ValueKinds.Text,
        '{' => ValueKinds.Object,
        '[' => ValueKinds.Array,
        'n' => ValueKinds.Null,
        't' or 'f' => ValueKinds.Boolean,
        _ => ValueKinds.Number,
    };

    private static ValueKinds Of(JsonElement schema, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth == 0)
            return ValueKinds.Any;
        if (schema.TryGetProperty("type", out JsonElement type))
            return type.ValueKind == JsonValueKind.Array ? Union(type, Named) : Named(type);
        if (schema.TryGetProperty("enum", out JsonElement values) && values.ValueKind == JsonValueKind.Array)
            return Union(values, Kind);
        if (schema.TryGetProperty("const", out JsonElement only))
            return Kind(only);
        foreach (string word in (ReadOnlySpan<string>)["anyOf", "oneOf"])
        {
            if (schema.TryGetProperty(word, out JsonElement choices) && choices.ValueKind == JsonValueKind.Array)
                return Union(choices, choice => Of(choice, depth - 1));
        }

        return ValueKinds.Any;
    }

    private static ValueKinds Union(JsonElement array, Func<JsonElement, ValueKinds> of) =>
        array.EnumerateArray().Aggregate(ValueKinds.None, (kinds, element) => kinds | of(element));

    private static ValueKinds Named(JsonElement type) => type.ValueKind != JsonValueKind.String ? ValueKinds.Any : type.GetString() switch
    {
        "string" => ValueKinds.Text,
        "number" or "integer" => ValueKinds.Number,
        "boolean" => ValueKinds.Boolean,
        "null" => ValueKinds.Null,
        "object" => ValueKinds.Object,
        "array" => ValueKinds.Array,
        _ => ValueKinds.Any,
    };

    private static ValueKinds Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => ValueKinds.Text,
        JsonValueKind.Number => ValueKinds.Number,
        JsonValueKind.True or JsonValueKind.False => ValueKinds.Boolean,
        JsonValueKind.Null => ValueKinds.Null,
        JsonValueKind.Object => ValueKinds.Object,
        _ => ValueKinds.Array,
    };
}

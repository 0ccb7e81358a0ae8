using System.Text.Json;

namespace Polymath.Text.Templates;

/// <summary>Values from JSON.</summary>
internal static class JsonValues
{
    /// <summary>Most values inside each other.</summary>
    public const int Deepest = 64;

    public static TemplateValue Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = Deepest });
            return Read(document.RootElement, 0);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // Halves of surrogate pairs are reported by ArgumentException.
            throw new TemplateException($"no valid JSON: {e.Message}", e);
        }
    }

    public static TemplateValue Read(JsonElement element, int depth)
    {
        if (depth > Deepest)
            throw new TemplateException($"JSON values are more than {Deepest} deep");
        switch (element.ValueKind)
        {
            case JsonValueKind.Undefined:
                return TemplateValue.Undefined;
            case JsonValueKind.Object:
                var map = new MapValue();
                foreach (JsonProperty property in element.EnumerateObject())
                    map.Entries[Text(() => property.Name)] = Read(property.Value, depth + 1);
                return map;
            case JsonValueKind.Array:
                var list = new List<TemplateValue>(element.GetArrayLength());
                foreach (JsonElement item in element.EnumerateArray())
                    list.Add(Read(item, depth + 1));
                return new ListValue(list);
            case JsonValueKind.String:
                return Text(() => element.GetString()!);
            case JsonValueKind.Number:
                return Number(element);
            case JsonValueKind.True:
                return TemplateValue.True;
            case JsonValueKind.False:
                return TemplateValue.False;
            default:
                return TemplateValue.Null;
        }
    }

    /// <summary>A number without a fraction is whole, however it is written; the reference keeps no trace of "1.0" either.</summary>
    private static TemplateValue Number(JsonElement element)
    {
        if (element.TryGetInt64(out long whole))
            return whole;
        double number = element.GetDouble();
        return Math.Floor(number) == number && Math.Abs(number) < 1L << 53 ? TemplateValue.FromInt64((long)number) : TemplateValue.FromDouble(number);
    }

    private static string Text(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new TemplateException("JSON text that is no valid Unicode", e);
        }
    }
}

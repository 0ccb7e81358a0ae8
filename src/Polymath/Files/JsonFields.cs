using System.Text.Json;

namespace Polymath.Files;

/// <summary>The fields of a JSON object in a model's config.json; every value is checked when it is taken.</summary>
internal sealed class JsonFields(string path, JsonElement element, string prefix = "")
{
    public bool Has(string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>True when the field is there and says null.</summary>
    public bool IsNull(string name) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>An object, or null where the field is missing or null.</summary>
    public JsonFields? Child(string name)
    {
        if (!Has(name))
            return null;
        JsonElement value = element.GetProperty(name);
        return value.ValueKind == JsonValueKind.Object
            ? new JsonFields(path, value, $"{prefix}{name}.")
            : throw Bad(name, "no object");
    }

    public int Int32(string name, int least, int most, int? fallback = null)
    {
        if (!Has(name))
            return fallback ?? throw Bad(name, "missing");
        JsonElement value = element.GetProperty(name);
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int number))
            throw Bad(name, "no 32-bit integer");
        return number >= least && number <= most ? number : throw Bad(name, $"{number} is not in {least} to {most}");
    }

    /// <summary>A number that is finite and positive as a single.</summary>
    public double Positive(string name, double? fallback = null)
    {
        if (!Has(name))
            return fallback ?? throw Bad(name, "missing");
        JsonElement value = element.GetProperty(name);
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number))
            throw Bad(name, "no number");
        return float.IsFinite((float)number) && (float)number > 0 ? number : throw Bad(name, $"{number} is not finite and positive");
    }

    public bool Bool(string name)
    {
        if (!Has(name))
            return false;
        JsonElement value = element.GetProperty(name);
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Bad(name, "no bool");
    }

    public string? Text(string name)
    {
        if (!Has(name))
            return null;
        JsonElement value = element.GetProperty(name);
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Bad(name, "no string");
    }

    /// <summary>A token id, the first where a list stands, or null.</summary>
    public int? TokenId(string name, int vocabulary)
    {
        if (!Has(name))
            return null;
        JsonElement value = element.GetProperty(name);
        if (value.ValueKind == JsonValueKind.Array)
        {
            if (value.GetArrayLength() == 0)
                return null;
            value = value[0];
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int id))
            throw Bad(name, "no token id");
        return id >= 0 && id < vocabulary ? id : throw Bad(name, $"{id} is no id of a vocabulary of {vocabulary}");
    }

    /// <summary>"llama" or "mistral".</summary>
    public string RequireArchitecture()
    {
        string? name = Text("model_type");
        if (Has("architectures"))
        {
            JsonElement list = element.GetProperty("architectures");
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() != 1 || list[0].ValueKind != JsonValueKind.String)
                throw Bad("architectures", "no list of one name");
            name = list[0].GetString();
        }

        return name switch
        {
            "LlamaForCausalLM" or "llama" => "llama",
            "MistralForCausalLM" or "mistral" => "mistral",
            null => throw Bad("architectures", "missing"),
            _ => throw Bad("architectures", $"{FileLimits.Printable(name)} is not supported, only LlamaForCausalLM and MistralForCausalLM"),
        };
    }

    /// <summary>Settings that would change the result and that nothing here computes.</summary>
    public void RefuseWhatIsNotComputed()
    {
        if (Text("hidden_act") is { } act and not "silu")
            throw Bad("hidden_act", $"{FileLimits.Printable(act)} is not supported, only silu");
        if (Has("quantization_config"))
            throw Bad("quantization_config", "quantised Hugging Face models are not supported");
        if (Positive("partial_rotary_factor", 1) != 1)
            throw Bad("partial_rotary_factor", "only 1 is supported");
    }

    public ModelFormatException Bad(string name, string problem) => new($"{path}: {prefix}{name}: {problem}");
}

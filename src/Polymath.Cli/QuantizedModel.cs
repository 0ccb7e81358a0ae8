using Polymath.Files;

namespace Polymath.Cli;

/// <summary>What the choice of formats depends on besides the tensor itself.</summary>
/// <param name="Architecture">general.architecture.</param>
/// <param name="Layers">Layers of the model.</param>
/// <param name="Experts">Experts of a layer; 0 for a dense model.</param>
/// <param name="HeadsPerKeyValue">Query heads that share one head of keys and values, in the first layer.</param>
/// <param name="IsTied">The token embedding is the output head too.</param>
/// <param name="Is70B">One of the models of 70 billion weights with few heads of values.</param>
/// <param name="HasImportance">An importance matrix is given.</param>
internal readonly record struct QuantizedModel(
    string Architecture, int Layers, int Experts, int HeadsPerKeyValue, bool IsTied, bool Is70B, bool HasImportance)
{
    /// <summary>Falcon's layers bear coarse formats in other places.</summary>
    public bool IsFalcon => Architecture == "falcon";

    /// <summary>Reads it from a model file.</summary>
    public static QuantizedModel Read(WeightSource source, bool hasImportance)
    {
        string architecture = source.Metadata.GetString("general.architecture", "");
        int layers = source.Metadata.GetInt32($"{architecture}.block_count", 0);
        int experts = source.Metadata.GetInt32($"{architecture}.expert_count", 0);
        int heads = First(source.Metadata, $"{architecture}.attention.head_count", 0);
        int keyValueHeads = First(source.Metadata, $"{architecture}.attention.head_count_kv", heads);
        bool large = architecture switch
        {
            "llama" => layers == 80 && heads != keyValueHeads && experts != 8,
            "qwen2" or "deci" or "olmo" => layers == 80,
            "jais2" => layers == 68,
            _ => false,
        };
        bool tied = !source.Contains("output.weight");
        return new(architecture, layers, experts, keyValueHeads > 0 ? heads / keyValueHeads : 0, tied, large, hasImportance);
    }

    /// <summary>A number, or the first of one for each layer.</summary>
    private static int First(Metadata metadata, string key, int fallback)
    {
        if (!metadata.TryGet(key, out MetadataValue? value) || value.Type != MetadataType.Array)
            return metadata.GetInt32(key, fallback);
        return value.Value switch { int[] and [var first, ..] => first, uint[] and [var first, ..] => (int)first, _ => fallback };
    }
}

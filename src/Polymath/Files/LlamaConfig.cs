using System.Text.Json;

namespace Polymath.Files;

/// <summary>
/// The settings in the config.json of a Hugging Face model of the Llama family, checked. Missing values get the
/// defaults that the transformers library documents for LlamaConfig and MistralConfig.
/// </summary>
internal sealed class LlamaConfig
{
    public const int FileBytes = 1 << 20;

    private const int MaxDepth = 32;
    private const int MostWidth = 1 << 24;
    private const int MostHeads = 1 << 16;

    private LlamaConfig(JsonFields json)
    {
        bool mistral = json.RequireArchitecture() == "mistral";
        json.RefuseWhatIsNotComputed();
        Width = json.Int32("hidden_size", 1, MostWidth);
        FeedForward = json.Int32("intermediate_size", 1, MostWidth);
        Layers = json.Int32("num_hidden_layers", 1, FileLimits.Layers);
        Vocabulary = json.Int32("vocab_size", 1, MostWidth);
        Heads = json.Int32("num_attention_heads", 1, MostHeads);
        KeyValueHeads = json.Int32("num_key_value_heads", 1, Heads, mistral ? null : Heads);
        if (Heads % KeyValueHeads != 0)
            throw json.Bad("num_key_value_heads", $"{KeyValueHeads} does not divide the {Heads} heads");
        HeadWidth = ReadHeadWidth(json);
        ContextLength = ReadContext(json, mistral);
        NormEpsilon = json.Positive("rms_norm_eps", 1e-6);
        Tied = json.Bool("tie_word_embeddings");
        AttentionBias = json.Bool("attention_bias");
        FeedForwardBias = json.Bool("mlp_bias");
        BeginId = json.TokenId("bos_token_id", Vocabulary);
        EndId = json.TokenId("eos_token_id", Vocabulary);
        JsonFields? rope = json.Child("rope_scaling") ?? json.Child("rope_parameters");
        RopeBase = json.Positive("rope_theta", rope?.Positive("rope_theta", 10_000) ?? 10_000);
        RopeScaling = RopeScaling.Read(rope);
    }

    /// <summary>D, the width of the residual stream.</summary>
    public int Width { get; }

    public int FeedForward { get; }

    public int Layers { get; }

    /// <summary>V.</summary>
    public int Vocabulary { get; }

    /// <summary>H.</summary>
    public int Heads { get; }

    /// <summary>K, a divisor of H.</summary>
    public int KeyValueHeads { get; }

    /// <summary>Elements of one head's query, key or value; even.</summary>
    public int HeadWidth { get; }

    public int ContextLength { get; }

    public double NormEpsilon { get; }

    public double RopeBase { get; }

    public RopeScaling RopeScaling { get; }

    /// <summary>True when the output matrix is the embedding.</summary>
    public bool Tied { get; }

    public bool AttentionBias { get; }

    public bool FeedForwardBias { get; }

    public int? BeginId { get; }

    public int? EndId { get; }

    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="json">Content of config.json.</param>
    /// <exception cref="ModelFormatException">No valid JSON, another family, or a value out of range.</exception>
    public static LlamaConfig Parse(string path, ReadOnlyMemory<byte> json)
    {
        if (json.Length > FileBytes)
            throw new ModelFormatException($"{path}: {json.Length} bytes are more than the limit of {FileBytes}");
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = MaxDepth };
            using JsonDocument document = JsonDocument.Parse(json, options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ModelFormatException($"{path}: no JSON object");
            return new LlamaConfig(new JsonFields(path, document.RootElement));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Text that is no valid Unicode is reported by InvalidOperationException.
            throw new ModelFormatException($"{path}: no valid JSON: {FileLimits.Printable(e.Message)}", e);
        }
    }

    /// <summary>The settings under GGUF keys.</summary>
    public Metadata ToMetadata(string name)
    {
        var metadata = new Metadata();
        metadata.Set("general.architecture", "llama");
        metadata.Set("general.name", name);
        metadata.Set("llama.vocab_size", (uint)Vocabulary);
        metadata.Set("llama.context_length", (uint)ContextLength);
        metadata.Set("llama.embedding_length", (uint)Width);
        metadata.Set("llama.block_count", (uint)Layers);
        metadata.Set("llama.feed_forward_length", (uint)FeedForward);
        metadata.Set("llama.attention.head_count", (uint)Heads);
        metadata.Set("llama.attention.head_count_kv", (uint)KeyValueHeads);
        metadata.Set("llama.attention.key_length", (uint)HeadWidth);
        metadata.Set("llama.attention.value_length", (uint)HeadWidth);
        metadata.Set("llama.attention.layer_norm_rms_epsilon", (float)NormEpsilon);
        metadata.Set("llama.rope.dimension_count", (uint)HeadWidth);
        metadata.Set("llama.rope.freq_base", (float)RopeBase);
        if (RopeScaling.Kind == RopeScalingKind.Linear)
        {
            metadata.Set("llama.rope.scaling.type", "linear");
            metadata.Set("llama.rope.scaling.factor", (float)RopeScaling.Factor);
        }

        if (BeginId is { } begin)
            metadata.Set("tokenizer.ggml.bos_token_id", (uint)begin);
        if (EndId is { } end)
            metadata.Set("tokenizer.ggml.eos_token_id", (uint)end);
        return metadata;
    }

    private int ReadHeadWidth(JsonFields json)
    {
        if (!json.Has("head_dim") && Width % Heads != 0)
            throw json.Bad("hidden_size", $"{Width} is no multiple of the {Heads} heads");
        int width = json.Int32("head_dim", 2, MostHeads, Width / Heads);
        if (width % 2 != 0 || (long)width * Heads > int.MaxValue)
            throw json.Bad("head_dim", $"{width} is odd or too large for {Heads} heads");
        return width;
    }

    /// <summary>A sliding window leaves contexts up to its own length untouched, so it bounds the context instead.</summary>
    private static int ReadContext(JsonFields json, bool mistral)
    {
        int context = json.Int32("max_position_embeddings", 1, int.MaxValue, mistral ? 131_072 : 2_048);
        if (json.IsNull("sliding_window"))
            return context;
        return Math.Min(context, json.Int32("sliding_window", 1, int.MaxValue, mistral ? 4_096 : int.MaxValue));
    }
}

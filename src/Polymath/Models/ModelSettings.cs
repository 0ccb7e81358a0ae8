using Polymath.Files;

namespace Polymath.Models;

/// <summary>
/// Hyper-parameters of a decoder, checked: every size is positive and the sizes agree with each other.
/// Letters as in ARCHITECTURE.md: T tokens, D model width, H heads, K key/value heads, V vocabulary.
/// </summary>
public sealed record ModelSettings
{
    /// <summary>Most layers a model may have; more is taken for a damaged file.</summary>
    public const int MaxLayers = 1024;

    /// <summary>general.architecture.</summary>
    public required string Architecture { get; init; }

    /// <summary>Number of blocks that a token goes through; those that only guess at later tokens (MTP) do not count.</summary>
    public required int Layers { get; init; }

    /// <summary>D, width of the residual stream.</summary>
    public required int Width { get; init; }

    /// <summary>H, query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>K, key/value heads; H is a multiple of K.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Elements in one head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>F, width of the feed-forward layer; may be 0 where all layers are mixtures of experts.</summary>
    public required int FeedForward { get; init; }

    /// <summary>Experts of a mixture-of-experts layer; 0 for none.</summary>
    public int Experts { get; init; }

    /// <summary>Experts that a token goes through.</summary>
    public int ExpertsUsed { get; init; }

    /// <summary>Width of one expert's feed-forward layer.</summary>
    public int ExpertFeedForward { get; init; }

    /// <summary>V, number of token ids.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Tokens the model was trained to see at once.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Added under the root of every norm.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>Base of the rotary frequencies.</summary>
    public float RopeBase { get; init; } = 10000f;

    /// <summary>Leading elements of each head that are rotated; even.</summary>
    public required int RopeSize { get; init; }

    /// <summary>Positions are multiplied by this (linear scaling); 1 for none. What else metadata asks is in RopeSettings.</summary>
    public float RopeScale { get; init; } = 1f;

    /// <summary>Width of all query heads together.</summary>
    public int QueryWidth => Heads * HeadSize;

    /// <summary>Width of all key heads together.</summary>
    public int KeyValueWidth => KeyValueHeads * HeadSize;

    /// <summary>Parameters of a Llama-shaped model of these sizes.</summary>
    /// <param name="tied">True when the output head is the embedding.</param>
    public long CountParameters(bool tied)
    {
        long layer = (2L * Width) + (2L * Width * QueryWidth) + (2L * Width * KeyValueWidth) + (3L * Width * FeedForward);
        return (layer * Layers) + Width + ((tied ? 1L : 2L) * Vocabulary * Width);
    }

    /// <summary>Reads and checks the settings of <paramref name="source"/>.</summary>
    /// <exception cref="ModelFormatException">A key is missing or its value makes no sense.</exception>
    public static ModelSettings Read(WeightSource source)
    {
        Metadata m = source.Metadata;
        string a = source.Architecture;
        int width = m.GetInt32($"{a}.embedding_length");
        int heads = m.GetInt32($"{a}.attention.head_count"), feedForward = m.GetInt32($"{a}.feed_forward_length", 0);
        int headSize = m.GetInt32($"{a}.attention.key_length", heads > 0 ? width / heads : 0);
        var settings = new ModelSettings
        {
            Architecture = a,
            Layers = m.GetInt32($"{a}.block_count") - Math.Clamp(m.GetInt32($"{a}.nextn_predict_layers", 0), 0, MaxLayers),
            Width = width,
            Heads = heads,
            KeyValueHeads = m.GetInt32($"{a}.attention.head_count_kv", heads),
            HeadSize = headSize,
            FeedForward = feedForward,
            Experts = m.GetInt32($"{a}.expert_count", 0),
            ExpertsUsed = m.GetInt32($"{a}.expert_used_count", 0),
            ExpertFeedForward = m.GetInt32($"{a}.expert_feed_forward_length", feedForward),
            Vocabulary = VocabularyOf(source),
            ContextLength = m.GetInt32($"{a}.context_length"),
            NormEpsilon = m.Contains($"{a}.attention.layer_norm_epsilon")
                ? m.GetSingle($"{a}.attention.layer_norm_epsilon")
                : m.GetSingle($"{a}.attention.layer_norm_rms_epsilon"),
            RopeBase = m.GetSingle($"{a}.rope.freq_base", 10000f),
            RopeSize = m.GetInt32($"{a}.rope.dimension_count", headSize),
            RopeScale = RopeScaleOf(source, a),
        };
        if (m.GetInt32($"{a}.attention.value_length", headSize) != headSize)
            throw new ModelFormatException($"{source.Path}: key and value heads of different sizes are not supported");
        settings.Check(source.Path);
        return settings;
    }

    /// <summary>Puts the settings under their GGUF keys.</summary>
    public void Write(Metadata metadata)
    {
        string a = Architecture;
        metadata.Set("general.architecture", a);
        metadata.Set($"{a}.block_count", (uint)Layers);
        metadata.Set($"{a}.context_length", (uint)ContextLength);
        metadata.Set($"{a}.embedding_length", (uint)Width);
        metadata.Set($"{a}.feed_forward_length", (uint)FeedForward);
        metadata.Set($"{a}.attention.head_count", (uint)Heads);
        metadata.Set($"{a}.attention.head_count_kv", (uint)KeyValueHeads);
        metadata.Set($"{a}.attention.key_length", (uint)HeadSize);
        metadata.Set($"{a}.attention.value_length", (uint)HeadSize);
        metadata.Set($"{a}.attention.layer_norm_rms_epsilon", NormEpsilon);
        metadata.Set($"{a}.rope.dimension_count", (uint)RopeSize);
        metadata.Set($"{a}.rope.freq_base", RopeBase);
        metadata.Set($"{a}.vocab_size", (uint)Vocabulary);
    }

    /// <summary>Checks that all sizes are positive, bounded and consistent.</summary>
    /// <exception cref="ModelFormatException">They are not; the message names <paramref name="path"/> and the key.</exception>
    public void Check(string path)
    {
        Require(Layers is > 0 and <= MaxLayers, "block_count", Layers);
        Require(Width is > 0 and <= 1 << 20, "embedding_length", Width);
        Require(Heads is > 0 and <= 1 << 16, "attention.head_count", Heads);
        Require(KeyValueHeads > 0 && KeyValueHeads <= Heads && Heads % KeyValueHeads == 0, "attention.head_count_kv", KeyValueHeads);
        Require(HeadSize is > 0 and <= 1 << 14 && (long)HeadSize * Heads <= 1 << 22, "attention.key_length", HeadSize);
        Require(FeedForward is >= 0 and <= 1 << 24 && (FeedForward > 0 || Experts > 0), "feed_forward_length", FeedForward);
        Require(Experts is >= 0 and <= 1 << 12, "expert_count", Experts);
        Require(Experts == 0 || (ExpertsUsed > 0 && ExpertsUsed <= Experts), "expert_used_count", ExpertsUsed);
        Require(Experts == 0 || ExpertFeedForward is > 0 and <= 1 << 20, "expert_feed_forward_length", ExpertFeedForward);
        Require(Vocabulary is > 0 and <= 1 << 26, "vocab_size", Vocabulary);
        Require(ContextLength is > 0 and <= 1 << 28, "context_length", ContextLength);
        Require(NormEpsilon is > 0f and < 1f, "attention.layer_norm_epsilon", NormEpsilon);
        Require(RopeBase is > 0f and < 1e12f, "rope.freq_base", RopeBase);
        Require(RopeSize > 0 && RopeSize <= HeadSize && RopeSize % 2 == 0, "rope.dimension_count", RopeSize);
        Require(RopeScale is > 0f and <= 1024f, "rope.scaling.factor", RopeScale);

        void Require(bool holds, string key, object value)
        {
            if (!holds)
                throw new ModelFormatException(FormattableString.Invariant($"{path}: {Architecture}.{key} is {value}"));
        }
    }

    private static int VocabularyOf(WeightSource source)
    {
        foreach (TensorInfo tensor in source.Tensors)
        {
            if (tensor.Name == "token_embd.weight" && tensor.Dimensions.Count == 2 && tensor.Dimensions[1] <= int.MaxValue)
                return (int)tensor.Dimensions[1];
        }

        throw new ModelFormatException($"{source.Path}: tensor token_embd.weight is missing");
    }

    private static float RopeScaleOf(WeightSource source, string a)
    {
        bool linear = source.Metadata.GetString($"{a}.rope.scaling.type", "linear") == "linear";
        float factor = linear ? source.Metadata.GetSingle($"{a}.rope.scaling.factor", 1f) : 1f;
        return factor == 0 ? 1f : 1f / factor;
    }
}

namespace Polymath.Files.HuggingFace;

/// <summary>
/// What a config.json may leave out, as the transformers library documents it for the class, and how the family names
/// what it has. Null where the field must be there.
/// </summary>
internal sealed record DecoderDefaults
{
    public int? Heads { get; init; }

    /// <summary>Null for as many as there are query heads.</summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>Null for the width divided by the heads.</summary>
    public int? HeadWidth { get; init; }

    public int? Vocabulary { get; init; }

    public int Context { get; init; } = 2_048;

    public double RopeBase { get; init; } = 10_000;

    public double NormEpsilon { get; init; } = 1e-6;

    public bool Tied { get; init; }

    /// <summary>Field of the norm's epsilon; a LayerNorm's makes another GGUF key than an RMS norm's.</summary>
    public string NormField { get; init; } = "rms_norm_eps";

    public string NormKey { get; init; } = "attention.layer_norm_rms_epsilon";

    /// <summary>The activations of the feed-forward layer that the architecture computes, by their names in config.json.</summary>
    public string[] Activations { get; init; } = ["silu", "swish"];

    /// <summary>The quantisation that the family knows to read, as quantization_config names it; null for none.</summary>
    public string? Quantization { get; init; }

    /// <summary>GGUF has key_length, and head_dim counts.</summary>
    public bool HasHeadWidth { get; init; } = true;
}

namespace Polymath.Files.HuggingFace;

/// <summary>How a model stretches its rotary positions to longer contexts.</summary>
internal enum RopeScalingKind
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All positions divided by one factor.</summary>
    Linear,

    /// <summary>Low frequencies divided, high ones kept, those between blended (Llama 3.1).</summary>
    Llama3,

    /// <summary>Like Llama 3.1's, with the attention made sharper (https://arxiv.org/abs/2309.00071).</summary>
    Yarn,

    /// <summary>A divisor of its own for every frequency, one set for short texts, one for long (Phi 3).</summary>
    LongRope,
}

/// <summary>The rope_scaling object of a config.json, or what rope_parameters has in its place.</summary>
internal sealed record RopeScaling(RopeScalingKind Kind, double Factor, double LowFactor, double HighFactor, int OriginalContext)
{
    private JsonFields? Fields { get; init; }

    public static RopeScaling Read(JsonFields? json, int context)
    {
        var none = new RopeScaling(RopeScalingKind.None, 1, 1, 1, context) { Fields = json };
        if (json is null)
            return none;
        string type = json.Text("rope_type") ?? json.Text("type") ?? "default";
        int Original(int? fallback) => json.Int32("original_max_position_embeddings", 1, int.MaxValue, fallback);
        switch (type)
        {
            case "default" or "mrope":
            case "dynamic":   // stretches beyond the context the model was trained for and nothing within it
                return none;
            case "linear":
                return none with { Kind = RopeScalingKind.Linear, Factor = json.Positive("factor") };
            case "yarn":
                return none with { Kind = RopeScalingKind.Yarn, Factor = json.Positive("factor"), OriginalContext = Original(context) };
            case "longrope" or "su":
                return none with { Kind = RopeScalingKind.LongRope, OriginalContext = Original(context) };
            case "llama3":
                RopeScaling scaling = none with
                {
                    Kind = RopeScalingKind.Llama3,
                    Factor = json.Positive("factor"),
                    LowFactor = json.Positive("low_freq_factor"),
                    HighFactor = json.Positive("high_freq_factor"),
                    OriginalContext = Original(null),
                };
                return scaling.HighFactor > scaling.LowFactor
                    ? scaling
                    : throw json.Bad("high_freq_factor", "it must be larger than low_freq_factor");
            default:
                throw json.Bad("rope_type", $"{FileLimits.Printable(type)} is not supported, only default, dynamic, linear, yarn, llama3 and longrope");
        }
    }

    /// <summary>Sets what GGUF has for it: keys, or for Llama 3.1 a tensor of divisors.</summary>
    public void Write(Translation model, double ropeBase, int ropeWidth)
    {
        switch (Kind)
        {
            case RopeScalingKind.Linear:
                model.Set("rope.scaling.type", "linear");
                model.Set("rope.scaling.factor", Factor);
                break;
            case RopeScalingKind.Yarn:
                model.Set("rope.scaling.type", "yarn");
                model.Set("rope.scaling.factor", Factor);
                model.Set("rope.scaling.original_context_length", OriginalContext);
                Optional(model, "rope.scaling.yarn_ext_factor", "extrapolation_factor");
                Optional(model, "rope.scaling.yarn_attn_factor", Fields!.Has("attention_factor") ? "attention_factor" : "attn_factor");
                Optional(model, "rope.scaling.yarn_beta_fast", "beta_fast");
                Optional(model, "rope.scaling.yarn_beta_slow", "beta_slow");
                break;
            case RopeScalingKind.Llama3:
                model.Constant("rope_freqs.weight", Divisors(ropeBase, ropeWidth));
                break;
            case RopeScalingKind.LongRope:
                throw Fields!.Bad("rope_type", $"longrope is not supported in a {model.Architecture} model");
        }
    }

    /// <summary>
    /// What each of the frequencies theta_i = base^(−2i / width) is divided by, as GGUF stores it in rope_freqs.weight.
    /// Llama 3.1: wavelengths shorter than original / high stay, those longer than original / low are stretched by the
    /// factor, and between the two the divisor's inverse moves linearly with original / wavelength.
    /// </summary>
    public float[] Divisors(double ropeBase, int headWidth)
    {
        var divisors = new float[headWidth / 2];
        for (int i = 0; i < divisors.Length; i++)
        {
            double wavelength = 2 * Math.PI * Math.Pow(ropeBase, 2.0 * i / headWidth);
            double turns = OriginalContext / wavelength;   // full turns within the original context
            double keep = Math.Clamp((turns - LowFactor) / (HighFactor - LowFactor), 0, 1);
            divisors[i] = (float)(1 / (((1 - keep) / Factor) + keep));
        }

        return divisors;
    }

    private void Optional(Translation model, string key, string name)
    {
        if (Fields!.Has(name))
            model.Set(key, Fields.Positive(name));
    }
}

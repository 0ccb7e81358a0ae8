namespace Polymath.Files.HuggingFace.Families;

/// <summary>
/// Phi 3, 3.5 and 4: query, key and value in one matrix, gate and up in another, which GGUF keeps so; LongRoPE's
/// divisors become two tensors and a factor on the attention.
/// </summary>
internal static class Phi3
{
    private static readonly DecoderDefaults Defaults = new()
    {
        Vocabulary = 32_064,
        Context = 4_096,
        NormEpsilon = 1e-5,
        HasHeadWidth = false,
    };

    public static void Translate(Translation model)
    {
        model.Begin("phi3");
        var config = new DecoderConfig(model, Defaults);
        config.Write(Defaults, rope: false);
        WriteRope(model, config);

        // Files say 0 for a model without a window.
        model.Set("attention.sliding_window", model.Config.Int32("sliding_window", 0, int.MaxValue, 0));
        var tensors = new DecoderTensors(model, config);
        tensors.Ends();
        for (int layer = 0; layer < config.Layers; layer++)
        {
            tensors.Norm(layer, "attn_norm", "input_layernorm");
            tensors.Norm(layer, "ffn_norm", "post_attention_layernorm");
            tensors.Linear(layer, "attn_qkv", "self_attn.qkv_proj", config.QueryWidth + (2 * config.KeyValueWidth), config.Width);
            tensors.Linear(layer, "attn_output", "self_attn.o_proj", config.Width, config.QueryWidth);
            tensors.Linear(layer, "ffn_up", "mlp.gate_up_proj", 2 * config.FeedForward, config.Width);
            tensors.Linear(layer, "ffn_down", "mlp.down_proj", config.Width, config.FeedForward);
        }
    }

    private static void WriteRope(Translation model, DecoderConfig config)
    {
        JsonFields json = config.Rope ?? model.Config;
        int width = RotatedWidth(json, config);
        int original = json.Int32("original_max_position_embeddings", 1, int.MaxValue, 4_096);
        model.Set("rope.dimension_count", width);
        model.Set("rope.scaling.original_context_length", original);
        RopeScaling scaling = RopeScaling.Read(config.Rope, config.Context);
        if (scaling.Kind != RopeScalingKind.LongRope)
        {
            scaling.Write(model, config.RopeBase, width);
            return;
        }

        double stretch = (double)config.Context / original;
        model.Set("rope.scaling.attn_factor", stretch > 1 ? Math.Sqrt(1 + (Math.Log(stretch) / Math.Log(Math.Max(original, 2)))) : 1.0);
        model.Constant("rope_factors_long.weight", Factors(json, "long_factor", width));
        model.Constant("rope_factors_short.weight", Factors(json, "short_factor", width));
    }

    /// <summary>Phi 4 mini turns three quarters of each head.</summary>
    public static int RotatedWidth(JsonFields json, DecoderConfig config, double fallback = 1)
    {
        double part = json.Positive("partial_rotary_factor", fallback);
        int width = part <= 1 ? (int)(part * config.HeadWidth) : 0;
        return width > 0 && width % 2 == 0 ? width : throw json.Bad("partial_rotary_factor", $"{part} of a head of {config.HeadWidth} is no even number of elements");
    }

    private static float[] Factors(JsonFields json, string name, int width) =>
        [.. (json.Positives(name, width / 2) ?? throw json.Bad(name, "missing")).Select(factor => (float)factor)];
}

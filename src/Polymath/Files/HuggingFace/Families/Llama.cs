namespace Polymath.Files.HuggingFace.Families;

/// <summary>Llama 1 to 3 and the models of its shape: Mistral, Mixtral's experts, SmolLM 3, Granite.</summary>
internal static class Llama
{
    private static readonly DecoderDefaults Defaults = new();
    private static readonly DecoderDefaults MistralDefaults = new() { KeyValueHeads = 8, Context = 131_072 };

    /// <summary>LlamaForCausalLM; also SmolLM 2 and many others.</summary>
    public static void Translate(Translation model)
    {
        model.Begin("llama");
        var config = new DecoderConfig(model, Defaults);
        config.BoundBySlidingWindow();
        Write(model, config, Defaults);
        Tensors(model, config);
    }

    /// <summary>MistralForCausalLM. GGUF's llama has no sliding window.</summary>
    public static void TranslateMistral(Translation model)
    {
        model.Begin("llama");
        var config = new DecoderConfig(model, MistralDefaults);
        config.BoundBySlidingWindow(4_096);
        Write(model, config, MistralDefaults);
        Tensors(model, config);
    }

    /// <summary>MixtralForCausalLM: eight experts in the place of the feed-forward layer.</summary>
    public static void TranslateMixtral(Translation model)
    {
        model.Begin("llama");
        var config = new DecoderConfig(model, MistralDefaults with { NormEpsilon = 1e-5 });
        config.BoundBySlidingWindow();
        Write(model, config, MistralDefaults);
        int experts = Experts.Write(model, "num_local_experts");
        var tensors = new DecoderTensors(model, config) { Neighbours = true };
        tensors.Ends();
        for (int layer = 0; layer < config.Layers; layer++)
        {
            Block(model, tensors, layer);
            tensors.Experts(layer, experts, config.FeedForward, "block_sparse_moe", ["w1", "w3", "w2"]);
        }
    }

    /// <summary>SmolLM3ForCausalLM: every fourth layer goes without rotation, which GGUF takes for granted.</summary>
    public static void TranslateSmolLm3(Translation model)
    {
        model.Begin("smollm3");
        DecoderDefaults defaults = Defaults with { KeyValueHeads = 4, Context = 32_768, RopeBase = 2_000_000, Tied = true };
        var config = new DecoderConfig(model, defaults);
        if (model.Config.Bool("use_sliding_window"))
            throw model.Config.Bad("use_sliding_window", "it is not supported");
        int[]? rotated = model.Config.Integers("no_rope_layers", config.Layers, 0, 1);
        bool fourth = rotated?.Select((value, layer) => value == ((layer + 1) % 4 == 0 ? 0 : 1)).All(same => same)
            ?? model.Config.Int32("no_rope_layer_interval", 1, int.MaxValue, 4) == 4;
        if (!fourth)
            throw model.Config.Bad("no_rope_layers", "only every fourth layer without rotation is supported");
        Write(model, config, defaults);
        Tensors(model, config);
    }

    /// <summary>GraniteForCausalLM: Llama with factors on embedding, attention, both halves of a block and logits.</summary>
    public static void TranslateGranite(Translation model)
    {
        model.Begin("granite");
        var config = new DecoderConfig(model, Defaults with { HasHeadWidth = false });
        Write(model, config, Defaults);
        model.Set("attention.scale", model.Config.Positive("attention_multiplier", 1));
        model.Set("embedding_scale", model.Config.Positive("embedding_multiplier", 1));
        model.Set("residual_scale", model.Config.Positive("residual_multiplier", 1));
        model.Set("logit_scale", model.Config.Positive("logits_scaling", 1));
        Tensors(model, config);
    }

    private static void Write(Translation model, DecoderConfig config, DecoderDefaults defaults)
    {
        config.Write(defaults);
        model.Set("rope.dimension_count", config.HeadWidth);
    }

    private static void Tensors(Translation model, DecoderConfig config)
    {
        var tensors = new DecoderTensors(model, config) { Neighbours = true };
        tensors.Ends();
        for (int layer = 0; layer < config.Layers; layer++)
        {
            Block(model, tensors, layer);
            tensors.GatedFeedForward(layer, model.Config.Bool("mlp_bias"));
        }
    }

    private static void Block(Translation model, DecoderTensors tensors, int layer)
    {
        bool bias = model.Config.Bool("attention_bias");
        tensors.Norm(layer, "attn_norm", "input_layernorm");
        tensors.Norm(layer, "ffn_norm", "post_attention_layernorm");
        tensors.Attention(layer, bias, bias);
    }
}

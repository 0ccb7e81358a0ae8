namespace Polymath.Files.HuggingFace.Families;

/// <summary>Qwen 2 and 2.5, Qwen 3, and Qwen 3's mixture of experts; also their embedding models.</summary>
internal static class Qwen
{
    private static readonly DecoderDefaults Defaults = new() { Context = 32_768 };
    private static readonly DecoderDefaults Qwen3Defaults = Defaults with { HeadWidth = 128 };

    /// <summary>Qwen2ForCausalLM: Llama with biases on query, key and value.</summary>
    public static void TranslateQwen2(Translation model)
    {
        DecoderConfig config = Begin(model, "qwen2", Defaults);
        var tensors = new DecoderTensors(model, config);
        tensors.Ends();
        for (int layer = 0; layer < config.Layers; layer++)
        {
            Norms(tensors, layer);
            tensors.Attention(layer, bias: true);
            tensors.GatedFeedForward(layer);
        }
    }

    /// <summary>Qwen3ForCausalLM: norms on each head's query and key in the place of the biases.</summary>
    public static void TranslateQwen3(Translation model)
    {
        DecoderConfig config = Begin(model, "qwen3", Qwen3Defaults);
        DecoderTensors tensors = Start(model, config);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            Block(model, tensors, layer);
            tensors.GatedFeedForward(layer);
        }
    }

    /// <summary>Qwen3MoeForCausalLM.</summary>
    public static void TranslateQwen3Moe(Translation model)
    {
        DecoderConfig config = Begin(model, "qwen3moe", Qwen3Defaults);
        int experts = Experts.Write(model, "num_experts");
        int width = model.Config.Int32("moe_intermediate_size", 1, DecoderConfig.MostWidth);
        model.Set("expert_feed_forward_length", width);
        Experts.RequireEverywhereAndNormalised(model);
        DecoderTensors tensors = Start(model, config);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            Block(model, tensors, layer);
            tensors.Experts(layer, experts, width, "mlp", ["gate_proj", "up_proj", "down_proj"]);
        }
    }

    private static DecoderConfig Begin(Translation model, string architecture, DecoderDefaults defaults)
    {
        model.Begin(architecture);
        bool headless = model.Class.EndsWith("Model", StringComparison.Ordinal);   // an embedding model
        var config = new DecoderConfig(model, headless ? defaults with { Tied = true } : defaults);
        if (model.Config.Bool("use_sliding_window"))
            config.BoundBySlidingWindow();
        config.Write(defaults);
        Pooling.Write(model);
        Prompts.Write(model);
        return config;
    }

    private static DecoderTensors Start(Translation model, DecoderConfig config)
    {
        var tensors = new DecoderTensors(model, config);
        tensors.Ends();
        return tensors;
    }

    private static void Block(Translation model, DecoderTensors tensors, int layer)
    {
        bool bias = model.Config.Bool("attention_bias");
        Norms(tensors, layer);
        tensors.Attention(layer, bias, bias);
        tensors.HeadNorms(layer);
    }

    private static void Norms(DecoderTensors tensors, int layer)
    {
        tensors.Norm(layer, "attn_norm", "input_layernorm");
        tensors.Norm(layer, "ffn_norm", "post_attention_layernorm");
    }
}

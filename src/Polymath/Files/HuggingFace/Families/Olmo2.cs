namespace Polymath.Files.HuggingFace.Families;

/// <summary>OLMo 2 and 3: norms behind each half of a block, and on all queries and keys together; OLMo 3 has windows.</summary>
internal static class Olmo2
{
    private static readonly DecoderDefaults Defaults = new() { NormEpsilon = 1e-5 };

    public static void Translate(Translation model)
    {
        model.Begin("olmo2");
        var config = new DecoderConfig(model, Defaults);
        config.Write(Defaults);
        if (model.Config.Has("sliding_window"))
            Windows.Write(model, config.Layers, model.Config.Int32("sliding_window", 1, int.MaxValue), period: 4, always: true);
        bool bias = model.Config.Bool("attention_bias");
        var tensors = new DecoderTensors(model, config);
        tensors.Ends(needsHead: true);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            tensors.Attention(layer, bias, bias);
            tensors.Norm(layer, "attn_q_norm", "self_attn.q_norm", config.QueryWidth);
            tensors.Norm(layer, "attn_k_norm", "self_attn.k_norm", config.KeyValueWidth);
            tensors.Norm(layer, "post_attention_norm", "post_attention_layernorm");
            tensors.GatedFeedForward(layer);
            tensors.Norm(layer, "post_ffw_norm", "post_feedforward_layernorm");
        }
    }
}

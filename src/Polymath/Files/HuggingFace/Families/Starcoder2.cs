namespace Polymath.Files.HuggingFace.Families;

/// <summary>StarCoder 2: LayerNorm, biases everywhere, no gate. GGUF has no window for it, so a window bounds the context.</summary>
internal static class Starcoder2
{
    private static readonly DecoderDefaults Defaults = new()
    {
        KeyValueHeads = 2,
        Context = 4_096,
        NormEpsilon = 1e-5,
        NormField = "norm_epsilon",
        NormKey = "attention.layer_norm_epsilon",
        Tied = true,
        Activations = ["gelu_pytorch_tanh"],
        HasHeadWidth = false,
    };

    public static void Translate(Translation model)
    {
        model.Begin("starcoder2");
        if (model.Config.Text("norm_type") is { } norm and not "layer_norm")
            throw model.Config.Bad("norm_type", $"{FileLimits.Printable(norm)} is not supported, only layer_norm");
        var config = new DecoderConfig(model, Defaults);
        config.BoundBySlidingWindow();
        config.Write(Defaults);
        bool bias = model.Config.Bool("use_bias", true);
        var tensors = new DecoderTensors(model, config);
        tensors.Ends();
        model.Vector("output_norm.bias", config.Body + "norm.bias", config.Width);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            tensors.LayerNorm(layer, "attn_norm", "input_layernorm");
            tensors.LayerNorm(layer, "ffn_norm", "post_attention_layernorm");
            tensors.Attention(layer, bias, bias);
            tensors.Linear(layer, "ffn_up", "mlp.c_fc", config.FeedForward, config.Width, bias);
            tensors.Linear(layer, "ffn_down", "mlp.c_proj", config.Width, config.FeedForward, bias);
        }
    }
}

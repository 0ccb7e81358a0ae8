namespace Polymath.Files.HuggingFace.Families;

/// <summary>
/// gpt-oss: sinks in the attention, windows in every other layer, and experts with biases in MXFP4, whose gate and up
/// rows take turns in one tensor. Experts that are not packed are stored with their inputs as rows.
/// </summary>
internal static class GptOss
{
    private static readonly DecoderDefaults Defaults = new()
    {
        HeadWidth = 64,
        Context = 131_072,
        RopeBase = 150_000,
        NormEpsilon = 1e-5,
    };

    public static void Translate(Translation model)
    {
        model.Begin("gpt-oss");
        var config = new DecoderConfig(model, Defaults with { Quantization = "mxfp4" });
        config.Write(Defaults);
        Windows.Write(model, config.Layers, model.Config.Int32("sliding_window", 1, int.MaxValue, 128), period: 2);
        model.Set("expert_feed_forward_length", config.FeedForward);
        int experts = Experts.Write(model, "num_local_experts");
        var tensors = new DecoderTensors(model, config);
        tensors.Ends(needsHead: true);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            tensors.Norm(layer, "attn_norm", "input_layernorm");
            tensors.Norm(layer, "post_attention_norm", "post_attention_layernorm");
            tensors.Attention(layer, bias: true, outputBias: true);
            model.Vector($"{DecoderTensors.To(layer)}attn_sinks.weight", $"{tensors.From(layer)}self_attn.sinks", config.Heads);
            tensors.Linear(layer, "ffn_gate_inp", "mlp.router", experts, config.Width, bias: true);
            Mixture(model, config, experts, $"{DecoderTensors.To(layer)}ffn_", $"{tensors.From(layer)}mlp.experts.");
        }
    }

    private static void Mixture(Translation model, DecoderConfig config, int experts, string to, string from)
    {
        int width = config.Width, inner = config.FeedForward;
        Add("gate_exps", "gate_up_proj", inner, width, row => 2 * row);
        Add("up_exps", "gate_up_proj", inner, width, row => (2 * row) + 1);
        Add("down_exps", "down_proj", width, inner, null);

        void Add(string name, string source, int rows, int columns, Func<int, int>? turn)
        {
            int stored = turn is null ? rows : 2 * rows;
            long[] dimensions = [columns, rows, experts];
            if (!model.Has(from + source))
            {
                if (columns % Mxfp4Pack.BlockLength != 0)
                    throw model.Config.Bad("intermediate_size", $"{columns} is no multiple of the {Mxfp4Pack.BlockLength} numbers of a block");
                model.Packed($"{to}{name}.weight", dimensions, from + source, experts, stored, new Mxfp4Pack(turn));
            }
            else
            {
                model.Add($"{to}{name}.weight", dimensions, [from + source], [experts, columns, stored], new Transposed(turn));
            }

            model.Add($"{to}{name}.bias", [rows, experts], [from + source + "_bias"], [experts, stored],
                turn is null ? null : new Gather { Column = turn });
        }
    }
}

namespace Polymath.Files.HuggingFace.Families;

/// <summary>
/// Qwen3-Next: three gated delta nets to one attention, and a mixture of experts with one that sees every token. The
/// delta net's input matrix holds query, key, value and gate of each key head in turn; GGUF wants all queries, then all
/// keys, then all values, and the gates on their own.
/// </summary>
internal static class Qwen3Next
{
    public static void Translate(Translation model)
    {
        model.Begin("qwen3next");
        var config = new DecoderConfig(model, DeltaNet.Defaults);
        config.Write(DeltaNet.Defaults, rope: false);
        RopeScaling.Read(config.Rope, config.Context).Write(model, config.RopeBase, config.HeadWidth);
        var net = new DeltaNet(model, config);
        int experts = Experts.Write(model, "num_experts");
        int width = model.Config.Int32("moe_intermediate_size", 1, DecoderConfig.MostWidth);
        int shared = model.Config.Int32("shared_expert_intermediate_size", 1, DecoderConfig.MostWidth);
        model.Set("expert_feed_forward_length", width);
        model.Set("expert_shared_feed_forward_length", shared);
        Experts.RequireEverywhereAndNormalised(model);
        var tensors = new DecoderTensors(model, config) { Norms = Recipe.PlusOne };
        tensors.Ends();
        DeltaNet.ExpectExtras(model);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            net.Layer(tensors, layer);
            if (net.IsIn(layer))
                Inputs(model, config, net, tensors, layer);
            tensors.Experts(layer, experts, width, "mlp", ["gate_proj", "up_proj", "down_proj"]);
            tensors.Linear(layer, "ffn_gate_inp_shexp", "mlp.shared_expert_gate", 1, config.Width);
            tensors.Linear(layer, "ffn_gate_shexp", "mlp.shared_expert.gate_proj", shared, config.Width);
            tensors.Linear(layer, "ffn_up_shexp", "mlp.shared_expert.up_proj", shared, config.Width);
            tensors.Linear(layer, "ffn_down_shexp", "mlp.shared_expert.down_proj", config.Width, shared);
        }
    }

    private static void Inputs(Translation model, DecoderConfig config, DeltaNet net, DecoderTensors tensors, int layer)
    {
        string to = DecoderTensors.To(layer), from = tensors.From(layer) + "linear_attn.";
        int values = net.ValueWidth / net.KeyHeads;   // rows of values, and of gates, that go with a key head
        int group = 2 * (net.KeyHead + values), stored = group * net.KeyHeads;
        model.Add(to + "attn_qkv.weight", [config.Width, net.MixedWidth], [from + "in_proj_qkvz.weight"], [stored, config.Width], new Gather { Row = Mixed });
        model.Add(to + "attn_gate.weight", [config.Width, net.ValueWidth], [from + "in_proj_qkvz.weight"], [stored, config.Width], new Gather
        {
            Row = row => (row / values * group) + (2 * net.KeyHead) + values + (row % values),
        });
        tensors.Linear(layer, "ssm_ba", "linear_attn.in_proj_ba", 2 * net.ValueHeads, config.Width);
        net.Rest(tensors, layer, null, null);

        int Mixed(int row)
        {
            if (row >= 2 * net.KeyWidth)
            {
                row -= 2 * net.KeyWidth;
                return (row / values * group) + (2 * net.KeyHead) + (row % values);
            }

            int key = row / net.KeyWidth * net.KeyHead;   // 0 for a query, behind it for a key
            row %= net.KeyWidth;
            return (row / net.KeyHead * group) + key + (row % net.KeyHead);
        }
    }
}

namespace Polymath.Files.HuggingFace.Families;

/// <summary>
/// Qwen 3.5, its text part where it can see: three gated delta nets to one attention. Where several value heads go with
/// a key head the checkpoint has them side by side; GGUF has the first of every key head, then the second of every one.
/// </summary>
internal static class Qwen35
{
    private static readonly int[] Sections = [11, 11, 10];

    public static void Translate(Translation model)
    {
        model.Begin("qwen35");
        var config = new DecoderConfig(model, DeltaNet.Defaults);
        config.Write(DeltaNet.Defaults, rope: false);
        RopeScaling.Read(config.Rope, config.Context).Write(model, config.RopeBase, config.HeadWidth);
        int[] sections = (config.Rope is { } rope && rope.Has("mrope_section") ? rope.Integers("mrope_section", 3, 0, config.HeadWidth) : null) ?? Sections;
        model.Set("rope.dimension_sections", (int[])[.. sections, 0]);
        var net = new DeltaNet(model, config);
        var tensors = new DecoderTensors(model, config) { Norms = Recipe.PlusOne };
        tensors.Ends();
        DeltaNet.ExpectExtras(model);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            net.Layer(tensors, layer);
            if (net.IsIn(layer))
                Inputs(model, config, net, tensors, layer);
            tensors.GatedFeedForward(layer);
        }
    }

    private static void Inputs(Translation model, DecoderConfig config, DeltaNet net, DecoderTensors tensors, int layer)
    {
        string to = DecoderTensors.To(layer), from = tensors.From(layer) + "linear_attn.";
        int together = net.ValueHeads / net.KeyHeads, width = config.Width;
        bool same = together == 1;
        Add("attn_qkv", "in_proj_qkv", net.MixedWidth, row => row < 2 * net.KeyWidth ? row : (2 * net.KeyWidth) + Rows(row - (2 * net.KeyWidth)));
        Add("attn_gate", "in_proj_z", net.ValueWidth, Rows);
        Add("ssm_beta", "in_proj_b", net.ValueHeads, Head);
        Add("ssm_alpha", "in_proj_a", net.ValueHeads, Head);
        net.Rest(tensors, layer, same ? null : Rows, same ? null : Head);

        void Add(string name, string source, int rows, Func<int, int> order) =>
            model.Matrix($"{to}{name}.weight", $"{from}{source}.weight", rows, width, same ? null : new Gather { Row = order });

        int Head(int head) => (head % net.KeyHeads * together) + (head / net.KeyHeads);

        int Rows(int row) => (Head(row / net.ValueHead) * net.ValueHead) + (row % net.ValueHead);
    }
}

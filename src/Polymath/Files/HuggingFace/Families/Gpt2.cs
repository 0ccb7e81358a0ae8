namespace Polymath.Files.HuggingFace.Families;

/// <summary>GPT-2: learned positions, biases everywhere, matrices stored with their inputs as rows.</summary>
internal static class Gpt2
{
    public static void Translate(Translation model)
    {
        model.Begin("gpt2");
        JsonFields json = model.Config;
        DecoderConfig.RefuseWhatIsNotComputed(model, ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"]);
        if (!json.Bool("scale_attn_weights", true) || json.Bool("scale_attn_by_inverse_layer_idx"))
            throw json.Bad("scale_attn_weights", "only scores divided by the root of the head's width are supported");
        int width = json.Int32("n_embd", 1, DecoderConfig.MostWidth), layers = json.Int32("n_layer", 1, FileLimits.Layers);
        int heads = json.Int32("n_head", 1, width), vocabulary = json.Int32("vocab_size", 1, DecoderConfig.MostWidth);
        int context = json.Int32("n_positions", 1, DecoderConfig.MostWidth, 1_024);
        int inner = json.Int32("n_inner", 1, DecoderConfig.MostWidth, checked(4 * width));
        if (width % heads != 0)
            throw json.Bad("n_embd", $"{width} is no multiple of the {heads} heads");
        model.SetSizes(vocabulary, context, width, layers, inner, heads, json.Positive("layer_norm_epsilon", 1e-5));
        DecoderConfig.WriteSpecialTokens(model, vocabulary);
        string body = model.Has("transformer.wte.weight") ? "transformer." : "";
        Ends(model, body, vocabulary, context, width);
        for (int layer = 0; layer < layers; layer++)
            Block(model, $"blk.{layer}.", $"{body}h.{layer}.", width, inner);
    }

    private static void Ends(Translation model, string body, int vocabulary, int context, int width)
    {
        model.Matrix("token_embd.weight", body + "wte.weight", vocabulary, width);
        model.Matrix("position_embd.weight", body + "wpe.weight", context, width);
        model.Vector("output_norm.weight", body + "ln_f.weight", width);
        model.Vector("output_norm.bias", body + "ln_f.bias", width);
        if (!model.Config.Bool("tie_word_embeddings", true))
            model.Matrix("output.weight", "lm_head.weight", vocabulary, width);
        model.Expect(name => name == "lm_head.weight" || name.EndsWith(".attn.bias", StringComparison.Ordinal)
            || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal));   // the causal mask as a table
    }

    private static void Block(Translation model, string to, string from, int width, int inner)
    {
        Norm("attn_norm", "ln_1");
        Linear("attn_qkv", "attn.c_attn", 3 * width, width);
        Linear("attn_output", "attn.c_proj", width, width);
        Norm("ffn_norm", "ln_2");
        Linear("ffn_up", "mlp.c_fc", inner, width);
        Linear("ffn_down", "mlp.c_proj", width, inner);

        void Norm(string name, string source)
        {
            model.Vector($"{to}{name}.weight", $"{from}{source}.weight", width);
            model.Vector($"{to}{name}.bias", $"{from}{source}.bias", width);
        }

        void Linear(string name, string source, int outputs, int inputs)
        {
            model.Add($"{to}{name}.weight", [inputs, outputs], [$"{from}{source}.weight"], [inputs, outputs], new Transposed());
            model.Vector($"{to}{name}.bias", $"{from}{source}.bias", outputs);
        }
    }
}

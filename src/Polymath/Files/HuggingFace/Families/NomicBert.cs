namespace Polymath.Files.HuggingFace.Families;

/// <summary>nomic-embed-text 1 and 1.5: BERT with rotary positions, a gate, and no biases but those of the norms.</summary>
internal static class NomicBert
{
    // What the models were trained for; config.json says more, which needs other positions than GGUF has.
    private const int TrainedContext = 2_048;

    public static void Translate(Translation model)
    {
        model.Begin("nomic-bert");
        JsonFields json = model.Config;
        DecoderConfig.RefuseWhatIsNotComputed(model, ["swiglu"]);
        Require(json, "causal", false);
        Require(json, "prenorm", false);
        Require(json, "qkv_proj_bias", false);
        Require(json, "mlp_fc1_bias", false);
        Require(json, "mlp_fc2_bias", false);
        Require(json, "rotary_emb_interleaved", false);
        if (json.Has("rotary_emb_scale_base") || json.Positive("rotary_emb_fraction", 1) != 1)
            throw json.Bad("rotary_emb_fraction", "only whole heads that turn without a scale are supported");
        if (json.Has("moe_every_n_layers") && json.Int32("moe_every_n_layers", 0, int.MaxValue) != 0)
            throw json.Bad("moe_every_n_layers", "experts are not supported in this family");
        int width = json.Int32("n_embd", 1, DecoderConfig.MostWidth), layers = json.Int32("n_layer", 1, FileLimits.Layers);
        int heads = json.Int32("n_head", 1, width), inner = json.Int32("n_inner", 1, DecoderConfig.MostWidth);
        int vocabulary = json.Int32("vocab_size", 1, DecoderConfig.MostWidth), types = json.Int32("type_vocab_size", 1, 1 << 10, 2);
        if (width % (2 * heads) != 0)
            throw json.Bad("n_embd", $"{width} is no even multiple of the {heads} heads");
        int context = Math.Min(json.Int32("n_positions", 1, int.MaxValue), json.Int32("max_trained_positions", 1, int.MaxValue, TrainedContext));
        EncoderKeys.Write(model, vocabulary, context, width, layers, inner, heads, json.Positive("layer_norm_epsilon", 1e-12));
        model.Set("rope.freq_base", json.Positive("rotary_emb_base", 10_000));
        model.Metadata.Set("tokenizer.ggml.token_type_count", (uint)types);
        model.Matrix("token_embd.weight", "embeddings.word_embeddings.weight", vocabulary, width);
        model.Matrix("token_types.weight", "embeddings.token_type_embeddings.weight", types, width);
        Norm(model, "token_embd_norm", "emb_ln", width);
        for (int layer = 0; layer < layers; layer++)
            Block(model, $"blk.{layer}.", $"encoder.layers.{layer}.", width, inner);
    }

    private static void Block(Translation model, string to, string from, int width, int inner)
    {
        model.Matrix(to + "attn_qkv.weight", from + "attn.Wqkv.weight", 3 * width, width);
        model.Matrix(to + "attn_output.weight", from + "attn.out_proj.weight", width, width);
        Norm(model, to + "attn_output_norm", from + "norm1", width);
        model.Matrix(to + "ffn_up.weight", from + "mlp.fc11.weight", inner, width);
        model.Matrix(to + "ffn_gate.weight", from + "mlp.fc12.weight", inner, width);
        model.Matrix(to + "ffn_down.weight", from + "mlp.fc2.weight", width, inner);
        Norm(model, to + "layer_output_norm", from + "norm2", width);
    }

    private static void Norm(Translation model, string name, string source, int width)
    {
        model.Vector(name + ".weight", source + ".weight", width);
        model.Vector(name + ".bias", source + ".bias", width);
    }

    private static void Require(JsonFields json, string name, bool value)
    {
        if (json.Bool(name, value) != value)
            throw json.Bad(name, $"only {(value ? "true" : "false")} is supported");
    }
}

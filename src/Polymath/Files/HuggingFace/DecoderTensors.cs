namespace Polymath.Files.HuggingFace;

/// <summary>The names that most decoders share, and their GGUF names; a family takes the parts that are its own.</summary>
internal sealed class DecoderTensors(Translation model, DecoderConfig config)
{
    private readonly int _width = config.Width;

    /// <summary>Recipe of the last norm, null for none; Gemma adds one to it.</summary>
    public Recipe? Norms { get; init; }

    /// <summary>
    /// GGUF's llama rotates neighbours 2i and 2i + 1 of a head where Hugging Face rotates i with i + width/2: rows of
    /// queries and keys are put in that order.
    /// </summary>
    public bool Neighbours { get; init; }

    /// <summary>Embedding, last norm, head. Tied weights are stored once, under either of the two names.</summary>
    /// <param name="needsHead">The architecture must have output.weight even where it is the embedding.</param>
    public void Ends(bool needsHead = false)
    {
        string body = config.Body, head = model.Has("language_model.lm_head.weight") ? "language_model.lm_head.weight" : "lm_head.weight";
        string embedding = body + "embed_tokens.weight";
        if (config.Tied && !model.Has(embedding))
            embedding = head;
        model.Matrix("token_embd.weight", embedding, config.Vocabulary, _width);
        model.Vector("output_norm.weight", body + "norm.weight", _width, Norms);
        if (!config.Tied || needsHead)
            model.Matrix("output.weight", config.Tied ? embedding : head, config.Vocabulary, _width);
        model.Expect(name => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal)
            || (config.Tied && (name == head || name == body + "embed_tokens.weight")));
    }

    /// <summary>Name of a layer in the checkpoint.</summary>
    public string From(int layer) => $"{config.Body}layers.{layer}.";

    /// <summary>Name of a layer in GGUF.</summary>
    public static string To(int layer) => $"blk.{layer}.";

    /// <summary>A norm of a layer, as wide as the model unless said otherwise.</summary>
    public void Norm(int layer, string name, string source, int width = 0) =>
        model.Vector($"{To(layer)}{name}.weight", $"{From(layer)}{source}.weight", width == 0 ? _width : width, Norms);

    /// <summary>A LayerNorm: scale and shift.</summary>
    public void LayerNorm(int layer, string name, string source)
    {
        Norm(layer, name, source);
        model.Vector($"{To(layer)}{name}.bias", $"{From(layer)}{source}.bias", _width);
    }

    /// <summary>A matrix of a layer, with its bias where it has one.</summary>
    public void Linear(int layer, string name, string source, int rows, int columns, bool bias = false)
    {
        model.Matrix($"{To(layer)}{name}.weight", $"{From(layer)}{source}.weight", rows, columns);
        if (bias)
            model.Vector($"{To(layer)}{name}.bias", $"{From(layer)}{source}.bias", rows);
    }

    /// <summary>Query, key, value and output projections.</summary>
    public void Attention(int layer, bool bias = false, bool outputBias = false, int queryWidth = 0)
    {
        Rotary(layer, "attn_q", "self_attn.q_proj", queryWidth == 0 ? config.QueryWidth : queryWidth, bias);
        Rotary(layer, "attn_k", "self_attn.k_proj", config.KeyValueWidth, bias);
        Linear(layer, "attn_v", "self_attn.v_proj", config.KeyValueWidth, _width, bias);
        Linear(layer, "attn_output", "self_attn.o_proj", _width, config.QueryWidth, outputBias);
    }

    /// <summary>Norms of each head's query and key.</summary>
    public void HeadNorms(int layer)
    {
        Norm(layer, "attn_q_norm", "self_attn.q_norm", config.HeadWidth);
        Norm(layer, "attn_k_norm", "self_attn.k_norm", config.HeadWidth);
    }

    /// <summary>Gate, up and down.</summary>
    public void GatedFeedForward(int layer, bool bias = false)
    {
        Linear(layer, "ffn_gate", "mlp.gate_proj", config.FeedForward, _width, bias);
        Linear(layer, "ffn_up", "mlp.up_proj", config.FeedForward, _width, bias);
        Linear(layer, "ffn_down", "mlp.down_proj", _width, config.FeedForward, bias);
    }

    /// <summary>The router and the experts, which GGUF stacks: [experts, rows, columns].</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="count">How many experts.</param>
    /// <param name="width">Width of an expert.</param>
    /// <param name="block">Name of the block in the checkpoint.</param>
    /// <param name="names">Names of an expert's gate, up and down.</param>
    public void Experts(int layer, int count, int width, string block, string[] names)
    {
        Linear(layer, "ffn_gate_inp", block + ".gate", count, _width);
        Stack("ffn_gate_exps", names[0], width, _width);
        Stack("ffn_up_exps", names[1], width, _width);
        Stack("ffn_down_exps", names[2], _width, width);

        void Stack(string name, string source, int rows, int columns) => model.Add(
            $"{To(layer)}{name}.weight",
            [columns, rows, count],
            Enumerable.Range(0, count).Select(expert => $"{From(layer)}{block}.experts.{expert}.{source}.weight"),
            [rows, columns]);
    }

    private void Rotary(int layer, string name, string source, int rows, bool bias)
    {
        if (!Neighbours)
        {
            Linear(layer, name, source, rows, _width, bias);
            return;
        }

        model.Matrix($"{To(layer)}{name}.weight", $"{From(layer)}{source}.weight", rows, _width, Gather.Order(Halves, vector: false));
        if (bias)
            model.Vector($"{To(layer)}{name}.bias", $"{From(layer)}{source}.bias", rows, Gather.Order(Halves, vector: true));
    }

    /// <summary>Row 2i + s of a head is row s × width/2 + i of the checkpoint.</summary>
    private int Halves(int row)
    {
        int within = row % config.HeadWidth;
        return row - within + (within % 2 * (config.HeadWidth / 2)) + (within / 2);
    }
}

namespace Polymath.Files;

/// <summary>Where a GGUF tensor of a Llama model comes from in a Hugging Face checkpoint.</summary>
/// <param name="Name">GGUF name.</param>
/// <param name="Source">Name in the checkpoint.</param>
/// <param name="Rows">Rows, 0 for a vector.</param>
/// <param name="Columns">Elements of a row or of the vector.</param>
/// <param name="RotaryHeads">Heads whose rows must be reordered for the rotation; 0 for all other tensors.</param>
internal sealed record LlamaTensorMap(string Name, string Source, int Rows, int Columns, int RotaryHeads = 0)
{
    /// <summary>Names and shapes of all tensors a model with these settings has, in the usual order of GGUF files.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="embedding">Name under which the checkpoint stores the embedding.</param>
    public static IEnumerable<LlamaTensorMap> All(LlamaConfig config, string embedding)
    {
        int d = config.Width;
        yield return new("token_embd.weight", embedding, config.Vocabulary, d);
        yield return new("output_norm.weight", "model.norm.weight", 0, d);
        if (!config.Tied)
            yield return new("output.weight", "lm_head.weight", config.Vocabulary, d);
        for (int layer = 0; layer < config.Layers; layer++)
        {
            string to = $"blk.{layer}.", from = $"model.layers.{layer}.";
            yield return new(to + "attn_norm.weight", from + "input_layernorm.weight", 0, d);
            yield return new(to + "ffn_norm.weight", from + "post_attention_layernorm.weight", 0, d);
            foreach (LlamaTensorMap linear in Linears(config))
            {
                yield return linear with { Name = to + linear.Name + ".weight", Source = from + linear.Source + ".weight" };
                if (linear.Source.StartsWith("self_attn", StringComparison.Ordinal) ? config.AttentionBias : config.FeedForwardBias)
                    yield return new(to + linear.Name + ".bias", from + linear.Source + ".bias", 0, linear.Rows, linear.RotaryHeads);
            }
        }
    }

    private static IEnumerable<LlamaTensorMap> Linears(LlamaConfig config)
    {
        int d = config.Width, f = config.FeedForward;
        int queries = config.Heads * config.HeadWidth, keys = config.KeyValueHeads * config.HeadWidth;
        yield return new("attn_q", "self_attn.q_proj", queries, d, config.Heads);
        yield return new("attn_k", "self_attn.k_proj", keys, d, config.KeyValueHeads);
        yield return new("attn_v", "self_attn.v_proj", keys, d);
        yield return new("attn_output", "self_attn.o_proj", d, queries);
        yield return new("ffn_gate", "mlp.gate_proj", f, d);
        yield return new("ffn_up", "mlp.up_proj", f, d);
        yield return new("ffn_down", "mlp.down_proj", d, f);
    }

    /// <summary>True for what a checkpoint may hold besides: tables that follow from the settings, a tied copy.</summary>
    public static bool IsRedundant(string source, LlamaConfig config) =>
        source.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal)
        || (config.Tied && source is "lm_head.weight" or "model.embed_tokens.weight");

    /// <summary>
    /// Row of the checkpoint that GGUF row <paramref name="row"/> holds. Hugging Face rotates element i of a head with
    /// element i + width/2 (RoFormer's pairs split into two halves), GGUF's llama rotates neighbours 2i and 2i + 1:
    /// GGUF row 2i + s of a head is row s × width/2 + i.
    /// </summary>
    public static int RotarySource(int row, int headWidth)
    {
        int head = row / headWidth, within = row % headWidth;
        return (head * headWidth) + (within % 2 * (headWidth / 2)) + (within / 2);
    }
}

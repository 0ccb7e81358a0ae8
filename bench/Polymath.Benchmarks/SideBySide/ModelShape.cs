using Polymath.Files;

namespace Polymath.Benchmarks;

/// <summary>The sizes of a model that people run. Letters as in ARCHITECTURE.md.</summary>
/// <param name="Name">For the command line.</param>
/// <param name="Architecture">general.architecture.</param>
/// <param name="PreTokenizer">tokenizer.ggml.pre.</param>
/// <param name="Context">Tokens it was trained to see.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Width">D.</param>
/// <param name="Heads">H.</param>
/// <param name="KeyValueHeads">K.</param>
/// <param name="HeadSize">S.</param>
/// <param name="FeedForward">F.</param>
/// <param name="Vocabulary">V.</param>
/// <param name="RopeBase">Base of the rotary frequencies.</param>
/// <param name="NormEpsilon">Added under the root of every norm.</param>
internal sealed record ModelShape(
    string Name,
    string Architecture,
    string PreTokenizer,
    int Context,
    int Layers,
    int Width,
    int Heads,
    int KeyValueHeads,
    int HeadSize,
    int FeedForward,
    int Vocabulary,
    float RopeBase,
    float NormEpsilon)
{
    /// <summary>All of them. In each the embedding is the output head too.</summary>
    public static readonly ModelShape[] All =
    [
        new("llama-3.2-1b", "llama", "llama-bpe", 131072, 16, 2048, 32, 8, 64, 8192, 128256, 500000, 1e-5f),
        new("smollm2-135m", "llama", "smollm", 8192, 30, 576, 9, 3, 64, 1536, 49152, 100000, 1e-5f),
        new("smollm2-360m", "llama", "smollm", 8192, 32, 960, 15, 5, 64, 2560, 49152, 100000, 1e-5f),
        new("qwen3-0.6b", "qwen3", "qwen2", 40960, 28, 1024, 16, 8, 128, 3072, 151936, 1000000, 1e-6f),
    ];

    /// <summary>The settings and a vocabulary of that size.</summary>
    public Metadata Metadata()
    {
        var m = new Metadata();
        m.Set("general.architecture", Architecture);
        m.Set("general.name", $"{Name}, random weights");
        m.Set($"{Architecture}.block_count", (uint)Layers);
        m.Set($"{Architecture}.context_length", (uint)Context);
        m.Set($"{Architecture}.embedding_length", (uint)Width);
        m.Set($"{Architecture}.feed_forward_length", (uint)FeedForward);
        m.Set($"{Architecture}.attention.head_count", (uint)Heads);
        m.Set($"{Architecture}.attention.head_count_kv", (uint)KeyValueHeads);
        m.Set($"{Architecture}.attention.key_length", (uint)HeadSize);
        m.Set($"{Architecture}.attention.value_length", (uint)HeadSize);
        m.Set($"{Architecture}.attention.layer_norm_rms_epsilon", NormEpsilon);
        m.Set($"{Architecture}.rope.dimension_count", (uint)HeadSize);
        m.Set($"{Architecture}.rope.freq_base", RopeBase);
        m.Set($"{Architecture}.vocab_size", (uint)Vocabulary);
        new MadeUpVocabulary(Vocabulary).Describe(m, PreTokenizer);
        return m;
    }

    /// <summary>Name, rows and columns of every tensor, in file order. Norms are one row.</summary>
    public IEnumerable<(string Name, int Rows, int Columns)> Tensors()
    {
        int query = Heads * HeadSize, keyValue = KeyValueHeads * HeadSize;
        yield return ("token_embd.weight", Vocabulary, Width);
        for (int layer = 0; layer < Layers; layer++)
        {
            string block = $"blk.{layer}.";
            yield return (block + "attn_norm.weight", 1, Width);
            yield return (block + "attn_q.weight", query, Width);
            yield return (block + "attn_k.weight", keyValue, Width);
            yield return (block + "attn_v.weight", keyValue, Width);
            if (Architecture == "qwen3")
            {
                yield return (block + "attn_q_norm.weight", 1, HeadSize);
                yield return (block + "attn_k_norm.weight", 1, HeadSize);
            }

            yield return (block + "attn_output.weight", Width, query);
            yield return (block + "ffn_norm.weight", 1, Width);
            yield return (block + "ffn_gate.weight", FeedForward, Width);
            yield return (block + "ffn_up.weight", FeedForward, Width);
            yield return (block + "ffn_down.weight", Width, FeedForward);
        }

        yield return ("output_norm.weight", 1, Width);
    }
}

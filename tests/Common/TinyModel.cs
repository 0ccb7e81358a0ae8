using Polymath.Files;
using Polymath.Generation;
using Polymath.Models;
using Polymath.Tensors;

namespace Polymath;

/// <summary>A Llama-shaped model of a few thousand random weights, for tests that need a whole model file.</summary>
internal static class TinyModel
{
    /// <summary>Tokens: the 256 bytes and one end token, id 256.</summary>
    public const int Vocabulary = 257;

    public static ModelSettings Settings { get; } = new()
    {
        Architecture = "llama",
        Layers = 2,
        Width = 64,
        Heads = 4,
        KeyValueHeads = 2,
        HeadSize = 16,
        FeedForward = 96,
        Vocabulary = Vocabulary,
        ContextLength = 128,
        RopeSize = 16,
    };

    /// <summary>Writes the model; <paramref name="change"/> may spoil it first.</summary>
    public static void Write(
        string path, TensorFormat format = TensorFormat.F32, Action<Metadata, List<GgufWriter.Entry>>? change = null)
    {
        var metadata = new Metadata();
        Settings.Write(metadata);
        metadata.Set("general.name", "tiny random model");
        metadata.Set("tokenizer.ggml.model", "gpt2");
        metadata.Set("tokenizer.ggml.pre", "gpt-2");
        metadata.Set("tokenizer.ggml.tokens", Tokens());
        metadata.Set("tokenizer.ggml.token_type", Enumerable.Repeat(1, 256).Append(3).ToArray());
        metadata.Set("tokenizer.ggml.merges", Array.Empty<string>());
        metadata.Set("tokenizer.ggml.bos_token_id", 256u);
        metadata.Set("tokenizer.ggml.eos_token_id", 256u);
        metadata.Set("tokenizer.ggml.add_bos_token", true);

        var random = new RandomSource(1);
        var tensors = new List<GgufWriter.Entry>();
        ModelSettings s = Settings;
        Add("token_embd.weight", s.Vocabulary, s.Width);
        Add("output_norm.weight", 1, s.Width);
        for (int i = 0; i < s.Layers; i++)
        {
            Add($"blk.{i}.attn_norm.weight", 1, s.Width);
            Add($"blk.{i}.attn_q.weight", s.QueryWidth, s.Width);
            Add($"blk.{i}.attn_k.weight", s.KeyValueWidth, s.Width);
            Add($"blk.{i}.attn_v.weight", s.KeyValueWidth, s.Width);
            Add($"blk.{i}.attn_output.weight", s.Width, s.QueryWidth);
            Add($"blk.{i}.ffn_norm.weight", 1, s.Width);
            Add($"blk.{i}.ffn_gate.weight", s.FeedForward, s.Width);
            Add($"blk.{i}.ffn_up.weight", s.FeedForward, s.Width);
            Add($"blk.{i}.ffn_down.weight", s.Width, s.FeedForward);
        }

        change?.Invoke(metadata, tensors);
        GgufWriter.Write(path, metadata, tensors);

        void Add(string name, int rows, int columns)
        {
            bool norm = rows == 1;
            Tensor value = Tensor.Zeros(norm ? TensorFormat.F32 : format, rows, columns);
            float[] row = new float[columns];
            for (int r = 0; r < rows; r++)
            {
                for (int c = 0; c < columns; c++)
                    row[c] = (float)((norm ? 1 : 0) + (0.2 * random.NextNormal()));
                BlockFormat.Quantize(value.Format, row, value.RowData(r));
            }

            tensors.Add(new GgufWriter.Entry(name, norm ? [columns] : [columns, rows], value));
        }
    }

    // GPT-2's printable stand-ins for the 256 bytes, then the end token.
    private static string[] Tokens()
    {
        var tokens = new string[Vocabulary];
        int next = 256;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            tokens[b] = ((char)(printable ? b : next++)).ToString();
        }

        tokens[256] = "<|endoftext|>";
        return tokens;
    }
}

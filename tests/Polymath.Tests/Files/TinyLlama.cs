using System.Text;
using Polymath.Files;

namespace Polymath.Tests.Files;

/// <summary>A Llama model as Hugging Face stores it, as small as all its parts allow, in memory.</summary>
internal static class TinyLlama
{
    public const int Layers = 2, Width = 16, FeedForward = 24, Heads = 4, KeyValueHeads = 2, HeadWidth = 4, Vocabulary = 12;

    public const string Config = """
        {
          "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
          "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
          "num_key_value_heads": 2, "vocab_size": 12, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
          "rope_theta": 50000.0, "rope_scaling": null, "tie_word_embeddings": false, "attention_bias": false,
          "mlp_bias": false, "bos_token_id": 1, "eos_token_id": [2, 3]
        }
        """;

    /// <summary>The settings with one field replaced or added.</summary>
    public static string With(string field)
    {
        string name = field[..(field.IndexOf(':', StringComparison.Ordinal) + 1)];
        int at = Config.IndexOf(name, StringComparison.Ordinal);
        if (at < 0)
            return Config.Replace("\"mlp_bias\"", field + ", \"mlp_bias\"", StringComparison.Ordinal);
        int end = at + name.Length;
        for (int depth = 0; depth > 0 || Config[end] is not (',' or '\n'); end++)
            depth += Config[end] == '[' ? 1 : Config[end] == ']' ? -1 : 0;
        return Config[..at] + field + Config[end..];
    }

    /// <summary>Names and shapes in the order a checkpoint has them.</summary>
    public static IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        yield return ("lm_head.weight", [Vocabulary, Width]);
        yield return ("model.embed_tokens.weight", [Vocabulary, Width]);
        for (int layer = 0; layer < Layers; layer++)
        {
            string name = $"model.layers.{layer}.";
            yield return (name + "input_layernorm.weight", [Width]);
            yield return (name + "mlp.down_proj.weight", [Width, FeedForward]);
            yield return (name + "mlp.gate_proj.weight", [FeedForward, Width]);
            yield return (name + "mlp.up_proj.weight", [FeedForward, Width]);
            yield return (name + "post_attention_layernorm.weight", [Width]);
            yield return (name + "self_attn.k_proj.weight", [KeyValueHeads * HeadWidth, Width]);
            yield return (name + "self_attn.o_proj.weight", [Width, Heads * HeadWidth]);
            yield return (name + "self_attn.q_proj.weight", [Heads * HeadWidth, Width]);
            yield return (name + "self_attn.v_proj.weight", [KeyValueHeads * HeadWidth, Width]);
        }

        yield return ("model.norm.weight", [Width]);
    }

    public static byte[] Weights() => SafetensorsBytes.Floats([.. Tensors()]);

    public static HuggingFaceFolder Open(string config, byte[]? weights = null) => Open(Encoding.UTF8.GetBytes(config), weights ?? Weights());

    public static HuggingFaceFolder Open(byte[] config, byte[] weights) =>
        HuggingFaceFolder.Open("model", config, SafetensorsFile.Open(FileImage.FromBytes("model/model.safetensors", weights)));
}

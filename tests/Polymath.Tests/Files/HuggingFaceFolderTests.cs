using System.Text;
using Polymath.Files;
using Polymath.Files.HuggingFace;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

public sealed class HuggingFaceFolderTests
{
    [Fact]
    public void Settings_appear_under_gguf_keys()
    {
        using HuggingFaceFolder model = TinyLlama.Open(TinyLlama.Config);
        Assert.Equal("llama", model.Architecture);
        Metadata settings = model.Metadata;
        Assert.Equal(TinyLlama.Layers, settings.GetInt32("llama.block_count"));
        Assert.Equal(TinyLlama.Width, settings.GetInt32("llama.embedding_length"));
        Assert.Equal(TinyLlama.FeedForward, settings.GetInt32("llama.feed_forward_length"));
        Assert.Equal(TinyLlama.Heads, settings.GetInt32("llama.attention.head_count"));
        Assert.Equal(TinyLlama.KeyValueHeads, settings.GetInt32("llama.attention.head_count_kv"));
        Assert.Equal(TinyLlama.HeadWidth, settings.GetInt32("llama.attention.key_length"));
        Assert.Equal(TinyLlama.HeadWidth, settings.GetInt32("llama.rope.dimension_count"));
        Assert.Equal(TinyLlama.Vocabulary, settings.GetInt32("llama.vocab_size"));
        Assert.Equal(64, settings.GetInt32("llama.context_length"));
        Assert.Equal(1e-5f, settings.GetSingle("llama.attention.layer_norm_rms_epsilon"));
        Assert.Equal(50000f, settings.GetSingle("llama.rope.freq_base"));
        Assert.Equal(2, settings.GetInt32("tokenizer.ggml.eos_token_id"));
        Assert.Null(model.TokenizerJsonPath);
    }

    /// <summary>
    /// The order of rows matters only through the rotation: rotating neighbours of the reordered vector must give the
    /// reordered result of rotating halves, for the same angle of each pair.
    /// </summary>
    [Theory]
    [InlineData("attn_q", TinyLlama.Heads)]
    [InlineData("attn_k", TinyLlama.KeyValueHeads)]
    public void Query_and_key_rows_turn_the_rotation_of_halves_into_that_of_neighbours(string name, int heads)
    {
        const int Half = TinyLlama.HeadWidth / 2;
        using HuggingFaceFolder model = TinyLlama.Open(TinyLlama.Config);
        using SafetensorsFile stored = SafetensorsFile.Open(FileImage.FromBytes("x", TinyLlama.Weights()));
        int rows = heads * TinyLlama.HeadWidth;
        Tensor gguf = model.Read($"blk.1.{name}.weight", rows, TinyLlama.Width);
        Tensor halves = stored.Read(stored.Entries[$"model.layers.1.self_attn.{name[^1]}_proj.weight"], rows, TinyLlama.Width);
        for (int column = 0; column < TinyLlama.Width; column++)
        {
            for (int head = 0; head < heads; head++)
            {
                int start = head * TinyLlama.HeadWidth;
                for (int pair = 0; pair < Half; pair++)
                {
                    (double sin, double cos) = Math.SinCos(0.3 + pair);
                    double a = halves.Row(start + pair)[column], b = halves.Row(start + Half + pair)[column];
                    double even = gguf.Row(start + (2 * pair))[column], odd = gguf.Row(start + (2 * pair) + 1)[column];
                    Assert.Equal((a * cos) - (b * sin), (even * cos) - (odd * sin));
                    Assert.Equal((a * sin) + (b * cos), (even * sin) + (odd * cos));
                }
            }
        }
    }

    [Fact]
    public void Tensors_are_those_of_the_config_and_no_others()
    {
        using HuggingFaceFolder model = TinyLlama.Open(TinyLlama.Config);
        Assert.Equal(3 + (9 * TinyLlama.Layers), model.Tensors.Count);
        Assert.Contains(model.Tensors, tensor => tensor.Name == "blk.1.ffn_down.weight");
        Tensor down = model.Read("blk.1.ffn_down.weight", TinyLlama.Width, TinyLlama.FeedForward);
        Assert.Equal(down.Row(0)[0] + 1, down.Row(0)[1]);
        Assert.Throws<ModelFormatException>(() => model.Read("blk.2.ffn_down.weight", TinyLlama.Width, TinyLlama.FeedForward));
        Assert.Throws<ModelFormatException>(() => model.Read("blk.1.ffn_down.weight", TinyLlama.FeedForward, TinyLlama.Width));
        Assert.Throws<ModelFormatException>(() => model.Read("blk.1.attn_q.weight", 1, TinyLlama.Width));

        Refuses(TinyLlama.Config.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", StringComparison.Ordinal), "layers.2");
        Refuses(TinyLlama.Config.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", StringComparison.Ordinal), "no place");
        Refuses(TinyLlama.Config.Replace("\"vocab_size\": 12", "\"vocab_size\": 13", StringComparison.Ordinal), "embed_tokens");
    }

    [Theory]
    [InlineData("model.embed_tokens.weight")]
    [InlineData("lm_head.weight")]
    public void A_tied_embedding_may_be_stored_under_either_name(string name)
    {
        (string Name, int[] Shape)[] tensors = [.. TinyLlama.Tensors().Where(tensor => tensor.Shape[0] != TinyLlama.Vocabulary)];
        byte[] weights = SafetensorsBytes.Floats([(name, [TinyLlama.Vocabulary, TinyLlama.Width]), .. tensors]);
        using HuggingFaceFolder model = TinyLlama.Open(TinyLlama.With("\"tie_word_embeddings\": true"), weights);
        Assert.Equal(TinyLlama.Width, model.Read("token_embd.weight", TinyLlama.Vocabulary, TinyLlama.Width).Row(1)[0]);
        Assert.False(model.Contains("output.weight"));
    }

    [Fact]
    public void Biases_are_carried_over_and_those_of_query_and_key_reordered()
    {
        (string Name, int[] Shape)[] biases = [.. TinyLlama.Tensors()
            .Where(tensor => tensor.Name.Contains("self_attn", StringComparison.Ordinal))
            .Select(tensor => (tensor.Name.Replace(".weight", ".bias", StringComparison.Ordinal), new[] { tensor.Shape[0] }))];
        byte[] weights = SafetensorsBytes.Floats([.. TinyLlama.Tensors(), .. biases]);
        using HuggingFaceFolder model = TinyLlama.Open(TinyLlama.With("\"attention_bias\": true"), weights);
        float[] bias = model.Read("blk.0.attn_q.bias", 1, 16).AsFloats().ToArray();
        Assert.Equal([0, 2, 1, 3, 4, 6, 5, 7], bias[..8].Select(value => (int)(value - bias[0])));
        float[] straight = model.Read("blk.0.attn_v.bias", 1, 8).AsFloats().ToArray();
        Assert.Equal([0, 1, 2, 3], straight[..4].Select(value => (int)(value - straight[0])));
        Refuses(TinyLlama.Config, "no place", weights);
    }

    [Fact]
    public void Linear_and_llama3_scaling_are_translated()
    {
        using HuggingFaceFolder linear = TinyLlama.Open(TinyLlama.With("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4.0}"));
        Assert.Equal("linear", linear.Metadata.GetString("llama.rope.scaling.type"));
        Assert.Equal(4f, linear.Metadata.GetSingle("llama.rope.scaling.factor"));
        Assert.False(linear.Contains("rope_freqs.weight"));

        using HuggingFaceFolder llama3 = TinyLlama.Open(TinyLlama.With(
            "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}"));
        Assert.Equal(TinyLlama.HeadWidth / 2, llama3.Read("rope_freqs.weight", 1, TinyLlama.HeadWidth / 2).Columns);
    }

    /// <summary>Divisors that follow by hand from the three cases of Llama 3.1's reference code, head width 128, base 500000.</summary>
    [Fact]
    public void The_llama3_divisors_keep_short_waves_stretch_long_ones_and_blend_between()
    {
        var scaling = new RopeScaling(RopeScalingKind.Llama3, 8, 1, 4, 8192);
        float[] divisors = scaling.Divisors(500_000, 128);
        Assert.Equal(64, divisors.Length);
        Assert.All(divisors[..29], divisor => Assert.Equal(1f, divisor));    // wavelength below 8192 / 4 up to i = 28
        Assert.All(divisors[35..], divisor => Assert.Equal(8f, divisor));    // above 8192 from i = 35
        for (int i = 29; i < 35; i++)
        {
            double wavelength = 2 * Math.PI / Math.Pow(500_000, -i / 64.0);
            double smooth = ((8192 / wavelength) - 1) / 3, theta = 2 * Math.PI / wavelength;
            Assert.Equal(((1 - smooth) * theta / 8) + (smooth * theta), theta / divisors[i], theta * 1e-6);
        }
    }

    [Theory]
    [InlineData("\"hidden_size\": 0")]
    [InlineData("\"hidden_size\": -16")]
    [InlineData("\"hidden_size\": 1e3")]
    [InlineData("\"hidden_size\": 99999999999")]
    [InlineData("\"hidden_size\": \"16\"")]
    [InlineData("\"num_hidden_layers\": 1025")]
    [InlineData("\"num_attention_heads\": 3")]
    [InlineData("\"num_key_value_heads\": 3")]
    [InlineData("\"num_key_value_heads\": 8")]
    [InlineData("\"head_dim\": 3")]
    [InlineData("\"rms_norm_eps\": 0")]
    [InlineData("\"rms_norm_eps\": 1e400")]
    [InlineData("\"rms_norm_eps\": 1e-60")]
    [InlineData("\"rope_theta\": -1")]
    [InlineData("\"rope_theta\": 1e39")]
    [InlineData("\"hidden_act\": \"gelu\"")]
    [InlineData("\"tie_word_embeddings\": 1")]
    [InlineData("\"eos_token_id\": 12")]
    [InlineData("\"bos_token_id\": -1")]
    [InlineData("\"partial_rotary_factor\": 0.5")]
    [InlineData("\"quantization_config\": {}")]
    [InlineData("\"rope_scaling\": {\"type\": \"yarn\"}")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\"}")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}")]
    [InlineData("\"rope_scaling\": []")]
    [InlineData("\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, \"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}")]
    [InlineData("\"architectures\": [\"GPT2LMHeadModel\"]")]
    [InlineData("\"architectures\": []")]
    [InlineData("\"model_type\": \"\\ud800\"")]
    public void Settings_out_of_range_or_not_computed_are_refused(string field) => Refuses(TinyLlama.With(field), "config.json");

    [Fact]
    public void A_setting_twice_is_refused() =>
        Refuses(TinyLlama.Config.Replace("{", "{\"vocab_size\": 12,", StringComparison.Ordinal), "config.json");

    [Fact]
    public void A_sliding_window_bounds_the_context()
    {
        using HuggingFaceFolder model = TinyLlama.Open(TinyLlama.With("\"sliding_window\": 32").Replace("Llama", "Mistral", StringComparison.Ordinal));
        Assert.Equal(32, model.Metadata.GetInt32("llama.context_length"));
    }

    [Fact]
    public void Shards_are_joined_by_the_index()
    {
        using var folder = new TemporaryFolder();
        (string Name, int[] Shape)[] tensors = [.. TinyLlama.Tensors()];
        WriteShards(folder, tensors, name => $"\"{name}\"");
        using WeightSource model = WeightSource.Open(folder.Path);
        Assert.Equal(tensors.Length, model.Tensors.Count);
        Assert.Equal(TinyLlama.Width, model.Read("blk.1.attn_norm.weight", 1, TinyLlama.Width).Columns);
        Assert.Equal(folder["tokenizer.json"], model.TokenizerJsonPath);
    }

    [Theory]
    [InlineData("\"../b.safetensors\"")]
    [InlineData("\"/etc/b.safetensors\"")]
    [InlineData("\"sub\\\\b.safetensors\"")]
    [InlineData("\"c:b.safetensors\"")]
    [InlineData("\"b.bin\"")]
    [InlineData("\"\"")]
    [InlineData("\"missing.safetensors\"")]
    [InlineData("\"b.safetensors\"")]
    [InlineData("7")]
    public void An_index_may_only_name_shards_of_its_own_folder_that_hold_the_tensor(string shard)
    {
        using var folder = new TemporaryFolder();
        WriteShards(folder, [.. TinyLlama.Tensors()], name => name == "a.safetensors" ? shard : $"\"{name}\"");
        Assert.Throws<ModelFormatException>(() => WeightSource.Open(folder.Path).Dispose());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"weight_map\":{}}")]
    [InlineData("{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"x.safetensors\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"x.safetensors\"},\"weight_map\":{\"a\":\"x.safetensors\"}}")]
    [InlineData("{\"metadata\":[[[[[[[[[[]]]]]]]]]],\"weight_map\":{\"a\":\"x.safetensors\"}}")]
    [InlineData("{\"weight_map\":{\"a\":\"x.safetensors\"}")]
    [InlineData("{\"weight_map\":{\"a\":\"x.safetensors\"}} 1")]
    public void A_damaged_index_is_refused(string json) =>
        Assert.Throws<ModelFormatException>(() => ShardIndex.Parse("index.json", Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void A_folder_without_a_model_says_what_is_missing()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("config.json", Assert.Throws<ModelFormatException>(() => WeightSource.Open(folder.Path).Dispose()).Message);
        File.WriteAllText(folder["config.json"], TinyLlama.Config);
        Assert.Contains("model.safetensors", Assert.Throws<ModelFormatException>(() => WeightSource.Open(folder.Path).Dispose()).Message);
        File.WriteAllBytes(folder["config.json"], new byte[HuggingFaceFolder.ConfigBytes + 1]);
        Assert.Contains("limit", Assert.Throws<ModelFormatException>(() => WeightSource.Open(folder.Path).Dispose()).Message);
    }

    [Fact]
    public void The_shared_model_opens_with_its_embedding_under_the_head_s_name()
    {
        using WeightSource model = WeightSource.Open(Shared.Require("data/models/stories656k"));
        Tensor embedding = model.Read("token_embd.weight", 2048, 128);
        Assert.Contains(embedding.AsFloats().ToArray(), value => value != 0);
        Assert.Equal(0, model.Metadata.GetInt32("llama.block_count") - 2);
        Assert.False(model.Contains("output.weight"));
        Assert.NotNull(model.TokenizerJsonPath);
        foreach (TensorInfo tensor in model.Tensors)
            Assert.Equal(tensor.ByteLength, model.Read(tensor.Name, (int)(tensor.ElementCount / tensor.Dimensions[0]), (int)tensor.Dimensions[0]).ByteLength);
    }

    private static void WriteShards(TemporaryFolder folder, (string Name, int[] Shape)[] tensors, Func<string, string> named)
    {
        int half = tensors.Length / 2;
        File.WriteAllText(folder["config.json"], TinyLlama.Config);
        File.WriteAllText(folder["tokenizer.json"], "{}");
        File.WriteAllBytes(folder["a.safetensors"], SafetensorsBytes.Floats(tensors[..half]));
        File.WriteAllBytes(folder["b.safetensors"], SafetensorsBytes.Floats(tensors[half..]));
        IEnumerable<string> map = tensors.Select((tensor, i) => $"\"{tensor.Name}\": {named(i < half ? "a.safetensors" : "b.safetensors")}");
        File.WriteAllText(
            folder["model.safetensors.index.json"],
            $"{{\"metadata\": {{\"total_size\": 1}}, \"weight_map\": {{{string.Join(',', map)}}}}}");
    }

    private static void Refuses(string config, string about, byte[]? weights = null)
    {
        string message = Assert.Throws<ModelFormatException>(() => TinyLlama.Open(config, weights).Dispose()).Message;
        Assert.Contains(about, message);
        Assert.DoesNotContain('\n', message);
    }
}

using System.Text;
using System.Text.Json;
using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Tests.Files;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>show, tokenize, logits, bench and quantize on a small model.</summary>
public sealed class ModelCommandTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>
{
    [Fact]
    public void Show_lists_settings_metadata_and_tensors()
    {
        string text = CliRun.Succeed("show", tiny.Path);
        Assert.Matches(@"layers +2\n", text);
        Assert.Matches(@"architecture +llama\n", text);
        Assert.Matches(@"tokenizer\.ggml\.tokens +String\[257\] ", text);
        Assert.Matches(@"blk\.1\.ffn_down\.weight +F32 +\[64, 96\] +24\.00 KiB\n", text);
    }

    [Fact]
    public void Show_as_json_holds_everything()
    {
        using JsonDocument cut = JsonDocument.Parse(CliRun.Succeed("show", tiny.Path, "--json"));
        Assert.Equal(257, cut.RootElement.GetProperty("metadata").GetProperty("tokenizer.ggml.tokens").GetProperty("count").GetInt32());
        using JsonDocument whole = JsonDocument.Parse(CliRun.Succeed("show", tiny.Path, "--json", "--all"));
        JsonElement root = whole.RootElement;
        Assert.Equal(257, root.GetProperty("metadata").GetProperty("tokenizer.ggml.tokens").GetArrayLength());
        Assert.Equal(2, root.GetProperty("settings").GetProperty("layers").GetInt32());
        Assert.Equal(1e-5, root.GetProperty("settings").GetProperty("norm_epsilon").GetDouble());
        Assert.Equal(20, root.GetProperty("tensors").GetArrayLength());
    }

    [Fact]
    public void Show_escapes_what_a_hostile_file_says()
    {
        string path = tiny.Beside("hostile.gguf");
        TinyModel.Write(path, change: (metadata, _) =>
        {
            metadata.Set("general.name", "\u001b]0;owned\u0007[red]x[/]\u202e");
            metadata.Set("evil\u001b[2Jkey", new[] { "\u009b31m", "a\nb" });
            metadata.Set("not.finite", float.NaN);
        });
        foreach (string[] args in new string[][] { ["show", path], ["show", path, "--all"], ["show", path, "--json"] })
        {
            string text = CliRun.Succeed(args);
            Assert.DoesNotContain(text, c => char.IsControl(c) && c != '\n');
            Assert.DoesNotContain('\u202e', text);
        }
    }

    [Fact]
    public void Show_lists_formats_that_are_not_supported_and_files_with_a_vocabulary_alone()
    {
        string path = tiny.Beside("i8.gguf");
        byte[] bytes = new GgufBytes().Head(1, 1).Key("general.architecture", MetadataType.String).Text("llama")
            .Tensor("token_embd.weight", 24, 0, 256, 1).Pad().Raw(new byte[256]).ToArray();
        File.WriteAllBytes(path, bytes);
        string text = CliRun.Succeed("show", path);
        Assert.Contains("I8 (not supported)", text, StringComparison.Ordinal);
        Assert.Matches(@"settings +metadata key llama\.\w+ is missing\n", text);

        File.WriteAllBytes(path, new GgufBytes().Head(0, 1).Key("general.architecture", MetadataType.String).Text("x").ToArray());
        Assert.Contains("a vocabulary alone", CliRun.Succeed("show", path), StringComparison.Ordinal);
    }

    [Fact]
    public void Tokenize_prints_a_line_for_each_token_with_its_bytes_visible()
    {
        string[] lines = CliRun.Succeed("tokenize", tiny.Path, "a é\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(6, lines.Length);
        Assert.EndsWith("'a'", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("' '", lines[2], StringComparison.Ordinal);
        Assert.EndsWith(@"'\xC3'", lines[3], StringComparison.Ordinal);
        Assert.EndsWith(@"'\xA9'", lines[4], StringComparison.Ordinal);
        Assert.EndsWith(@"'\n'", lines[5], StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_of_standard_input_decode_to_the_same_bytes()
    {
        byte[] text = Encoding.UTF8.GetBytes("Ünïcode 🙂\r\n\ttext\n");
        CliRun encoded = CliRun.With(text, "tokenize", tiny.Path, "--ids", "--no-special");
        Assert.Matches(@"\A\d+( \d+)*\n\z", encoded.Text);
        Assert.Equal(text.Length, encoded.Text.Split(' ').Length);
        CliRun decoded = CliRun.With(encoded.Output, "tokenize", tiny.Path, "--decode");
        Assert.Equal(text, decoded.Output);
    }

    [Fact]
    public void Logits_as_json_hold_the_bits_of_the_session_and_the_greedy_tokens()
    {
        using JsonDocument json = JsonDocument.Parse(CliRun.Succeed("logits", tiny.Path, "--ids", "72,105", "-n", "5", "--json"));
        Assert.Equal([72, 105], json.RootElement.GetProperty("prompt_ids").EnumerateArray().Select(e => e.GetInt32()));
        using Model model = Model.Load(tiny.Path);
        using Session session = model.NewSession();
        float[] expected = session.Forward([72, 105]).ToArray();
        Assert.Equal(expected, json.RootElement.GetProperty("first_logits").EnumerateArray().Select(e => e.GetSingle()));
        int[] ids = [.. json.RootElement.GetProperty("ids").EnumerateArray().Select(e => e.GetInt32())];
        Assert.Equal(5, ids.Length);
        Assert.Equal(Array.IndexOf(expected, expected.Max()), ids[0]);
        expected = session.Forward([ids[0]]).ToArray();
        Assert.Equal(Array.IndexOf(expected, expected.Max()), ids[1]);
    }

    [Fact]
    public void Logits_as_text_show_the_ten_likeliest_in_order()
    {
        string[] rows = CliRun.Succeed("logits", tiny.Path, "Hi").Split("token\n")[1].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(10, rows.Length);
        double[] logits = [.. rows.Select(r => double.Parse(r.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(logits.OrderDescending(), logits);
    }

    [Fact]
    public void Bench_reports_both_tests()
    {
        using JsonDocument json = JsonDocument.Parse(CliRun.Succeed("bench", tiny.Path, "-p", "16", "-n", "4", "-r", "3", "--json"));
        JsonElement[] tests = [.. json.RootElement.GetProperty("tests").EnumerateArray()];
        Assert.Equal(["pp16", "tg4"], tests.Select(t => t.GetProperty("test").GetString()));
        Assert.All(tests, t => Assert.Equal(3, t.GetProperty("seconds").GetArrayLength()));
        Assert.Equal("jit", json.RootElement.GetProperty("compiled").GetString());
        Assert.True(json.RootElement.GetProperty("memory_bytes_per_second").GetDouble() > 0);
        Assert.False(tests[0].TryGetProperty("bytes_per_second", out _));   // memory does not bound a prompt
        Assert.Matches(@"\| llama F32 \| .* \| +pp8 \| +\d+\.\d\d ± \d+\.\d\d \| +\| +\|", CliRun.Succeed("bench", tiny.Path, "-p", "8", "-n", "0", "-r", "1"));
        Assert.Matches(@"\| +tg4 × 2 @ 8 \| +\d+\.\d\d ± 0\.00 \| +\d+\.\d \| +\d+ % \|", CliRun.Succeed("bench", tiny.Path, "-p", "0", "-n", "4", "-b", "2", "-d", "8", "-r", "1"));
    }

    [Fact]
    public void Bench_counts_what_each_text_reads_of_weights_and_cache()
    {
        using WeightSource source = WeightSource.Open(tiny.Path);
        ModelOutline outline = ModelOutline.Read(source);
        var options = new SessionOptions { ContextLength = 24 };
        foreach ((int texts, int depth) in ((int, int)[])[(1, 0), (1, 20), (3, 20)])
        {
            using JsonDocument json = JsonDocument.Parse(CliRun.Succeed(
                "bench", tiny.Path, "-p", "0", "-n", "4", "-b", $"{texts}", "-d", $"{depth}", "-r", "1", "--json"));
            JsonElement test = Assert.Single(json.RootElement.GetProperty("tests").EnumerateArray());
            Assert.Equal((4 * texts, texts, depth), (test.GetProperty("tokens").GetInt32(), test.GetProperty("texts").GetInt32(), test.GetProperty("depth").GetInt32()));
            long weights = outline.BytesPerToken(0, options) * 4;
            long cache = Enumerable.Range(depth, 4).Sum(position => outline.BytesPerToken(position, options)) - weights;
            double read = test.GetProperty("bytes_per_second").GetDouble() * test.GetProperty("seconds")[0].GetDouble();
            Assert.Equal(weights + (texts * cache), read, tolerance: 1);
        }
    }

    [Theory]
    [InlineData("F32", 0u)]
    [InlineData("f16", 1u)]
    [InlineData("BF16", 32u)]
    [InlineData("Q8_0", 7u)]
    [InlineData("Q4_0", 2u)]
    public void Quantize_writes_a_model_that_runs_with_its_metadata(string type, uint fileType)
    {
        string path = tiny.Beside($"{type}.gguf");
        CliRun.Succeed("quantize", tiny.Path, path, type);
        using WeightSource source = WeightSource.Open(path);
        Assert.Equal("tiny random model", source.Metadata.GetString("general.name"));
        Assert.True(source.Metadata.TryGet("general.file_type", out MetadataValue? stored));
        Assert.Equal(fileType, stored.Value);
        TensorFormat format = Enum.Parse<TensorFormat>(type, ignoreCase: true);
        TensorFormat Of(string name) => source.Tensors.Single(t => t.Name == name).Format;
        Assert.Equal(format, Of("blk.0.attn_q.weight"));
        Assert.Equal(TensorFormat.F32, Of("blk.0.attn_norm.weight"));
        Assert.Equal(format == TensorFormat.Q4_0 ? TensorFormat.Q8_0 : format, Of("token_embd.weight"));
        Assert.StartsWith("prompt", CliRun.Succeed("logits", path, "Hi"), StringComparison.Ordinal);
    }

    [Fact]
    public void Quantize_leaves_what_is_there_when_it_refuses()
    {
        string small = tiny.Beside("small.gguf"), again = tiny.Beside("again.gguf");
        CliRun.Succeed("quantize", tiny.Path, small, "Q8_0");
        File.WriteAllText(again, "precious");
        CliRun refused = CliRun.Of("quantize", small, again, "Q4_0");
        Assert.Equal(1, refused.Code);
        Assert.Contains("--allow-requantize", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(again));
        CliRun.Succeed("quantize", small, again, "Q4_0", "--allow-requantize");
        Assert.True(new FileInfo(again).Length < new FileInfo(small).Length);
    }

    [Fact]
    public void Quantize_never_writes_over_its_input()
    {
        byte[] before = File.ReadAllBytes(tiny.Path);
        string link = tiny.Beside("link.gguf");
        File.CreateSymbolicLink(link, tiny.Path);
        Assert.Equal(2, CliRun.Of("quantize", tiny.Path, tiny.Path, "F16").Code);
        Assert.Equal(2, CliRun.Of("quantize", tiny.Path, link, "F16").Code);
        Assert.Equal(2, CliRun.Of("quantize", link, tiny.Path, "F16").Code);
        Assert.Equal(before, File.ReadAllBytes(tiny.Path));
    }

    [Fact]
    public void Quantize_names_the_tensor_that_holds_no_finite_number()
    {
        string path = tiny.Beside("nan.gguf");
        TinyModel.Write(path, change: (_, tensors) => tensors.Single(t => t.Name == "blk.0.attn_k.weight").Elements().AsFloats()[3] = float.NaN);
        CliRun run = CliRun.Of("quantize", path, tiny.Beside("out.gguf"), "Q8_0");
        Assert.Equal(1, run.Code);
        Assert.Contains("blk.0.attn_k.weight", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        Assert.False(File.Exists(tiny.Beside("out.gguf")));
    }
}

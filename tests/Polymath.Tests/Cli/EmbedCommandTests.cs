using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Cli;

public sealed class EmbedCommandTests(EncoderFile encoders) : IClassFixture<EncoderFile>
{
    private static readonly string[] s_texts =
        ["a cat", "the lorry is red and it stands in the yard", "x", "two kittens", new string('y', 200), "a cat", "the end"];

    [Theory]
    [InlineData("bert-mean", "F32")]
    [InlineData("bert-mean", "Q8_0")]
    [InlineData("bert-cls", "Q4_0")]
    [InlineData("nomic-bert-moe", "Q8_0")]
    [InlineData("modern-bert", "Q8_0")]
    [InlineData("qwen3-last", "Q8_0")]
    public void Vectors_keep_the_order_of_the_texts_and_the_bits_of_each_alone(string name, string type)
    {
        string path = encoders.Of(name, type);
        float[][] together = Vectors(CliRun.Succeed(["embed", path, .. s_texts]));
        Assert.Equal(s_texts.Length, together.Length);
        for (int i = 0; i < 5; i++)
            Assert.Equal(together[i], Assert.Single(Vectors(CliRun.Succeed("embed", path, s_texts[i], "-t", "1"))));
        Assert.Equal(together[0], together[5]);
        Assert.Equal(together.Length - 1, together.Select(vector => string.Join(' ', vector)).Distinct().Count());
        Assert.All(together, vector => Assert.Equal(1, vector.Sum(v => (double)v * v), 1e-5));
    }

    [Fact]
    public void A_vector_is_that_of_the_engine()
    {
        string path = encoders.Of("bert-mean");
        using TextEncoder encoder = TextEncoder.Load(path);
        Assert.Equal(encoder.Embed(encoder.Encode("a cat").Ids), Vectors(CliRun.Succeed("embed", path, "a cat"))[0]);
        using TextEncoder other = TextEncoder.Load(path, new TextEncoderOptions { Pooling = Pooling.Last, Normalize = false });
        float[] expected = other.Embed(other.Encode("a cat").Ids);
        Assert.Equal(expected, Vectors(CliRun.Succeed("embed", path, "a cat", "--pooling", "last", "--no-normalize"))[0]);
    }

    [Fact]
    public void All_formats_hold_the_same_bits()
    {
        string path = encoders.Of("bert-mean");
        float[][] expected = Vectors(CliRun.Succeed(["embed", path, .. s_texts]));

        using JsonDocument json = JsonDocument.Parse(CliRun.Succeed(["embed", path, .. s_texts, "--format", "json"]));
        Assert.Equal(Enumerable.Range(0, s_texts.Length), json.RootElement.EnumerateArray().Select(e => e.GetProperty("index").GetInt32()));
        Assert.Equal(expected, json.RootElement.EnumerateArray().Select(Vector));

        string[] lines = CliRun.Succeed(["embed", path, .. s_texts, "--format", "csv"]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(expected, lines.Select(line => Array.ConvertAll(line.Split(','), v => float.Parse(v, CultureInfo.InvariantCulture))));

        string file = encoders["vectors.npy"];
        Assert.Empty(CliRun.Succeed(["embed", path, .. s_texts, "--format", "npy", "-o", file]));
        byte[] bytes = File.ReadAllBytes(file);
        Assert.Equal(Encoding.Latin1.GetBytes("\u0093NUMPY\u0001\0"), bytes[..8]);
        int head = 10 + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        Assert.Equal(0, head % 64);
        Assert.Equal("{'descr': '<f4', 'fortran_order': False, 'shape': (7, 64), }", Encoding.ASCII.GetString(bytes[10..head]).TrimEnd());
        Assert.Equal((byte)'\n', bytes[head - 1]);
        Assert.Equal(expected.SelectMany(v => v), bytes[head..].Chunk(4).Select(b => BinaryPrimitives.ReadSingleLittleEndian(b)));
    }

    [Fact]
    public void Texts_come_from_arguments_then_files_or_from_standard_input()
    {
        string path = encoders.Of("bert-mean"), lines = encoders["lines.txt"], objects = encoders["objects.jsonl"];
        string expected = CliRun.Succeed("embed", path, "one", "two", "three");
        File.WriteAllText(lines, "two\r\nthree\n");
        File.WriteAllText(objects, "{\"id\":1,\"body\":\"two\"}\n{\"body\":\"thr\\u0065e\"}");
        Assert.Equal(expected, CliRun.Succeed("embed", path, "one", "--file", lines));
        Assert.Equal(expected, CliRun.Succeed("embed", path, "one", "--file", objects, "--jsonl", "body"));
        Assert.Equal(expected, CliRun.With("one\ntwo\nthree"u8.ToArray(), "embed", path).Text);
        Assert.Equal(expected, CliRun.With("{\"t\":\"one\"}\n{\"t\":\"two\"}\n{\"t\":\"three\"}\n"u8.ToArray(), "embed", path, "--jsonl", "t").Text);
        Assert.Equal(4, Vectors(CliRun.Succeed("embed", path, "--file", lines, "--file", lines)).Length);
    }

    [Fact]
    public void Cut_vectors_are_the_first_numbers_scaled_to_length_one()
    {
        string path = encoders.Of("bert-mean");
        float[] whole = Vectors(CliRun.Succeed("embed", path, "a cat", "--no-normalize"))[0];
        float[] cut = Vectors(CliRun.Succeed("embed", path, "a cat", "--dimensions", "10"))[0];
        double length = Math.Sqrt(whole.Take(10).Sum(v => (double)v * v));
        Assert.Equal(10, cut.Length);
        for (int i = 0; i < cut.Length; i++)
            Assert.Equal(whole[i] / length, cut[i], 1e-6);
        Assert.Equal(whole[..10], Vectors(CliRun.Succeed("embed", path, "a cat", "--no-normalize", "--dimensions", "10"))[0]);
        Fails(1, "65", "embed", path, "a cat", "--dimensions", "65");
    }

    [Fact]
    public void A_prompt_stands_before_the_text()
    {
        string plain = encoders.Of("bert-mean");
        string path = encoders.Changed("bert-mean", file => file
            .Set("prompt.names", new[] { "query", "document" }).Set("prompt.texts", new[] { "Q: ", "D: " }).Set("prompt.default", "document"));
        string query = CliRun.Succeed("embed", plain, "Q: a cat");
        Assert.Equal(query, CliRun.Succeed("embed", plain, "a cat", "--prefix", "Q: "));
        Assert.Equal(query, CliRun.Succeed("embed", path, "a cat", "--prompt", "query"));
        Assert.Equal(CliRun.Succeed("embed", plain, "D: a cat"), CliRun.Succeed("embed", path, "a cat"));
        Assert.Equal(CliRun.Succeed("embed", plain, "a cat"), CliRun.Succeed("embed", path, "a cat", "--prefix", ""));
        Fails(1, "query, document", "embed", path, "a cat", "--prompt", "nothing");
        Fails(1, "no prompts", "embed", plain, "a cat", "--prompt", "query");
        Fails(1, "prompt.names", "embed", encoders.Changed("bert-mean", file => file.Set("prompt.names", new[] { "query" })), "a cat");
    }

    [Fact]
    public void A_folder_gives_its_prompts_to_the_file_that_is_made_of_it()
    {
        string folder = encoders["folder"], config = Path.Combine(folder, "config_sentence_transformers.json");
        TinyFolders.All.Single(tiny => tiny.Name == "bert").WriteTo(folder);
        File.WriteAllText(config, """{"prompts":{"query":"ask: ","passage":"tell: "},"default_prompt_name":null}""");
        string converted = encoders["converted.gguf"];
        CliRun.Succeed("convert", folder, converted);
        using (TextEncoder encoder = TextEncoder.Load(converted))
            Assert.Equal(("ask: ", "tell: ", ""), (encoder.Prompts.Query, encoder.Prompts.Document, encoder.Prompts.Default));

        foreach (string bad in new[] { """{"prompts":[]}""", """{"prompts":{"a":1}}""", """{"prompts":{"a":"b"},"default_prompt_name":"c"}""", "{" })
        {
            File.WriteAllText(config, bad);
            Assert.Throws<ModelFormatException>(() => WeightSource.Open(folder));
        }
    }

    [Fact]
    public void Similarities_are_cosines()
    {
        string path = encoders.Of("bert-mean");
        string[] rows = CliRun.Succeed("embed", path, "a cat", "a|b", "a cat", "--similarity", "--no-normalize").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(5, rows.Length);
        string[][] cells = [.. rows[2..].Select(row => row[2..].Split(" | ")[^3..].Select(cell => cell.Trim(' ', '|')).ToArray())];
        Assert.Equal(["1.0000", "1.0000", "1.0000"], new[] { cells[0][0], cells[1][1], cells[0][2] });
        Assert.Equal(cells[0][1], cells[1][0]);
        Assert.NotEqual("1.0000", cells[0][1]);
        Fails(2, "--similarity", "embed", path, "a", "--similarity", "--format", "csv");
    }

    [Fact]
    public void A_long_text_is_refused_with_both_numbers_or_cut()
    {
        string path = encoders.Of("bert-mean"), text = new('z', 300);
        string message = Fails(1, "text 2", "embed", path, "short", text);
        Assert.Contains("301 tokens", message, StringComparison.Ordinal);
        Assert.Contains("256", message, StringComparison.Ordinal);
        CliRun cut = CliRun.Of("embed", path, text, "--cut");
        Assert.Equal(CliRun.Succeed("embed", path, text[..255]), cut.Text);
        Assert.Contains("1 of 1", Assert.Single(cut.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void What_makes_no_sense_is_one_line()
    {
        string path = encoders.Of("bert-mean"), empty = encoders["empty.txt"], npy = encoders["never.npy"];
        File.WriteAllText(empty, "");
        Fails(1, "text 2 is empty", "embed", path, "a", " ");
        Fails(1, "there is no text", "embed", path, "--file", empty);
        Fails(1, "no-such-file", "embed", path, "--file", "no-such-file");
        Fails(2, "-o", "embed", path, "a", "--format", "npy");
        Fails(2, "--format takes", "embed", path, "a", "--format", "xml");
        Fails(2, "--pooling takes", "embed", path, "a", "--pooling", "max");
        Fails(2, "the model", "embed", path, "a", "-o", path);
        Fails(2, "--jsonl", "embed", path, "a", "--jsonl", "t");
        foreach ((string input, string part) in new[] { ("", "there is no text"), ("a\n\nb", "line 2"), ("a\n \n", "line 2") })
            Assert.Contains(part, Assert.Single(CliRun.With(Encoding.UTF8.GetBytes(input), "embed", path).ErrorLines), StringComparison.Ordinal);
        foreach (string line in new[] { "[]", "{", "{\"t\":1}", "{\"u\":\"a\"}", "{\"t\":\"\"}", "{\"t\":\"\\ud800\"}", new string('[', 100000) })
        {
            CliRun run = CliRun.With(Encoding.UTF8.GetBytes("{\"t\":\"a\"}\n" + line), "embed", path, "--jsonl", "t", "--format", "npy", "-o", npy);
            Assert.Equal((1, ""), (run.Code, run.Text));
            Assert.Contains("line 2", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
            Assert.False(File.Exists(npy));
        }
    }

    [Fact]
    public void A_model_of_another_kind_is_refused_in_one_line()
    {
        Fails(1, "polymath rerank", "embed", encoders.Of("bert-rank"), "a");
        Fails(1, "each token", "embed", encoders.Of("bert-none"), "a");
        Assert.Single(Vectors(CliRun.Succeed("embed", encoders.Of("bert-none"), "a", "--pooling", "mean")));
        string writer = encoders["writer.gguf"];
        TinyModel.Write(writer);
        Fails(1, "polymath run", "embed", writer, "a");
        Assert.Single(Vectors(CliRun.Succeed("embed", writer, "a", "--pooling", "mean")));
    }

    [Fact]
    public void Damaged_weights_leave_no_file()
    {
        string output = encoders["damaged.csv"];
        string path = encoders.Changed("gemma-embedding", file => file.Set("dense_2_feat_out", 2u).Set("dense_3_feat_in", 2u)
            .Add("dense_2.weight", [64, 2], float.NaN).Add("dense_3.weight", [2, 64]));
        Fails(1, "not finite", "embed", path, "a", "--format", "csv", "-o", output);
        Assert.False(File.Exists(output));
        Fails(1, "not finite", "embed", path, "a");
    }

    [Fact]
    public void A_model_that_cannot_fit_is_not_loaded()
    {
        using var output = new MemoryStream();
        using var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Polymath.Cli.Terminal(new MemoryStream(), output, error) { Memory = () => new MachineMemory(4000, 4000, false), Variable = _ => null };
        Assert.Equal(1, Polymath.Cli.CommandLine.Run(["embed", encoders.Of("bert-mean"), "a"], terminal));
        Assert.Contains("does not fit", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Quantised_encoders_are_prepared_once_and_the_outline_counts_it()
    {
        using WeightSource source = WeightSource.Open(encoders.Of("bert-mean", "Q8_0"));
        using var team = new ThreadTeam(1);
        Polymath.Models.Encoder encoder = Polymath.Models.Encoder.TryLoad(source, team)!;
        Assert.Equal(InterleavedMatrix.Pays(TensorFormat.Q8_0), encoder.Interleaved.Count > 0);
        Assert.Equal(InterleavedMatrix.Pays(TensorFormat.Q8_0), ModelOutline.Read(source).NeedOf(new SessionOptions()).Made > 0);
        foreach (InterleavedMatrix weights in encoder.Interleaved)
            weights.Free();
    }

    private static string Fails(int code, string part, params string[] args)
    {
        CliRun run = CliRun.Of(args);
        Assert.Equal((code, ""), (run.Code, run.Text));
        string line = Assert.Single(run.ErrorLines);
        Assert.Contains(part, line, StringComparison.Ordinal);
        return line;
    }

    private static float[][] Vectors(string lines) => [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select((line, i) =>
    {
        using JsonDocument json = JsonDocument.Parse(line);
        Assert.Equal(i, json.RootElement.GetProperty("index").GetInt32());
        return Vector(json.RootElement);
    })];

    private static float[] Vector(JsonElement element) => [.. element.GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle())];
}

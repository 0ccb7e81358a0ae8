using System.IO.Compression;
using Polymath.Cli;
using Polymath.Files;
using Polymath.Tensors;
using Polymath.Tests.Files;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>What the command does around the sums; that these are right is held by Polymath.Golden.</summary>
public sealed class ImatrixCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ImatrixCommandTests()
    {
        TinyModel.Write(Model);
        File.WriteAllText(Text, Words(1000));
    }

    private string Model => _folder["model.gguf"];

    private string Text => _folder["text.txt"];

    private string Out => _folder["out.imatrix"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_report_is_one_line_and_quantize_takes_the_file()
    {
        CliRun run = CliRun.Of("imatrix", Model, Text, "-o", Out, "-c", "64");
        Assert.Equal($"{Out}: 14 tensors, 15 chunks of 64 tokens\n", run.Text);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var matrix = ImportanceMatrix.Open(Out);
        Assert.Equal((15, 64), (matrix.Chunks, matrix.ChunkLength));
        Assert.Equal(["text.txt"], matrix.Datasets);
        Assert.All(matrix.Entries.Values, entry => Assert.Equal([15f * 64], entry.Counts));
        float[] sums = matrix.Entries["blk.0.attn_q.weight"].Sums;
        Assert.Equal(sums, matrix.Entries["blk.0.attn_v.weight"].Sums);
        Assert.NotEqual(sums, matrix.Entries["blk.1.attn_q.weight"].Sums);

        string with = _folder["with.gguf"], without = _folder["without.gguf"];
        CliRun.Succeed("quantize", Model, with, "Q4_0", "--imatrix", Out);
        CliRun.Succeed("quantize", Model, without, "Q4_0");
        using GgufFile one = GgufFile.Open(with), other = GgufFile.Open(without);
        Assert.Equal(14, one.Metadata.GetInt32("quantize.imatrix.entries_count"));
        Assert.Equal(15, one.Metadata.GetInt32("quantize.imatrix.chunks_count"));
        Assert.Equal("text.txt", one.Metadata.GetString("quantize.imatrix.dataset"));
        Assert.False(Bytes(one, "blk.0.attn_q.weight").SequenceEqual(Bytes(other, "blk.0.attn_q.weight")));   // it made a difference
        Assert.True(Bytes(one, "token_embd.weight").SequenceEqual(Bytes(other, "token_embd.weight")));        // of which it knows nothing
    }

    [Fact]
    public void Chunks_are_no_longer_than_what_the_model_was_trained_on() =>
        Assert.Contains(", 7 chunks of 128 tokens", CliRun.Succeed("imatrix", Model, Text, "-o", Out), StringComparison.Ordinal);

    [Fact]
    public void The_bytes_do_not_depend_on_the_threads_or_on_where_the_text_comes_from()
    {
        byte[] expected = Measure("-t", "1", "--chunks", "5");
        Assert.Equal(expected, Measure("-t", "3", "--chunks", "5"));
        File.AppendAllText(Text, "\n");
        byte[] text = File.ReadAllBytes(Text);
        using (var zipped = new GZipStream(File.Create(Text), CompressionLevel.Fastest))
            zipped.Write(text);
        Assert.Equal(expected, Measure("--chunks", "5"));
        Assert.NotEqual(expected, Measure("--chunks", "4"));

        Assert.Equal(0, CliRun.With(text, "imatrix", Model, "-", "-o", Out, "-c", "32", "--chunks", "5").Code);
        Assert.Equal(["standard input"], ImportanceMatrix.Open(Out).Datasets);
    }

    [Fact]
    public void A_chunk_longer_than_a_batch_is_one_text()
    {
        TinyModel.Write(Model, change: (metadata, _) => metadata.Set("llama.context_length", 1024u));
        File.WriteAllText(Text, Words(1300));
        CliRun.Succeed("imatrix", Model, Text, "-o", Out, "-c", "600", "--cache-type-k", "F32", "--cache-type-v", "F32");
        ImportanceMatrix.Entry whole = ImportanceMatrix.Open(Out).Entries["blk.1.ffn_down.weight"];
        Assert.Equal([1200f], whole.Counts);

        using var model = Polymath.Models.Model.Load(Model, new Polymath.Models.ModelOptions { BatchSize = 37 });
        using Polymath.Models.Session session = model.NewSession(
            new Polymath.Models.SessionOptions { ContextLength = 600, KeyFormat = TensorFormat.F32, ValueFormat = TensorFormat.F32 });
        var collector = new Polymath.Models.ImportanceCollector(session);
        int[] ids = model.Tokenizer.Encode(Words(1300));
        for (int start = 0; start < 1200; start += 600)
        {
            ids[start] = TinyModel.Vocabulary - 1;
            collector.Add(ids.AsSpan(start, 600), TestContext.Current.CancellationToken);
        }

        Assert.Equal(whole.Sums, collector.ToMatrix("text.txt").Entries["blk.1.ffn_down.weight"].Sums);
        Assert.Throws<ArgumentException>(() => collector.Add(ids.AsSpan(0, 599), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_head_is_measured_if_asked_where_it_is_a_tensor_of_its_own()
    {
        const string Head = "output.weight";
        Assert.Equal(Measure(), Measure("--process-output"));   // the tiny model's is the embedding
        TinyModel.Write(Model, change: (_, tensors) =>
        {
            GgufWriter.Entry embedding = tensors.Single(t => t.Name == "token_embd.weight");
            tensors.Add(new GgufWriter.Entry(Head, embedding.Dimensions, embedding.Elements()));
        });
        Measure();
        Assert.DoesNotContain(Head, ImportanceMatrix.Open(Out).Entries.Keys);
        Measure("--process-output");
        Assert.Equal(TinyModel.Settings.Width, ImportanceMatrix.Open(Out).Entries[Head].Sums.Length);
    }

    [Fact]
    public void Special_tokens_in_the_text_are_text_unless_asked()
    {
        File.WriteAllText(Text, string.Concat(Enumerable.Repeat("<|endoftext|>", 100)));
        Assert.Contains(", 40 chunks of 32 tokens", CliRun.Succeed("imatrix", Model, Text, "-o", Out, "-c", "32"), StringComparison.Ordinal);
        Assert.Contains(", 3 chunks of 32 tokens", CliRun.Succeed("imatrix", Model, Text, "-o", Out, "-c", "32", "--parse-special"), StringComparison.Ordinal);
    }

    [Fact]
    public void Experts_that_saw_no_token_are_told_of()
    {
        TinyArchitectures.Decoders["qwen3moe"]().WithVocabulary(addsBegin: false).Write(Model);   // 2 layers, 3 matrices of 8 experts, 3 used
        CliRun run = CliRun.Of("imatrix", Model, Text, "-o", Out, "-c", "2", "--chunks", "1");
        Assert.Equal(0, run.Code);
        Assert.Matches(@"\Apolymath: \d+ of 48 matrices of experts saw no token", Assert.Single(run.ErrorLines));
        float[] counts = ImportanceMatrix.Open(Out).Entries["blk.1.ffn_up_exps.weight"].Counts;
        Assert.Equal(8, counts.Length);
        Assert.Equal(2 * 3, counts.Sum());
        CliRun.Succeed("quantize", Model, _folder["small.gguf"], "Q4_0", "--imatrix", Out);
    }

    [Theory]
    [InlineData("tokens are less than 2 chunks of 512", "{model}", "{text}", "-o", "{out}", "-c", "512")]
    [InlineData("there is no folder", "{model}", "{text}", "-o", "{folder}/none/out.imatrix")]
    [InlineData("none.txt", "{model}", "{folder}/none.txt", "-o", "{out}")]
    [InlineData("none.gguf", "{folder}/none.gguf", "{text}", "-o", "{out}")]
    [InlineData("does not fit", "{model}", "{text}", "-o", "{out}", "-c", "2000000000")]
    public void What_cannot_be_measured_is_one_line_and_1(string message, params string[] args) => CheckRefused(RunWith(args), 1, message);

    [Fact]
    public void A_file_that_is_no_model_is_refused()
    {
        CheckRefused(CliRun.Of("imatrix", Text, Text, "-o", Out), 1, "text.txt");
        CliRun.Succeed("imatrix", Model, Text, "-o", _folder["other.gguf"], "-c", "32");
        CheckRefused(CliRun.Of("imatrix", _folder["other.gguf"], Text, "-o", Out), 1, "other.gguf");
        TinyArchitectures.Decoders["llama"]().Write(_folder["mute.gguf"]);
        CheckRefused(CliRun.Of("imatrix", _folder["mute.gguf"], Text, "-o", Out), 1, "mute.gguf");   // without a vocabulary
    }

    [Fact]
    public void Damaged_weights_are_found_and_nothing_is_written()
    {
        TinyModel.Write(Model, change: (_, tensors) => tensors.Single(t => t.Name == "blk.0.attn_norm.weight").Elements().AsFloats()[3] = float.NaN);
        CheckRefused(CliRun.Of("imatrix", Model, Text, "-o", Out, "-c", "32"), 1, "not finite");
    }

    [Theory]
    [InlineData("OUT is the model", "{model}", "{text}", "-o", "{model}")]
    [InlineData("OUT is the text", "{model}", "{text}", "-o", "{text}")]
    [InlineData("is a folder", "{model}", "{text}", "-o", "{folder}")]
    [InlineData("--chunks", "{model}", "{text}", "--chunks", "0", "-o", "{out}")]
    [InlineData("--chunks", "{model}", "{text}", "--chunks", "-2", "-o", "{out}")]
    [InlineData("-c", "{model}", "{text}", "-c", "many", "-o", "{out}")]
    [InlineData("2 tokens", "{model}", "{text}", "-c", "1", "-o", "{out}")]
    [InlineData("--bogus", "{model}", "{text}", "--bogus")]
    [InlineData("FILE", "{model}")]
    public void Wrong_usage_is_one_line_and_2(string message, params string[] args)
    {
        byte[] model = File.ReadAllBytes(Model);
        CheckRefused(RunWith(args), 2, message);
        Assert.Equal(model, File.ReadAllBytes(Model));
        Assert.Equal(Words(1000), File.ReadAllText(Text));
    }

    [Fact]
    public void A_person_sees_a_line_that_goes_away_and_Ctrl_C_leaves_nothing()
    {
        using var error = new InterruptAt("chunk 3 of");
        Assert.Equal(0, OnTerminal(new StringWriter(), out string shown));
        Assert.Contains("chunk 31 of 31", shown, StringComparison.Ordinal);
        Assert.EndsWith("\r\u001b[K", shown, StringComparison.Ordinal);

        File.WriteAllText(Out, "before");
        Assert.Equal(130, OnTerminal(error, out shown));
        Assert.DoesNotContain("chunk 4 of", shown, StringComparison.Ordinal);
        Assert.EndsWith("\r\u001b[K", shown, StringComparison.Ordinal);
        Assert.Equal("before", File.ReadAllText(Out));
        Assert.Equal(["model.gguf", "out.imatrix", "text.txt"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private static string Words(int length) => string.Concat(Enumerable.Range(0, length).Select(i => $"line {i * 37} "))[..(length - 1)];

    private static ReadOnlySpan<byte> Bytes(GgufFile file, string name)
    {
        TensorInfo tensor = file.Tensors.Single(t => t.Name == name);
        Tensor value = file.Read(name, (int)tensor.Dimensions[1], (int)tensor.Dimensions[0]);
        return Enumerable.Range(0, value.Rows).SelectMany(row => value.RowData(row).ToArray()).ToArray();
    }

    private byte[] Measure(params string[] options)
    {
        CliRun.Succeed(["imatrix", Model, Text, "-o", Out, "-c", "32", .. options]);
        return File.ReadAllBytes(Out);
    }

    /// <summary>Runs the command with the names of files put in.</summary>
    private CliRun RunWith(string[] args)
    {
        (string Name, string Value)[] places = [("{model}", Model), ("{text}", Text), ("{folder}", _folder.Path), ("{out}", Out)];
        return CliRun.Of(["imatrix", .. args.Select(a => places.Aggregate(a, (text, p) => text.Replace(p.Name, p.Value, StringComparison.Ordinal)))]);
    }

    private void CheckRefused(CliRun run, int code, string message)
    {
        Assert.Equal(code, run.Code);
        Assert.Empty(run.Output);
        Assert.Contains(message, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("bug", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Out));
    }

    private int OnTerminal(StringWriter error, out string shown)
    {
        using var terminal = new Terminal(Stream.Null, Stream.Null, error) { ErrorIsTerminal = true };
        if (error is InterruptAt interrupt)
            interrupt.Terminal = terminal;
        int code = CommandLine.Run(["imatrix", Model, Text, "-o", Out, "-c", "32"], terminal);
        shown = error.ToString();
        return code;
    }

    /// <summary>A standard error that presses Ctrl-C when it reads a text.</summary>
    private sealed class InterruptAt(string text) : StringWriter
    {
        public Terminal? Terminal { get; set; }

        public override void Write(string? value)
        {
            base.Write(value);
            if (value?.Contains(text, StringComparison.Ordinal) == true)
                Terminal!.Interrupt();
        }
    }
}

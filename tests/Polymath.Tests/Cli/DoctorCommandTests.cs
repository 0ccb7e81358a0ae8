using System.Text.Json;
using Polymath.Cli;
using Polymath.Tensors;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>doctor, and the check of memory that the commands with a session share with it.</summary>
public sealed class DoctorCommandTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>
{
    private static readonly MachineMemory s_large = new(8L << 30, 6L << 30, false);

    [Fact]
    public void The_report_names_machine_and_model_and_says_that_it_fits()
    {
        CliRun run = With(s_large, "doctor", tiny.Path, "-c", "100");
        Assert.Equal((0, ""), (run.Code, run.Error));
        foreach (string fact in new[] { "system", "runtime", "processor", "cores", "kernels", "memory", "reading", "computing", "models" })
            Assert.Matches($@"\n  {fact} +\S", run.Text);
        Assert.Matches(@"\n  architecture +llama\n", run.Text);
        Assert.Matches(@"\n  cache +\S+ KiB: 100 tokens, keys F16, values F16\n", run.Text);
        Assert.Matches(@"\n  verdict +fits: needs \S+ [KM]iB, 6\.00 GiB are free\n", run.Text);
        Assert.Matches(@"\n  decoding +\S", run.Text);
    }

    [Fact]
    public void As_json_the_parts_add_up()
    {
        CliRun run = With(s_large, "doctor", tiny.Path, "-c", "64", "--cache-type-v", "F32", "-t", "1", "--json");
        Assert.Equal(0, run.Code);
        using JsonDocument json = JsonDocument.Parse(run.Output);
        JsonElement machine = json.RootElement.GetProperty("machine"), model = json.RootElement.GetProperty("model");
        Assert.Equal(s_large.Total, machine.GetProperty("memory").GetInt64());
        Assert.Equal(1, machine.GetProperty("threads").GetInt32());
        Assert.True(machine.GetProperty("read_bytes_per_second").GetDouble() > 0);
        Assert.True(machine.GetProperty("flops_1_thread").GetDouble() > 0);
        long Size(string name) => model.GetProperty(name).GetInt64();
        Assert.True(model.GetProperty("supported").GetBoolean());
        Assert.Equal(Size("need"), Size("weights_mapped") + Size("weights_made") + Size("cache") + Size("buffers"));
        Assert.Equal(2 * 128 * 32 * (2 + 4), Size("cache"));   // layers, tokens in whole pages, K·S, F16 and F32
        Assert.Equal("fits", model.GetProperty("fit").GetString());
        Assert.Equal(2 * 32 * 32 * (2 + 4), Size("bytes_per_token_full_context") - Size("bytes_per_token_half_context"));
    }

    [Fact]
    public void What_does_not_fit_is_told_with_what_would()
    {
        CliRun now = With(new MachineMemory(8L << 30, 8 << 20, false), "doctor", tiny.Path, "-c", "100000");
        Assert.Equal(0, now.Code);
        Assert.Matches(@"verdict +does not fit: needs \S+ MiB, 8\.00 MiB are free; a context of \d+,\d+ would\n", now.Text);   // heads of 16 do not fill Q8_0
        CliRun never = With(new MachineMemory(8 << 20, 4 << 20, true), "doctor", tiny.Path, "-c", "100000");
        Assert.Equal(1, never.Code);
        Assert.Matches(@"verdict +does not fit: needs \S+ MiB of memory besides the mapped weights, the container has 8\.00 MiB; a context of", never.Text);
    }

    [Fact]
    public void A_smaller_cache_type_is_proposed_where_it_would_do()
    {
        string path = tiny.Beside("wide.gguf");
        TinyModel.Write(path, change: (metadata, _) =>
        {
            metadata.Set("llama.attention.head_count", 2u);
            metadata.Set("llama.attention.head_count_kv", 1u);
            metadata.Set("llama.attention.key_length", 32u);
            metadata.Set("llama.attention.value_length", 32u);
            metadata.Set("llama.rope.dimension_count", 32u);
        });
        CliRun run = With(new MachineMemory(8L << 30, 35L << 20, false), "doctor", path, "-c", "100000", "--cache-type-k", "F32", "--cache-type-v", "F32");
        Assert.Contains(" or cache type Q8_0 would", run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_architecture_that_is_not_supported_is_named_with_those_that_are()
    {
        string path = tiny.Beside("other.gguf");
        TinyModel.Write(path, change: (metadata, _) => metadata.Set("general.architecture", "mam\u001bba"));
        CliRun run = CliRun.Of("doctor", path);
        Assert.Equal(1, run.Code);
        Assert.Matches(@"architecture +mam\S+ba, not supported; supported: .*qwen3.*bert", run.Text);
        Assert.Matches(@"verdict +does not run: architecture", run.Text);
        Assert.DoesNotContain('\u001b', run.Text);
        using JsonDocument json = JsonDocument.Parse(CliRun.Of("doctor", path, "--json").Output);
        Assert.False(json.RootElement.GetProperty("model").GetProperty("supported").GetBoolean());
    }

    [Fact]
    public void A_format_that_is_not_supported_is_named()
    {
        string path = tiny.Beside("i8.gguf");
        TinyModel.Write(path);
        byte[] bytes = File.ReadAllBytes(path);
        int name = bytes.AsSpan().IndexOf("blk.0.attn_q.weight"u8);
        bytes[name + 19 + 4 + 16] = 24;   // I8: behind the name, the number of dimensions and two of them
        File.WriteAllBytes(path, bytes);
        CliRun run = CliRun.Of("doctor", path);
        Assert.Equal(1, run.Code);
        Assert.Matches(@"tensors +1 × I8, not supported\n", run.Text);
        Assert.Matches(@"verdict +does not run: tensor blk\.0\.attn_q\.weight is stored as I8", run.Text);
    }

    [Fact]
    public void A_broken_file_is_one_line_and_code_1()
    {
        string path = tiny.Beside("broken.gguf");
        File.WriteAllBytes(path, File.ReadAllBytes(tiny.Path)[..1000]);
        CliRun run = CliRun.Of("doctor", path);
        Assert.Equal((1, ""), (run.Code, run.Text));
        Assert.Contains("broken.gguf", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        TinyModel.Write(path, change: (_, tensors) => tensors.RemoveAll(t => t.Name == "blk.1.ffn_up.weight"));
        run = CliRun.Of("doctor", path);
        Assert.Equal((1, ""), (run.Code, run.Text));
        Assert.Contains("blk.1.ffn_up.weight is missing", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("doctor", "x.gguf", "-c", "-1")]
    [InlineData("doctor", "x.gguf", "-t", "many")]
    [InlineData("doctor", "x.gguf", "--cache-type-k", "Q2_K")]
    [InlineData("doctor", "x.gguf", "y.gguf")]
    [InlineData("doctor", "--bogus")]
    public void Wrong_usage_gives_2(params string[] args) => Assert.Equal(2, CliRun.Of(args).Code);

    [Fact]
    public void An_encoder_and_a_folder_are_examined_too()
    {
        string path = tiny.Beside("encoder.gguf");
        TinyArchitectures.Encoders["bert-mean"]().Write(path);
        CliRun run = CliRun.Of("doctor", path);
        Assert.True(run.Code == 0, run.Error);
        Assert.Matches(@"architecture +bert, an encoder", run.Text);
        TinyFolder folder = TinyFolders.All.First(f => f.Name.Contains("lama", StringComparison.Ordinal));
        folder.WriteTo(tiny.Beside("folder"));
        Assert.Matches(@"weights +.* made at loading\n", CliRun.Succeed("doctor", tiny.Beside("folder")));
    }

    [Theory]
    [InlineData("run", "-p", "Hi", "-n", "1", "-c", "100000", "-m")]
    [InlineData("logits", "--ids", "1", "-n", "1", "-c", "100000")]
    [InlineData("bench", "-p", "1", "-n", "100000", "-r", "1")]
    public void What_will_never_fit_is_refused_before_loading(params string[] args)
    {
        CliRun run = With(new MachineMemory(8 << 20, 4 << 20, false), [.. args, tiny.Path]);
        Assert.Equal((1, ""), (run.Code, run.Text));
        Assert.Matches(@"^polymath: .*tiny\.gguf: does not fit: needs .* the machine has 8\.00 MiB; .* \(POLYMATH_FORCE=1 goes on anyway\)$", Assert.Single(run.ErrorLines));
    }

    [Fact]
    public void Perplexity_is_checked_with_the_chunks_that_it_will_use()
    {
        string text = tiny.Beside("text.txt");
        File.WriteAllText(text, new string('x', 400));
        CliRun run = With(new MachineMemory(1000, 500, false), "perplexity", tiny.Path, text);
        Assert.Equal(1, run.Code);
        Assert.Contains("does not fit", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(0, With(s_large, "perplexity", tiny.Path, text).Code);
    }

    [Fact]
    public void What_does_not_fit_now_is_a_warning_and_goes_on_and_so_does_force()
    {
        CliRun warned = With(new MachineMemory(8L << 30, 4000, false), "logits", tiny.Path, "--ids", "1", "-n", "1");
        Assert.Equal(0, warned.Code);
        Assert.Contains("does not fit: needs", Assert.Single(warned.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(CliRun.Succeed("logits", tiny.Path, "--ids", "1", "-n", "1"), warned.Text);
        CliRun forced = With(new MachineMemory(4000, 4000, false), ["POLYMATH_FORCE"], "logits", tiny.Path, "--ids", "1", "-n", "1");
        Assert.Equal((0, warned.Text), (forced.Code, forced.Text));
    }

    private static CliRun With(MachineMemory memory, params string[] args) => With(memory, [], args);

    private static CliRun With(MachineMemory memory, string[] switches, params string[] args)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(Stream.Null, output, error)
        {
            Memory = () => memory,
            Variable = name => switches.Contains(name) ? "1" : Environment.GetEnvironmentVariable(name),
        };
        int code = CommandLine.Run(args, terminal);
        return new CliRun(code, output.ToArray(), error.ToString());
    }
}

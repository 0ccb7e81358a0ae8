using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Tests.Files;
using Xunit;

namespace Polymath.Tests.Cli;

public sealed class ConvertCommandTests
{
    public static TheoryData<string> Names => FamilyTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void The_file_holds_what_the_folder_shows(string name)
    {
        using var folder = new TemporaryFolder();
        string input = folder["in"], output = folder["out.gguf"];
        FamilyTests.Folder(name).WriteTo(input, files: name.Length % 3 + 1);
        CliRun.Succeed("convert", input, output);
        using WeightSource from = WeightSource.Open(input), to = WeightSource.Open(output);
        Assert.Equal(from.Tensors.Select(t => (t.Name, t.FormatId)), to.Tensors.Select(t => (t.Name, t.FormatId)));
        foreach (TensorInfo info in from.Tensors)
        {
            int columns = (int)info.Dimensions[0], rows = (int)(info.ElementCount / columns);
            Tensor one = from.Read(info.Name, rows, columns), other = to.Read(info.Name, rows, columns);
            for (int row = 0; row < rows; row++)
                Assert.True(one.RowData(row).SequenceEqual(other.RowData(row)), info.Name);
        }

        foreach ((string key, MetadataValue value) in from.Metadata)
        {
            Assert.True(to.Metadata.TryGet(key, out MetadataValue? stored), key);
            Assert.Equal(value.Value, stored.Value);
        }

        Assert.Equal("model", to.Metadata.GetString("general.type"));
    }

    /// <summary>What a folder and its file compute is the same to the last bit: logits, vectors or scores.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void The_file_computes_what_the_folder_computes(string name)
    {
        using var folder = new TemporaryFolder();
        string input = folder["in"], output = folder["out.gguf"];
        FamilyTests.Folder(name).WriteTo(input);
        CliRun.Succeed("convert", input, output);
        bool writes;
        using (WeightSource source = WeightSource.Open(input))
            writes = Decoder.Supported.Contains(source.Architecture);
        float[] expected = writes ? Logits(input) : Vector(input);
        Assert.True(expected.Distinct().Count() > expected.Length / 2);   // values that say something
        Assert.Equal(expected, writes ? Logits(output) : Vector(output));
    }

    [Theory]
    [InlineData("F32", TensorFormat.F32, 0u)]
    [InlineData("f16", TensorFormat.F16, 1u)]
    [InlineData("BF16", TensorFormat.BF16, 32u)]
    [InlineData("Q8_0", TensorFormat.Q8_0, 7u)]
    public void Matrices_take_the_type_and_small_tensors_stay(string type, TensorFormat format, uint fileType)
    {
        using var folder = new TemporaryFolder();
        FamilyTests.Folder("mixtral").WriteTo(folder["in"]);
        CliRun.Succeed("convert", folder["in"], folder["out.gguf"], "--type", type);
        using WeightSource model = WeightSource.Open(folder["out.gguf"]);
        TensorFormat Of(string tensor) => model.Tensors.Single(t => t.Name == tensor).Format;
        Assert.Equal(format, Of("blk.0.attn_q.weight"));
        Assert.Equal(format, Of("blk.1.ffn_down_exps.weight"));
        Assert.Equal(TensorFormat.F32, Of("blk.0.attn_norm.weight"));
        Assert.Equal(TensorFormat.F32, Of("blk.0.ffn_gate_inp.weight"));
        Assert.Equal(fileType, (uint)model.Metadata.GetInt32("general.file_type"));
    }

    [Fact]
    public void The_chat_template_comes_along()
    {
        using var folder = new TemporaryFolder();
        FamilyTests.Folder("qwen3").WriteTo(folder["in"]);
        File.WriteAllText(folder["in/tokenizer_config.json"],
            """{"chat_template": [{"name": "default", "template": "{{ a }}"}, {"name": "tool_use", "template": "{{ b }}"}]}""");
        CliRun.Succeed("convert", folder["in"], folder["out.gguf"]);
        using WeightSource model = WeightSource.Open(folder["out.gguf"]);
        Assert.Equal("{{ a }}", model.Metadata.GetString("tokenizer.chat_template"));
        Assert.Equal("{{ b }}", model.Metadata.GetString("tokenizer.chat_template.tool_use"));
        Assert.Equal(["tool_use"], model.Metadata.GetArray<string>("tokenizer.chat_templates")!);
    }

    [Fact]
    public void What_is_there_is_left_when_the_folder_is_refused()
    {
        using var folder = new TemporaryFolder();
        FamilyTests.Folder("qwen3").WriteTo(folder["in"]);
        File.WriteAllText(folder["in/config.json"], "{}");
        File.WriteAllText(folder["out.gguf"], "precious");
        CliRun run = CliRun.Of("convert", folder["in"], folder["out.gguf"]);
        Assert.Equal(1, run.Code);
        Assert.Contains("architectures", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(folder["out.gguf"]));
        Assert.Equal(2, CliRun.Of("convert", folder["in"], folder["out.gguf"], "--type", "Q9").Code);
        Assert.Equal(2, CliRun.Of("convert", folder["in/config.json"], folder["out.gguf"]).Code);
        Assert.Equal(1, CliRun.Of("convert", folder["none"], folder["out.gguf"]).Code);
    }

    /// <summary>For tools/reference: folders that llama.cpp is shown after conversion.</summary>
    [Fact]
    public void The_folders_are_converted_where_the_reference_can_read_them()
    {
        string? place = Environment.GetEnvironmentVariable("POLYMATH_WRITE_FOLDERS");
        Assert.SkipWhen(place is null, "writes converted folders into POLYMATH_WRITE_FOLDERS when that is set");
        foreach (TinyFolder tiny in TinyFolders.All)
        {
            string input = Path.Combine(place, tiny.Name.Replace(' ', '-'));
            tiny.WriteTo(input);
            CliRun.Succeed("convert", input, input + ".gguf");
        }
    }

    private static float[] Vector(string path)
    {
        int[] ids = [1, 5, 9, 7, 3, 2, 8];
        using TextEncoder encoder = TextEncoder.Load(path, new TextEncoderOptions { Threads = 1 });
        return encoder.CanRank ? encoder.Classify([ids])[0] : encoder.Embed(ids);
    }

    private static float[] Logits(string path)
    {
        using Model model = Model.Load(path, new ModelOptions { Threads = 1 });
        using Session session = model.NewSession(32);
        return session.Forward([1, 5, 9, 70, 33, 2, 8]).ToArray();
    }
}

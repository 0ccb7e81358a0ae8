using System.Text;
using Polymath.Files;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

/// <summary>Mutated settings and mutated checkpoints of every family.</summary>
public sealed class FamilyMutationTests
{
    private const int Seed = 24;

    private static readonly byte[][] Fragments = [.. ((string[])[
        "0", "-1", "1", "2", "3", "4", "8", "16", "63", "65", "96", "1024", "1025", "65536", "16777216", "2147483647", "2147483648", "1e400", "1e-400", "0.5", "0.25",
        "NaN", "null", "true", "false", "[]", "{}", "[1]", "[0,0]", "[1,1,1,0]", "\"\"", "\"silu\"", "\"gelu\"", "\"\\ud800\"", "[\"full_attention\"]",
        "[\"sliding_attention\",\"linear_attention\"]", "{\"type\":\"linear\",\"factor\":-1}", "{\"rope_type\":\"yarn\",\"factor\":4}", "{\"rope_type\":\"longrope\"}",
        "{\"full_attention\":{\"rope_theta\":0}}", "{\"0\":\"a\",\"1\":\"b\"}", ",\"head_dim\":2", ",\"num_experts\":16384", ",\"num_hidden_layers\":1024", "}", "]", "\"",
    ]).Select(Encoding.UTF8.GetBytes)];

    public static TheoryData<string> Names => FamilyTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutated_settings_are_refused_clearly_or_load(string name)
    {
        TinyFolder folder = FamilyTests.Folder(name);
        Settings(folder, LoadSettings(folder)).Check(400);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutated_checkpoints_are_refused_clearly_or_load(string name)
    {
        TinyFolder folder = FamilyTests.Folder(name);
        byte[] file = TinyFolder.Safetensors(folder.Checkpoint()), config = Encoding.UTF8.GetBytes(folder.Config);
        int header = (int)BitConverter.ToInt64(file) + 8;
        new HostileRun($"checkpoint of {name}", Seed, [new Specimen(name, file, [0], header)], bytes => Use(config, bytes)) { Fragments = Fragments }.Check(150);
    }

    [Theory]
    [InlineData("llama", "as config.json says")]
    [InlineData("mixtral", "is missing")]
    [InlineData("qwen35", "do not divide")]
    [InlineData("phi3", "no even number")]
    [InlineData("gemma3", "is not supported")]
    [InlineData("gpt-oss", "quantised Hugging Face models")]
    [InlineData("xlm-roberta", "is not in")]
    public void A_reader_without_one_of_the_checks_is_found_out(string name, string check)
    {
        TinyFolder folder = FamilyTests.Folder(name);
        Action<byte[]> load = LoadSettings(folder);
        string? bad = Settings(folder, config =>
        {
            try
            {
                load(config);
            }
            catch (ModelFormatException e) when (e.Message.Contains(check, StringComparison.Ordinal))
            {
                throw new InvalidOperationException("planted");
            }
        }).FirstBad(4_000);
        Assert.Contains("planted", bad ?? "nothing found");
    }

    private static HostileRun Settings(TinyFolder folder, Action<byte[]> load) =>
        new($"settings of {folder.Name}", Seed, [new Specimen(folder.Name, Encoding.UTF8.GetBytes(folder.Config))], load) { Fragments = Fragments };

    private static Action<byte[]> LoadSettings(TinyFolder folder)
    {
        byte[] file = TinyFolder.Safetensors(folder.Checkpoint());
        return config => Use(config, file);
    }

    private static void Use(byte[] config, byte[] file)
    {
        using HuggingFaceFolder model = HuggingFaceFolder.Open("model", config, SafetensorsFile.Open(FileImage.FromBytes("model/model.safetensors", file)));
        foreach (TensorInfo info in model.Tensors.Where(tensor => tensor.IsSupported))
        {
            Tensor tensor = model.Read(info.Name, checked((int)(info.ElementCount / info.Dimensions[0])), checked((int)info.Dimensions[0]));
            _ = tensor.RowData(0)[0] + tensor.RowData(tensor.Rows - 1)[^1];
        }
    }
}

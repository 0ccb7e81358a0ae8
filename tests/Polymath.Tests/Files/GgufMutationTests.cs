using Polymath.Files;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

public sealed class GgufMutationTests
{
    private const int Seed = 20261123;
    private const int Rounds = 10_000;

    [Fact]
    public void Ten_thousand_mutated_files_are_refused_clearly_or_load()
    {
        new HostileRun("GGUF", Seed, Small(), Load).Check(Rounds);
        if (Shared.Find("data/models/stories260k/stories260K.gguf") is { } path)
            new HostileRun("GGUF", Seed, [Real(path)], Load).Check(500);
    }

    /// <summary>
    /// The run proves itself: for each rule, a reader that crashes where the real one refuses is found out, so the
    /// mutations reach every one of these checks.
    /// </summary>
    [Theory]
    [InlineData("bytes left")]
    [InlineData("elements do not fit")]
    [InlineData("bytes, but")]
    [InlineData("more than the limit")]
    [InlineData("twice")]
    [InlineData("is no bool")]
    [InlineData("is no metadata type")]
    [InlineData("not valid UTF-8")]
    [InlineData("with a NUL")]
    [InlineData("power of two")]
    [InlineData("dimensions; 1 to 4")]
    [InlineData("dimension 0 is")]
    [InlineData("no known tensor format")]
    [InlineData("in multiples of")]
    [InlineData("multiple of the alignment")]
    [InlineData("beyond the end of the file")]
    [InlineData("overlaps")]
    [InlineData("version")]
    [InlineData("not a GGUF file")]
    public void A_reader_without_one_of_the_checks_is_found_out(string check)
    {
        var run = new HostileRun("GGUF", Seed, Small(), file =>
        {
            try
            {
                Load(file);
            }
            catch (ModelFormatException e) when (e.Message.Contains(check, StringComparison.Ordinal))
            {
                throw new InvalidOperationException("planted");
            }
        });
        Assert.Contains("planted", run.FirstBad(Rounds) ?? "nothing found");
    }

    [Fact]
    public void A_reader_that_trusts_a_count_is_found_out()
    {
        var run = new HostileRun("GGUF", Seed, Small(), file =>
        {
            ulong tensors = file.Length < 16 ? 0 : BitConverter.ToUInt64(file, 8);
            _ = new byte[Math.Min(tensors * 16, 128 << 20)];
            Load(file);
        });
        Assert.Contains("bytes allocated", run.FirstBad(Rounds) ?? "nothing found");
    }

    [Fact]
    public void A_reader_that_takes_too_long_is_found_out()
    {
        int longest = Small().Max(specimen => specimen.Bytes.Length);
        var run = new HostileRun("GGUF", Seed, Small(), file =>
        {
            if (file.Length > longest + 100)
                Thread.Sleep(600);
        })
        {
            Limit = TimeSpan.FromSeconds(0.5),
        };
        Assert.Contains("round", run.FirstBad(Rounds) ?? "nothing found");
        Assert.Contains("too slow", run.FirstBad(Rounds) ?? "nothing found");
    }

    [Fact]
    public unsafe void A_tensor_that_leaves_the_file_is_found_out()
    {
        using FileImage image = FileImage.FromBytes("test", new byte[64]);
        Tensor whole = image.View(0, TensorFormat.F32, 4, 4);
        Assert.True(image.Holds(whole));
        Assert.True(image.Holds(image.View(60, TensorFormat.F32, 1, 1)));
        Assert.False(image.Holds(new Tensor(image, whole.Data, TensorFormat.F32, 4, 5)));
        Assert.False(image.Holds(new Tensor(image, whole.Data + 4, TensorFormat.F32, 4, 4)));
        Assert.False(image.Holds(new Tensor(image, whole.Data - 4, TensorFormat.F32, 1, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.View(4, TensorFormat.F32, 4, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.View(-4, TensorFormat.F32, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.View(0, TensorFormat.F32, int.MaxValue, int.MaxValue));
    }

    /// <summary>Opens a file and uses all of it: every value, and the first and last row of every tensor.</summary>
    internal static void Load(byte[] bytes)
    {
        using GgufFile file = GgufFile.Open(FileImage.FromBytes("test.gguf", bytes));
        foreach ((string key, MetadataValue value) in file.Metadata)
            Walk(key, value);
        foreach (TensorInfo info in file.Tensors.Where(tensor => tensor.IsSupported))
        {
            Tensor tensor = file.Read(info.Name, checked((int)(info.ElementCount / info.Dimensions[0])), checked((int)info.Dimensions[0]));
            if (!file.Image.Holds(tensor) || tensor.ByteLength != info.ByteLength)
                throw new InvalidOperationException($"{info.Name} leaves the file");
            _ = tensor.RowData(0)[0] + tensor.RowData(tensor.Rows - 1)[^1];
        }
    }

    private static void Walk(string key, MetadataValue value)
    {
        if (value.Value is MetadataValue[] arrays)
        {
            foreach (MetadataValue array in arrays)
                Walk(key, array);
        }
        else if (value.Value is string[] strings)
        {
            foreach (string text in strings)
                ArgumentNullException.ThrowIfNull(text);
        }
        else
        {
            ArgumentNullException.ThrowIfNull(value.Value.ToString());
        }
    }

    private static Specimen[] Small() =>
    [
        Built("everything", GgufBytes.Everything()),
        Built("aligned to 1", GgufBytes.Everything(1, 2)),
        Built("no tensors", new GgufBytes().Head(0, 2).Key("a", MetadataType.String).Text("llama")
            .Key("b", MetadataType.Array).ArrayOf(MetadataType.String, 2).Text("x").Text("y")),
        Built("tensors alone", new GgufBytes().Head(3, 0).Tensor("a", 0, 0, 8).Tensor("b", 8, 32, 32, 2).Tensor("c", 30, 128, 16).Pad().Data(160)),
    ];

    private static Specimen Built(string name, GgufBytes bytes) => new(name, bytes.ToArray(), bytes.Fields, bytes.Length);

    private static Specimen Real(string path)
    {
        using GgufFile file = GgufFile.Open(path);
        return new Specimen("stories260K", File.ReadAllBytes(path), [], (int)file.DataOffset);
    }
}

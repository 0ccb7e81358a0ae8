using System.Runtime.InteropServices;
using Polymath.Files;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

public sealed class GgufFileTests
{
    [Theory]
    [InlineData(1, 2u)]
    [InlineData(32, 2u)]
    [InlineData(32, 3u)]
    [InlineData(4096, 3u)]
    public void Every_metadata_type_and_tensor_is_read(int alignment, uint version)
    {
        using GgufFile file = Open(GgufBytes.Everything(alignment, version));
        Assert.Equal((int)version, file.Version);
        Assert.Equal(alignment, file.Alignment);
        Assert.Equal(0, file.DataOffset % alignment);
        object[] values = [.. file.Metadata.Select(pair => pair.Value.Value)];
        Assert.Equal(
            ["llama", (uint)alignment, (byte)200, (sbyte)-123, (ushort)65534, (short)-2, -2, 1.5f, true, ulong.MaxValue, -1L, -2.25, ""],
            values[..13]);
        Assert.Equal(["가나", "", "\0x"], file.Metadata.GetArray<string>("b.strings")!);
        Assert.Equal([true, false, true], file.Metadata.GetArray<bool>("b.bools")!);
        Assert.Empty(file.Metadata.GetArray<ushort>("b.none")!);
        MetadataValue[] nested = file.Metadata.GetArray<MetadataValue>("b.nested")!;
        Assert.Equal([7, 0], (int[])nested[0].Value);
        Assert.Equal(["deep"], (string[])((MetadataValue[])nested[1].Value)[0].Value);

        Assert.Equal(["F32", "F16", "Q4_0", "Q8_0", "Q8_K", "BF16"], file.Tensors.Select(tensor => tensor.FormatName));
        Assert.Equal([24, 10, 36, 34, 292, 48], file.Tensors.Select(tensor => tensor.ByteLength));
        Tensor q4 = file.Read("q4_0", 2, 32);
        Assert.Equal(19, q4.RowData(1)[0]);
        Assert.Equal(36, q4.RowData(1)[^1]);
        Tensor folded = file.Read("bf16", 12, 2);
        Assert.Equal(45, folded.RowData(11)[0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_on_disk_opens_mapped_and_in_memory(bool mapped)
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = GgufBytes.Everything().ToArray();
        File.WriteAllBytes(folder["m.gguf"], bytes);
        using WeightSource source = WeightSource.Open(folder["m.gguf"], mapped);
        Assert.Equal("llama", source.Architecture);
        Assert.Equal(bytes[^48..^44], source.Read("bf16", 12, 2).RowData(0).ToArray());
        if (mapped)
            Assert.Throws<IOException>(() => File.OpenWrite(folder["m.gguf"]).Dispose());
    }

    [Fact]
    public void A_tensor_is_a_view_of_the_file_and_not_a_copy()
    {
        using GgufFile file = Open(GgufBytes.Everything());
        Assert.True(file.Image.Holds(file.Read("f32", 2, 3)));
        ref byte first = ref MemoryMarshal.GetReference(file.Read("f32", 2, 3).RowData(0));
        ref byte again = ref MemoryMarshal.GetReference(file.Read("f32", 2, 3).RowData(0));
        Assert.True(System.Runtime.CompilerServices.Unsafe.AreSame(ref first, ref again));
    }

    [Fact]
    public void Reading_refuses_missing_tensors_other_shapes_and_formats_only_listed()
    {
        using GgufFile file = Open(GgufBytes.Everything());
        Assert.Contains("nothere", Refused(() => file.Read("nothere", 1, 1)));
        Assert.Contains("[2, 3]", Refused(() => file.Read("f32", 3, 2)));
        Assert.Contains("Q8_K", Refused(() => file.Read("q8_k", 1, 256)));
        Refused(() => file.Read("f32", -2, 3));
    }

    [Fact]
    public void A_vocabulary_without_tensors_opens()
    {
        GgufBytes bytes = new GgufBytes().Head(0, 1).Key("general.architecture", MetadataType.String).Text("llama");
        using GgufFile file = Open(bytes);
        Assert.Empty(file.Tensors);
        Assert.False(file.Contains("token_embd.weight"));
    }

    [Fact]
    public void The_shared_vocabularies_and_model_open()
    {
        string folder = Shared.Require("data/tokenizers");
        string[] files = [.. Directory.GetFiles(folder, "*.gguf"), Shared.Require("data/models/stories260k/stories260K.gguf")];
        Assert.True(files.Length >= 7);
        foreach (string path in files)
        {
            using GgufFile file = GgufFile.Open(path);
            Assert.NotEmpty(file.Architecture);
            Assert.NotEmpty(file.Metadata.GetArray<string>("tokenizer.ggml.tokens")!);
        }
    }

    [Fact]
    public void Loading_takes_time_in_proportion_to_the_vocabulary()
    {
        // 100 times the strings: linear work gives about 100, quadratic 10,000; a busy machine lies between.
        Assert.InRange(LoadTime(200_000) / LoadTime(2_000), 0, 5_000);
    }

    [Fact]
    public void A_tensor_behind_four_gibibytes_is_read()
    {
        using var folder = new TemporaryFolder();
        const long Rows = 1L << 20, Columns = 4128;   // 4,386 bytes a row, 4.3 GiB in all
        long bytes = Rows * Columns / 32 * 34;
        byte[] head = new GgufBytes().Head(2, 0).Tensor("big", 8, 0, (ulong)Columns, (ulong)Rows)
            .Tensor("last", 0, (ulong)bytes, 4).Pad().ToArray();
        using (FileStream stream = File.Create(folder["big.gguf"]))
        {
            stream.Write(head);
            stream.Seek(head.Length + bytes, SeekOrigin.Begin);   // a hole: nearly no disk is used
            stream.Write(MemoryMarshal.AsBytes<float>([1f, 2f, 3f, 4f]));
        }

        using GgufFile file = GgufFile.Open(folder["big.gguf"]);
        Assert.True(file.FileLength > 1L << 32);
        Assert.Equal([1f, 2f, 3f, 4f], file.Read("last", 1, 4).AsFloats().ToArray());
        Assert.Equal(0, file.Read("big", (int)Rows, (int)Columns).RowData((int)Rows - 1)[^1]);
    }

    private static double LoadTime(int count)
    {
        GgufBytes bytes = new GgufBytes().Head(0, 1).Key("tokens", MetadataType.Array).ArrayOf(MetadataType.String, (ulong)count);
        for (int i = 0; i < count; i++)
            bytes.Text("token" + i);
        byte[] file = bytes.ToArray();
        double best = double.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            using GgufFile opened = GgufFile.Open(FileImage.FromBytes("test", file));
            best = Math.Min(best, System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return best;
    }

    private static string Refused(Action action) => Assert.Throws<ModelFormatException>(action).Message;

    private static GgufFile Open(GgufBytes bytes) => GgufFile.Open(FileImage.FromBytes("test.gguf", bytes.ToArray()));
}

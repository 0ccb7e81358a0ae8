using Polymath.Files;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

public sealed class GgufWriterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(256)]
    public void Write_read_write_gives_identical_bytes(int alignment)
    {
        using GgufFile source = GgufFile.Open(FileImage.FromBytes("source", GgufBytes.Everything(alignment).ToArray()));
        byte[] first = Rewrite(source);
        using GgufFile copy = GgufFile.Open(FileImage.FromBytes("copy", first));
        Assert.Equal(first, Rewrite(copy));
        Assert.Equal(source.Metadata.Count, copy.Metadata.Count);
        Assert.Equal(alignment, copy.Alignment);
        foreach (TensorInfo tensor in source.Tensors.Where(tensor => tensor.IsSupported))
            Assert.Equal(Bytes(source, tensor), Bytes(copy, tensor));
    }

    [Fact]
    public void The_bytes_are_those_of_the_specification()
    {
        var metadata = new Metadata();
        metadata.Set("general.architecture", "llama");
        metadata.Set("k", new[] { "a", "" });
        byte[] expected = new GgufBytes().Head(2, 2)
            .Key("general.architecture", MetadataType.String).Text("llama")
            .Key("k", MetadataType.Array).ArrayOf(MetadataType.String, 2).Text("a").Text("")
            .Tensor("x", 0, 0, 3).Tensor("y", 0, 32, 2, 1)
            .Pad().Raw(BitConverter.GetBytes(1f)).Raw(BitConverter.GetBytes(2f)).Raw(BitConverter.GetBytes(3f))
            .Pad().Raw(BitConverter.GetBytes(4f)).Raw(BitConverter.GetBytes(5f)).Pad().ToArray();
        byte[] written = Write(metadata, new("x", [3], Tensor.From([1, 2, 3], 1, 3)), new("y", [2, 1], Tensor.From([4, 5], 1, 2)));
        Assert.Equal(expected, written);
    }

    [Fact]
    public void A_real_model_is_written_back_to_the_same_bytes()
    {
        using var folder = new TemporaryFolder();
        string original = Shared.Require("data/models/stories260k/stories260K.gguf");
        using GgufFile source = GgufFile.Open(original);
        GgufWriter.Write(folder["copy.gguf"], source.Metadata, Entries(source));
        Assert.Equal(File.ReadAllBytes(original), File.ReadAllBytes(folder["copy.gguf"]));
    }

    [Fact]
    public void Bad_names_are_refused_on_the_way_out()
    {
        foreach (string name in (string[])["", "a\0b", "\ud800", new string('n', FileLimits.KeyBytes + 1)])
        {
            var metadata = new Metadata();
            Assert.Throws<ArgumentException>(() => Write(metadata, new GgufWriter.Entry(name, [1], Tensor.Zeros(1, 1))));
            metadata.Set(name, 1);
            Assert.Throws<ArgumentException>(() => Write(metadata));
        }
    }

    [Fact]
    public void Bad_values_and_shapes_are_refused_on_the_way_out()
    {
        Tensor x = Tensor.Zeros(2, 3);
        RefusesTensors(new("x", [3, 2], x), new("x", [3, 2], x));
        RefusesTensors(new GgufWriter.Entry("x", [2, 3], x));
        RefusesTensors(new GgufWriter.Entry("x", [], x));
        RefusesTensors(new GgufWriter.Entry("x", [3, 2, 1, 1, 1], x));
        RefusesTensors(new GgufWriter.Entry("x", [3, 0], Tensor.Zeros(0, 3)));
        RefusesTensors(new GgufWriter.Entry("x", [3, 2], default));
        RefusesTensors(new GgufWriter.Entry(new string('x', 128), [3, 2], x));

        RefusesValue(new MetadataValue(MetadataType.Int32, 1u));
        RefusesValue(new MetadataValue(MetadataType.Array, new int[1], MetadataType.UInt32));
        RefusesValue(new MetadataValue(MetadataType.Array, new[] { new MetadataValue(MetadataType.Int32, 1) }, MetadataType.Array));
        RefusesValue(new MetadataValue(MetadataType.String, "\udc00"));
        RefusesValue(new MetadataValue(MetadataType.Array, new[] { "\udc00" }, MetadataType.String));
        RefusesValue(Nested(9));
        var metadata = new Metadata();
        metadata.Set("k", Nested(8));
        Write(metadata);
        metadata.Set("general.alignment", 48u);
        Assert.Throws<ArgumentException>(() => Write(metadata));
        metadata.Set("general.alignment", 64);   // Int32: readers ask for UInt32
        Assert.Throws<ArgumentException>(() => Write(metadata));
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file_and_no_other()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["model.gguf"], "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(folder["model.gguf"], stream =>
        {
            stream.Write("half of the new"u8);
            throw new InvalidOperationException("planted");
        }));
        Assert.Equal("old", File.ReadAllText(folder["model.gguf"]));
        Assert.Equal([folder["model.gguf"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_write_replaces_the_file_while_another_has_it_mapped()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["m.gguf"], GgufBytes.Everything().ToArray());
        using GgufFile old = GgufFile.Open(folder["m.gguf"]);
        if (!OperatingSystem.IsWindows())
            GgufWriter.Write(folder["m.gguf"], new Metadata(), []);
        Assert.Equal(45, old.Read("bf16", 12, 2).RowData(11)[0]);
    }

    [Fact]
    public void Orphans_of_dead_processes_are_removed_and_others_stay()
    {
        using var folder = new TemporaryFolder();
        string dead = folder[$".m.gguf.{int.MaxValue}.1.tmp"], alive = folder[$".m.gguf.{Environment.ProcessId}.1.tmp"];
        string other = folder[".m.gguf.notes.tmp"];
        foreach (string path in (string[])[dead, alive, other])
            File.WriteAllText(path, "x");
        AtomicFile.RemoveOrphans(folder["m.gguf"]);
        Assert.Equal([false, true, true], new[] { File.Exists(dead), File.Exists(alive), File.Exists(other) });
    }

    private static MetadataValue Nested(int depth)
    {
        var value = new MetadataValue(MetadataType.Array, new byte[1]);
        for (int i = 1; i < depth; i++)
            value = new MetadataValue(MetadataType.Array, new[] { value }, MetadataType.Array);
        return value;
    }

    private static void RefusesTensors(params GgufWriter.Entry[] entries) =>
        Assert.Throws<ArgumentException>(() => Write(new Metadata(), entries));

    private static void RefusesValue(MetadataValue value)
    {
        var metadata = new Metadata();
        metadata.Set("key", value);
        Assert.Throws<ArgumentException>(() => Write(metadata));
    }

    private static byte[] Write(Metadata metadata, params GgufWriter.Entry[] entries)
    {
        using var stream = new MemoryStream();
        GgufWriter.Write(stream, metadata, entries);
        return stream.ToArray();
    }

    private static byte[] Rewrite(GgufFile file) => Write(file.Metadata, Entries(file));

    private static GgufWriter.Entry[] Entries(GgufFile file) =>
        [.. file.Tensors.Where(tensor => tensor.IsSupported).Select(tensor => new GgufWriter.Entry(tensor.Name, tensor.Dimensions, Whole(file, tensor)))];

    private static Tensor Whole(GgufFile file, TensorInfo tensor) =>
        file.Read(tensor.Name, (int)(tensor.ElementCount / tensor.Dimensions[0]), (int)tensor.Dimensions[0]);

    private static byte[] Bytes(GgufFile file, TensorInfo tensor)
    {
        Tensor whole = Whole(file, tensor);
        return [.. Enumerable.Range(0, whole.Rows).SelectMany(row => whole.RowData(row).ToArray())];
    }
}

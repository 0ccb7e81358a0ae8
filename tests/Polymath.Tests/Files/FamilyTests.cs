using System.Globalization;
using System.Text;
using Polymath.Files;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

/// <summary>
/// Folders of every family: names, shapes, formats, settings and every element against the tables of
/// <see cref="TinyFolders"/>, whose transformations are done here element by element.
/// </summary>
public sealed class FamilyTests
{
    public static TheoryData<string> Names => [.. TinyFolders.All.Select(folder => folder.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Tensors_are_those_of_the_table_and_no_others(string name)
    {
        TinyFolder folder = Folder(name);
        using HuggingFaceFolder model = Open(folder);
        string[] expected = [.. folder.Lines().Select(line => line.Name).Where(gguf => gguf.Length > 0)];
        Assert.Equal(expected.Order(StringComparer.Ordinal), model.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        Assert.All(expected, gguf => Assert.True(model.Contains(gguf)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Shapes_and_formats_are_those_of_a_gguf_file(string name)
    {
        TinyFolder folder = Folder(name);
        using HuggingFaceFolder model = Open(folder);
        foreach (TinyFolder.Line line in folder.Lines().Where(line => line.Name.Length > 0))
        {
            TensorInfo info = model.Tensors.Single(tensor => tensor.Name == line.Name);
            Assert.Equal(Dimensions(line), info.Dimensions.Select(size => (int)size));
            string[] exact = ["position_embd.weight", "token_types.weight", "ffn_gate_inp.weight", "ffn_gate_inp_shexp.weight", "ssm_conv1d.weight"];
            bool f32 = info.Dimensions.Count == 1 || !line.Name.EndsWith(".weight", StringComparison.Ordinal)
                || line.Name.EndsWith("_norm.weight", StringComparison.Ordinal) || exact.Any(end => line.Name.EndsWith(end, StringComparison.Ordinal));
            Assert.Equal(f32 ? "F32" : line.Type, info.FormatName);
            Assert.Equal(info.ElementCount / GgmlTypes.BlockLength(info.FormatId) * GgmlTypes.BlockBytes(info.FormatId), info.ByteLength);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Elements_follow_from_the_checkpoint(string name)
    {
        TinyFolder folder = Folder(name);
        Dictionary<string, TinyFolder.Stored> checkpoint = folder.Checkpoint();
        using HuggingFaceFolder model = Open(folder);
        foreach (TinyFolder.Line line in folder.Lines().Where(line => line.Name.Length > 0 && line.Sources.Length > 0 && line.Type != "MXFP4"))
        {
            TensorInfo info = model.Tensors.Single(tensor => tensor.Name == line.Name);
            int columns = (int)info.Dimensions[0], rows = (int)(info.ElementCount / columns);
            float[] expected = Turn(line, line.Sources.Select(source => checkpoint[source].Values()).ToArray());
            Tensor found = model.Read(line.Name, rows, columns), again = model.ReadOnce(line.Name, rows, columns);
            Assert.Equal(info.Format, found.Format);
            var values = new float[columns];
            for (int row = 0; row < rows; row++)
            {
                BlockFormat.Dequantize(found.Format, found.RowData(row), values);
                Assert.Equal(expected[(row * columns)..((row + 1) * columns)], values);
                Assert.True(found.RowData(row).SequenceEqual(again.RowData(row)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Settings_are_under_gguf_keys(string name)
    {
        TinyFolder folder = Folder(name);
        using HuggingFaceFolder model = Open(folder);
        var found = new Dictionary<string, string>();
        foreach ((string key, MetadataValue value) in model.Metadata)
            found.Add(key, Show(value));
        foreach (string line in folder.Settings.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string key = $"{model.Architecture}.{line[..line.IndexOf(' ', StringComparison.Ordinal)]}";
            Assert.True(found.ContainsKey(key), $"{key} is missing");
            Assert.Equal(line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..], found[key]);
        }

        Assert.Equal("str " + model.Architecture, found["general.architecture"]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_tensor_too_few_or_too_many_or_of_another_shape_is_refused_by_name(string name)
    {
        TinyFolder folder = Folder(name);
        Dictionary<string, TinyFolder.Stored> checkpoint = folder.Checkpoint();
        string[] extras = [.. folder.Lines().Where(line => line.Name.Length == 0).SelectMany(line => line.Sources)];
        foreach (string lost in checkpoint.Keys.Where(key => !extras.Contains(key)))
        {
            var less = new Dictionary<string, TinyFolder.Stored>(checkpoint);
            less.Remove(lost);
            Assert.NotEmpty(Refused(folder, less));
            TinyFolder.Stored stored = checkpoint[lost];
            var other = new Dictionary<string, TinyFolder.Stored>(checkpoint) { [lost] = stored with { Shape = [.. stored.Shape, 1] } };
            Assert.Contains(lost, Refused(folder, other));
        }

        Assert.Contains("layers.0.surprise", Refused(folder, new(checkpoint) { ["layers.0.surprise"] = checkpoint.Values.First() }));
        foreach (string extra in extras)
            checkpoint.Remove(extra);
        using HuggingFaceFolder model = Open(folder, checkpoint);
        Assert.NotEmpty(model.Tensors);
    }

    [Fact]
    public void Packed_experts_keep_their_numbers_and_exponents()
    {
        TinyFolder folder = Folder("gpt-oss");
        Dictionary<string, TinyFolder.Stored> checkpoint = folder.Checkpoint();
        using HuggingFaceFolder model = Open(folder);
        foreach (TinyFolder.Line line in folder.Lines().Where(line => line.Type == "MXFP4"))
        {
            byte[] packed = Packed(model, line.Name);
            float[] expected = Turn(line, [Unpack(checkpoint[line.Sources[0] + "_blocks"].Bytes, checkpoint[line.Sources[0] + "_scales"].Bytes)]);
            Assert.Equal(expected, FromGguf(packed));
        }
    }

    [Fact]
    public void Several_files_with_an_index_are_one_model()
    {
        using var folder = new TemporaryFolder();
        TinyFolder mixtral = Folder("mixtral");
        mixtral.WriteTo(folder.Path, files: 5);
        using WeightSource parts = WeightSource.Open(folder.Path);
        using HuggingFaceFolder whole = Open(mixtral);
        foreach (TensorInfo info in whole.Tensors)
        {
            int columns = (int)info.Dimensions[0], rows = (int)(info.ElementCount / columns);
            Assert.True(whole.Read(info.Name, rows, columns).RowData(rows - 1).SequenceEqual(parts.Read(info.Name, rows, columns).RowData(rows - 1)));
        }
    }

    [Fact]
    public void A_tensor_that_is_stored_as_gguf_has_it_is_not_copied()
    {
        using HuggingFaceFolder model = Open(Folder("qwen3"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            _ = model.Read("blk.0.attn_q.weight", 128, 64);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100 * 64);
    }

    internal static TinyFolder Folder(string name) => TinyFolders.All.Single(folder => folder.Name == name);

    internal static HuggingFaceFolder Open(TinyFolder folder, Dictionary<string, TinyFolder.Stored>? checkpoint = null) =>
        HuggingFaceFolder.Open("model", Encoding.UTF8.GetBytes(folder.Config),
            SafetensorsFile.Open(FileImage.FromBytes("model/model.safetensors", TinyFolder.Safetensors(checkpoint ?? folder.Checkpoint()))));

    private static string Refused(TinyFolder folder, Dictionary<string, TinyFolder.Stored> checkpoint)
    {
        string message = Assert.Throws<ModelFormatException>(() => Open(folder, checkpoint).Dispose()).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    /// <summary>Sizes in GGUF order.</summary>
    private static IEnumerable<int> Dimensions(TinyFolder.Line line)
    {
        int[] shape = [.. line.Shape];
        string[] how = line.How.Split(' ');
        if (how.Contains("turn"))
            (shape[^1], shape[^2]) = (shape[^2], shape[^1]);
        if (how.Contains("squeeze"))
            shape = [shape[0], shape[2]];
        if (how.Contains("even") || how.Contains("odd"))
            shape[shape.Length > 2 ? ^2 : ^1] /= 2;
        if (line.How == "qkv of groups")
            shape[0] = 128;
        if (line.How == "z of groups")
            shape[0] = 64;
        if (line.How.StartsWith("without first", StringComparison.Ordinal))
            shape[0] -= 2;
        if (how.Contains("stack"))
            shape = [line.Sources.Length, .. shape];
        return shape.Reverse();
    }

    /// <summary>The transformations, element by element, as their definitions say.</summary>
    private static float[] Turn(TinyFolder.Line line, float[][] sources)
    {
        float[] from = [.. sources.SelectMany(values => values)];
        int columns = line.Shape[^1], rows = from.Length / columns;
        IEnumerable<int> Rows(int of, Func<int, int> row) => Enumerable.Range(0, of).SelectMany(r => Enumerable.Range(0, columns).Select(c => (row(r) * columns) + c));
        float[] Take(IEnumerable<int> places) => [.. places.Select(place => from[place])];
        int width = line.Shape.Length == 1 ? 1 : columns;   // a vector's elements are what a matrix's rows are
        float[] Heads(int start, int head, int size) => [.. from[..(start * width)], .. Enumerable.Range(0, (from.Length / width) - start)
            .SelectMany(r => from.AsSpan((start + Grouped(r, head, size)) * width, width).ToArray())];
        return line.How switch
        {
            "" or "stack" or "squeeze" => from,
            "+1" => [.. from.Select(x => x + 1)],
            "-exp" => [.. from.Select(x => -MathF.Exp(x))],
            "neighbours 4" => Heads(0, -4, from.Length / width / 4),
            "neighbours 2" => Heads(0, -2, from.Length / width / 2),
            "turn" => Take(Turned()),
            "turn even" => Take(Turned().Chunk(line.Shape[^2]).Where((_, i) => i % 2 == 0).SelectMany(x => x)),
            "turn odd" => Take(Turned().Chunk(line.Shape[^2]).Where((_, i) => i % 2 == 1).SelectMany(x => x)),
            "even" when line.Shape.Length == 2 => [.. from.Where((_, i) => i % 2 == 0)],
            "odd" when line.Shape.Length == 2 => [.. from.Where((_, i) => i % 2 == 1)],
            "even" => Take(Rows(rows / 2, r => 2 * r)),
            "odd" => Take(Rows(rows / 2, r => (2 * r) + 1)),
            "without first 2" => from[(2 * columns)..],
            // Two key heads of 16, two value heads of 16 with each: 16 rows of query, 16 of key, 32 of value, 32 of gate.
            "qkv of groups" => Take(Rows(128, r => r < 32 ? (r / 16 * 96) + (r % 16) : r < 64 ? ((r - 32) / 16 * 96) + 16 + (r % 16) : ((r - 64) / 32 * 96) + 32 + (r % 32))),
            "z of groups" => Take(Rows(64, r => (r / 32 * 96) + 64 + (r % 32))),
            "v tiled" or "squeeze v tiled" => Heads(64, 2, 16),
            "tiled 16" => Heads(0, 2, 16),
            "tiled 1" => Heads(0, 2, 1),
            "tiled 1 -exp" => [.. Heads(0, 2, 1).Select(x => -MathF.Exp(x))],
            "columns tiled 16" => Take(Enumerable.Range(0, from.Length).Select(i => (i / columns * columns) + Grouped(i % columns, 2, 16))),
            _ => throw new ArgumentException(line.How),
        };

        IEnumerable<int> Turned()
        {
            int inputs = line.Shape[^2];
            for (int matrix = 0; matrix < rows / inputs; matrix++)
            {
                for (int output = 0; output < columns; output++)
                {
                    for (int input = 0; input < inputs; input++)
                        yield return (((matrix * inputs) + input) * columns) + output;
                }
            }
        }
    }

    /// <summary>
    /// Where a row was. Positive <paramref name="heads"/>: of so many key heads, two value heads of <paramref name="size"/>
    /// rows each, now the first of all, then the second of all. Negative: rotary halves of a head become neighbours.
    /// </summary>
    private static int Grouped(int row, int heads, int size)
    {
        int head = row / size, within = row % size;
        return heads < 0 ? (head * size) + (within % 2 * size / 2) + (within / 2) : (((head % heads * 2) + (head / heads)) * size) + within;
    }

    private static byte[] Packed(HuggingFaceFolder model, string name)
    {
        using NativeBuffer buffer = model.Bytes(name);
        return Tensor.View(buffer, 0, 1, (int)(buffer.Length / 4)).RowData(0).ToArray();
    }

    private static readonly float[] Numbers = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6];   // E2M1

    /// <summary>Hugging Face's layout: the lower half of a byte first.</summary>
    private static float[] Unpack(byte[] blocks, byte[] scales) => [.. scales.SelectMany((scale, block) => Enumerable.Range(0, 32)
        .Select(i => Numbers[(blocks[(block * 16) + (i / 2)] >> (i % 2 * 4)) & 15] * MathF.ScaleB(1, scale - 127)))];

    /// <summary>GGUF's layout: exponent, then bytes whose lower halves are the first sixteen numbers.</summary>
    private static float[] FromGguf(byte[] bytes) => [.. bytes.Chunk(17).SelectMany(block => Enumerable.Range(0, 32)
        .Select(i => Numbers[(block[1 + (i % 16)] >> (i / 16 * 4)) & 15] * MathF.ScaleB(1, block[0] - 127)))];

    private static string Show(MetadataValue value) => value.Value switch
    {
        uint v => string.Create(CultureInfo.InvariantCulture, $"u32 {v}"),
        float v => string.Create(CultureInfo.InvariantCulture, $"f32 {v}"),
        string v => $"str {v}",
        bool v => $"bool {v}",
        bool[] v => $"bool[] {string.Join(',', v)}",
        int[] v => $"i32[] {string.Join(',', v)}",
        string[] v => $"str[] {string.Join(',', v)}",
        _ => value.ToString(),
    };
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Golden.Tensors;

/// <summary>Unpacking and packing against ggml, bit for bit, and the errors of both; made by tools/reference/block-formats.py.</summary>
public sealed class BlockFormatGoldenTests
{
    private const int Blocks = 200, Rows = 40, Columns = 512;

    private static readonly JsonElement Values = Read();

    public static TheoryData<string> Formats => [.. Values.EnumerateObject().Select(p => p.Name)];

    public static TheoryData<string, bool> Packed
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (JsonProperty format in Values.EnumerateObject().Where(p => p.Value.TryGetProperty("packed", out _)))
            {
                data.Add(format.Name, false);
                data.Add(format.Name, true);
            }

            return data;
        }
    }

    [Fact]
    public void Every_format_of_blocks_has_its_golden_values() =>
        Assert.Equal(
            Enum.GetValues<TensorFormat>().Where(f => FormatInfo.BlockLength(f) > 1).Select(f => f.ToString()).Order(StringComparer.Ordinal),
            Values.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Formats))]
    public void Unpacking_gives_the_bits_of_the_reference(string name)
    {
        JsonElement golden = Values.GetProperty(name);
        TensorFormat format = Enum.Parse<TensorFormat>(name);
        int size = FormatInfo.BlockBytes(format), length = FormatInfo.BlockLength(format);
        byte[] data = new FixedBytes((uint)format).Take(size * Blocks);
        foreach (JsonElement at in golden.GetProperty("scales").EnumerateArray())
        {
            for (int b = 0; b < Blocks; b++)
                data[(b * size) + at.GetInt32()] &= 0xBF;
        }

        Assert.Equal(golden.GetProperty("block").GetString(), Convert.ToHexStringLower(data.AsSpan(0, size)));
        var values = new float[length * Blocks];
        BlockFormat.Dequantize(format, data, values);
        Assert.Equal(golden.GetProperty("values").EnumerateArray().Select(v => v.GetSingle()), values[..16]);
        Assert.Equal(golden.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan()))));
    }

    [Theory]
    [MemberData(nameof(Packed))]
    public void Packing_gives_the_bytes_of_the_reference(string name, bool weighted) => Assert.Equal(
        Values.GetProperty(name).GetProperty(weighted ? "weighted" : "packed").GetString(),
        Convert.ToHexStringLower(SHA256.HashData(Pack(Enum.Parse<TensorFormat>(name), weighted))));

    [Theory]
    [MemberData(nameof(Packed))]
    public void The_error_of_packing_is_no_larger_than_that_of_the_reference(string name, bool weighted)
    {
        double ours = Error(Enum.Parse<TensorFormat>(name), weighted), reference = ReferenceError(name, weighted);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {ours:P4}, reference {reference:P4}");
        Assert.InRange(ours, reference / 10, reference * (1 + 1e-6));   // the reference's has nine digits
    }

    [Fact]
    public void The_table_in_the_documentation_is_true() => DocumentedTable.CheckAll(
        "formats.md", "errors", "type | bits a weight | polymath | ggml | with importance: polymath | ggml",
        Values.EnumerateObject().Select(p => p.Name).Where(name => Values.GetProperty(name).TryGetProperty("packed", out _)).Select(name =>
        {
            TensorFormat format = Enum.Parse<TensorFormat>(name);
            string Cell(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0000} %");
            double bits = 8.0 * FormatInfo.BlockBytes(format) / FormatInfo.BlockLength(format);
            return string.Create(CultureInfo.InvariantCulture, $"{name} | {bits:0.####} | ")
                + $"{Cell(Error(format, false))} | {Cell(ReferenceError(name, false))} | {Cell(Error(format, true))} | {Cell(ReferenceError(name, true))}";
        }));

    private static byte[] Pack(TensorFormat format, bool weighted)
    {
        (float[] weights, float[] importance) = Weights(Rows, Columns);
        var packed = new byte[FormatInfo.RowBytes(format, Columns) * Rows];
        for (int r = 0; r < Rows; r++)
        {
            BlockFormat.Quantize(
                format, weights.AsSpan(r * Columns, Columns), weighted ? importance : [], packed.AsSpan(r * packed.Length / Rows, packed.Length / Rows));
        }

        return packed;
    }

    /// <summary>The root of the mean squared error as a share of the weights' own root mean square.</summary>
    private static double Error(TensorFormat format, bool weighted)
    {
        (float[] weights, float[] importance) = Weights(Rows, Columns);
        var back = new float[weights.Length];
        BlockFormat.Dequantize(format, Pack(format, weighted), back);
        double error = 0, total = 0;
        for (int i = 0; i < back.Length; i++)
        {
            double weight = weighted ? importance[i % Columns] : 1, value = weights[i], difference = value - back[i];
            error += weight * (difference * difference);
            total += weight * (value * value);
        }

        return Math.Sqrt(error / total);
    }

    private static double ReferenceError(string name, bool weighted) =>
        Values.GetProperty(name).GetProperty(weighted ? "weightedRmse" : "rmse").GetDouble();

    private static (float[] Weights, float[] Importance) Weights(int rows, int columns)
    {
        var source = new FixedBytes(1);
        var weights = new float[rows * columns];
        for (int i = 0; i < weights.Length; i++)
        {
            int row = i / columns, group = i % columns / 32;
            float value = source.Bell() * MathF.Pow(2, (row % 8) - 6);
            weights[i] = row % 5 == 1 && group == 3 ? 0 : row % 5 == 2 && group == 4 ? 0.25f : value;
        }

        var importance = new float[columns];
        foreach (ref float value in importance.AsSpan())
            value = (source.Next() + 1) / 64f;
        return (weights, importance);
    }

    private static JsonElement Read()
    {
        string path = Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", "block-formats.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }
}

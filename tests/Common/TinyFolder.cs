using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Polymath.Tensors;

namespace Polymath;

/// <summary>
/// A Hugging Face folder of random weights, as small as its family allows, and what becomes of it in GGUF. Both follow
/// from one table, a line for each tensor of GGUF:
/// <code>GGUF name | how | name in the checkpoint | sizes, outermost first [| type]</code>
/// A number in braces stands for every layer it lists, {} for all, [] for every expert; a letter for a size. A line
/// without a GGUF name is a tensor that is left out; one without a name in the checkpoint follows from the settings.
/// </summary>
internal sealed partial record TinyFolder(string Name, string Config, string Table)
{
    /// <summary>Sizes by letter: width, vocabulary, feed-forward, queries, keys, heads, head, context, experts and others.</summary>
    public string Sizes { get; init; } = "D=64 V=96 F=96 Q=64 K=32 H=4 S=16 C=64";

    public int Layers { get; init; } = 2;

    public int Experts { get; init; }

    /// <summary>Type of all tensors that do not say another.</summary>
    public string Type { get; init; } = "BF16";

    /// <summary>What GGUF's metadata must hold, a line each: key, type, value.</summary>
    public string Settings { get; init; } = "";

    /// <summary>A line of the table for one layer.</summary>
    /// <param name="Name">GGUF name; empty for a tensor that is left out.</param>
    /// <param name="How">What is done to the elements.</param>
    /// <param name="Sources">Names in the checkpoint, one for each expert where there are several.</param>
    /// <param name="Shape">Sizes, outermost first.</param>
    /// <param name="Type">Stored type.</param>
    public sealed record Line(string Name, string How, string[] Sources, int[] Shape, string Type);

    /// <summary>A tensor of the checkpoint.</summary>
    public sealed record Stored(int[] Shape, string Type, byte[] Bytes)
    {
        /// <summary>The elements as numbers.</summary>
        public float[] Values()
        {
            var values = new float[Shape.Aggregate(1, (a, b) => a * b)];
            BlockFormat.Dequantize(Enum.Parse<TensorFormat>(Type), Bytes, values);
            return values;
        }
    }

    public override string ToString() => Name;

    /// <summary>All lines, layer by layer.</summary>
    public IEnumerable<Line> Lines()
    {
        Dictionary<string, int> sizes = Sizes.Split(' ').Select(s => s.Split('=')).ToDictionary(s => s[0], s => int.Parse(s[1], CultureInfo.InvariantCulture));
        foreach (string text in Table.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] parts = [.. text.Split('|').Select(part => part.Trim())];
            int[] shape = [.. parts[3].Split(' ').Select(size => sizes.TryGetValue(size, out int value) ? value : int.Parse(size, CultureInfo.InvariantCulture))];
            Match braces = Braces().Match(parts[0] + parts[2]);
            int[] layers = !braces.Success ? [0] : braces.Groups[1].Length == 0 ? [.. Enumerable.Range(0, Layers)]
                : [.. braces.Groups[1].Value.Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
            foreach (int layer in layers)
            {
                string At(string name) => Braces().Replace(name, layer.ToString(CultureInfo.InvariantCulture));
                string[] sources = parts[2].Length == 0 ? [] : parts[2].Contains("[]", StringComparison.Ordinal)
                    ? [.. Enumerable.Range(0, Experts).Select(x => At(parts[2]).Replace("[]", x.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))]
                    : [At(parts[2])];
                yield return new Line(At(parts[0]), parts[1], sources, shape, parts.Length > 4 ? parts[4] : Type);
            }
        }
    }

    /// <summary>The checkpoint: every tensor by name, in the order of the table.</summary>
    public Dictionary<string, Stored> Checkpoint()
    {
        var tensors = new Dictionary<string, Stored>(StringComparer.Ordinal);
        foreach (Line line in Lines())
        {
            foreach (string source in line.Sources)
            {
                if (line.Type == "MXFP4")
                {
                    tensors.TryAdd(source + "_blocks", new Stored([.. line.Shape[..^1], line.Shape[^1] / 32, 16], "U8", RandomBytes(source, line.Shape, 16, 0, 256)));
                    tensors.TryAdd(source + "_scales", new Stored([.. line.Shape[..^1], line.Shape[^1] / 32], "U8", RandomBytes(source + "s", line.Shape, 1, 120, 125)));
                }
                else
                {
                    tensors.TryAdd(source, new Stored(line.Shape, line.Type, RandomValues(source, line.Shape, line.Type)));
                }
            }
        }

        return tensors;
    }

    /// <summary>A safetensors file of those tensors.</summary>
    public static byte[] Safetensors(IReadOnlyDictionary<string, Stored> tensors)
    {
        var header = new StringBuilder("{");
        long at = 0;
        foreach ((string name, Stored tensor) in tensors)
        {
            header.Append(CultureInfo.InvariantCulture,
                $"{(at == 0 ? "" : ",")}{JsonSerializer.Serialize(name)}:{{\"dtype\":\"{tensor.Type}\",\"shape\":[{string.Join(',', tensor.Shape)}],\"data_offsets\":[{at},{at + tensor.Bytes.Length}]}}");
            at += tensor.Bytes.Length;
        }

        byte[] text = Encoding.UTF8.GetBytes(header.Append('}').ToString());
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return [.. length, .. text, .. tensors.Values.SelectMany(tensor => tensor.Bytes)];
    }

    /// <summary>Writes config.json and the checkpoint, in one file or in several with an index.</summary>
    public void WriteTo(string folder, int files = 1)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config);
        Dictionary<string, Stored> tensors = Checkpoint();
        if (files == 1)
        {
            File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), Safetensors(tensors));
            return;
        }

        var map = new Dictionary<string, string>();
        foreach ((int file, KeyValuePair<string, Stored>[] part) in tensors.Chunk((tensors.Count + files - 1) / files).Index())
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"model-{file + 1:00000}-of-{files:00000}.safetensors");
            File.WriteAllBytes(Path.Combine(folder, name), Safetensors(part.ToDictionary()));
            foreach ((string tensor, _) in part)
                map.Add(tensor, name);
        }

        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), JsonSerializer.Serialize(new { weight_map = map }));
    }

    private static byte[] RandomBytes(string name, int[] shape, int each, int least, int most)
    {
        var random = new Random(Seed(name));
        return [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b) / 32 * each).Select(_ => (byte)random.Next(least, most))];
    }

    private static byte[] RandomValues(string name, int[] shape, string type)
    {
        var random = new Random(Seed(name));
        int count = shape.Aggregate(1, (a, b) => a * b);
        bool norm = shape.Length == 1 && (name.Contains("norm", StringComparison.OrdinalIgnoreCase) || name.Contains(".ln_", StringComparison.Ordinal));
        float[] values = [.. Enumerable.Range(0, count).Select(_ => (float)((norm ? 1 : 0) + (0.3 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))))];
        TensorFormat format = Enum.Parse<TensorFormat>(type);
        var bytes = new byte[FormatInfo.RowBytes(format, count)];
        BlockFormat.Quantize(format, values, bytes);
        return bytes;
    }

    /// <summary>The same on every run, which string.GetHashCode is not.</summary>
    private static int Seed(string name) => name.Aggregate(17, (seed, c) => unchecked((seed * 31) + c));

    [GeneratedRegex(@"\{([0-9,]*)\}")]
    private static partial Regex Braces();
}

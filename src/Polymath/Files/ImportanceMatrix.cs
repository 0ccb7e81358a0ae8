using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// How much each input column of each matrix matters: the sum of its squared activations over a text. Written as llama.cpp
/// writes it, a GGUF file of two tensors for each matrix, NAME.in_sum2 and NAME.counts; its older format is read too.
/// </summary>
public sealed class ImportanceMatrix
{
    private const string Sums = ".in_sum2", Counts = ".counts";
    private const int LegacySmallestEntry = 4 + 1 + 4 + 4 + 4;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>What is known of one matrix.</summary>
    /// <param name="Sums">Σ x² of each column, of all experts one after the other.</param>
    /// <param name="Counts">Tokens that were summed up: one number, or one for each expert.</param>
    public sealed record Entry(float[] Sums, float[] Counts)
    {
        /// <summary>The mean of x² in each column; 1 for an expert that no token went through.</summary>
        public float[] Means()
        {
            var means = new float[Sums.Length];
            int columns = Sums.Length / Counts.Length;
            for (int i = 0; i < means.Length; i++)
                means[i] = Counts[i / columns] > 0 ? Sums[i] / Counts[i / columns] : 1;
            return means;
        }
    }

    /// <summary>The texts it was made from, by name.</summary>
    public IReadOnlyList<string> Datasets { get; init; } = [];

    /// <summary>Chunks of text that went in.</summary>
    public int Chunks { get; init; }

    /// <summary>Tokens in a chunk; 0 where that is not known.</summary>
    public int ChunkLength { get; init; }

    /// <summary>The matrices, by tensor name.</summary>
    public IReadOnlyDictionary<string, Entry> Entries => _entries;

    /// <summary>Adds a matrix.</summary>
    /// <exception cref="ArgumentException">There already, or sizes that do not fit.</exception>
    public void Add(string name, Entry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Sums.Length == 0 || entry.Counts.Length == 0 || entry.Sums.Length % entry.Counts.Length != 0)
            throw new ArgumentException($"{name}: {entry.Sums.Length} sums and {entry.Counts.Length} counts", nameof(entry));
        _entries.Add(name, entry);
    }

    /// <summary>Reads a file of either format.</summary>
    /// <exception cref="ModelFormatException">Damaged, or of another kind.</exception>
    /// <exception cref="FileNotFoundException">Nothing at <paramref name="path"/>.</exception>
    public static ImportanceMatrix Open(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: no such file", path);
        using FileImage image = FileImage.Open(path, mapped: true);
        bool isGguf = image.Length >= 4 && image.Slice(0, 4).SequenceEqual("GGUF"u8);
        return isGguf ? ReadGguf(path) : ReadLegacy(image);
    }

    /// <summary>Writes it, whole or not at all.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path)
    {
        var metadata = new Metadata();
        metadata.Set("general.type", "imatrix");
        metadata.Set("imatrix.datasets", Datasets.ToArray());
        metadata.Set("imatrix.chunk_count", (uint)Chunks);
        metadata.Set("imatrix.chunk_size", (uint)ChunkLength);
        var tensors = new List<GgufWriter.Entry>();
        foreach ((string name, Entry entry) in _entries.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            int matrices = entry.Counts.Length, columns = entry.Sums.Length / matrices;
            tensors.Add(new GgufWriter.Entry(name + Sums, Shape(columns, matrices), Tensor.From(entry.Sums, matrices, columns)));
            tensors.Add(new GgufWriter.Entry(name + Counts, Shape(1, matrices), Tensor.From(entry.Counts, matrices, 1)));
        }

        GgufWriter.Write(path, metadata, tensors);
    }

    /// <summary>As ggml writes it, without the sizes of 1 at the end.</summary>
    private static long[] Shape(int columns, int rows) => rows == 1 ? [columns] : [columns, rows];

    private static ImportanceMatrix ReadGguf(string path)
    {
        using GgufFile file = GgufFile.Open(path, mapped: false);
        if (file.Metadata.GetString("general.type", "imatrix") != "imatrix" || file.Metadata.GetArray<string>("imatrix.datasets") is not { } datasets)
            throw new ModelFormatException($"{path}: a GGUF file, but no importance matrix");
        var matrix = new ImportanceMatrix
        {
            Datasets = datasets,
            Chunks = file.Metadata.GetInt32("imatrix.chunk_count"),
            ChunkLength = file.Metadata.GetInt32("imatrix.chunk_size"),
        };
        foreach (TensorInfo tensor in file.Tensors.Where(t => t.Name.EndsWith(Sums, StringComparison.Ordinal)))
        {
            string name = tensor.Name[..^Sums.Length];
            TensorInfo counts = file.Tensors.FirstOrDefault(t => t.Name == name + Counts)
                ?? throw new ModelFormatException($"{path}: {tensor.Name} without counts");
            matrix.AddRead(path, name, Floats(file, tensor), Floats(file, counts));
        }

        return matrix._entries.Count > 0 ? matrix : throw new ModelFormatException($"{path}: no data");
    }

    private static float[] Floats(GgufFile file, TensorInfo tensor)
    {
        if (tensor.Format != TensorFormat.F32 || tensor.ElementCount > int.MaxValue)
            throw new ModelFormatException($"{file.Path}: tensor {tensor.Name} is not F32");
        return file.Read(tensor.Name, (int)(tensor.ElementCount / Math.Max(1, tensor.Dimensions[0])), (int)tensor.Dimensions[0]).AsFloats().ToArray();
    }

    /// <summary>
    /// The older format, little-endian: number of entries, then of each the name with its length, a number of calls, the
    /// number of values and the values, which are means times calls; then the number of chunks and the text's name.
    /// </summary>
    private static ImportanceMatrix ReadLegacy(FileImage image)
    {
        long at = 0;
        int count = ReadInt32("entries");
        if (count < 1 || count > image.Length / LegacySmallestEntry || count > FileLimits.Tensors)
            throw Bad($"no importance matrix: {count} entries");
        var entries = new List<(string Name, float[] Values, int Calls)>();
        for (int i = 0; i < count; i++)
        {
            string name = ReadText("name");
            int calls = ReadInt32("calls"), values = ReadInt32("values");
            if (name.Length == 0 || values < 1 || calls < 0)
                throw Bad($"entry {i}: {values} values, {calls} calls");
            entries.Add((name, MemoryMarshal.Cast<byte, float>(Take((long)values * sizeof(float), "values")).ToArray(), calls));
        }

        bool more = at < image.Length;
        int chunks = more ? ReadInt32("chunks") : 0;
        var matrix = new ImportanceMatrix { Chunks = Math.Max(0, chunks), Datasets = at < image.Length ? [ReadText("dataset")] : [] };
        foreach ((string name, float[] values, int calls) in entries)
            matrix.AddRead(image.Path, name, values, [Math.Max(1, calls)]);
        return matrix;

        int ReadInt32(string field) => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int), field));

        string ReadText(string field)
        {
            int length = ReadInt32(field);
            return length < 0 ? throw Bad($"{field} of {length} bytes") : Encoding.UTF8.GetString(Take(length, field));
        }

        ReadOnlySpan<byte> Take(long length, string field)
        {
            if (length > image.Length - at || length > int.MaxValue)
                throw Bad($"{field} at byte {at}: {length} bytes of {image.Length - at} left");
            at += length;
            return image.Slice(at - length, (int)length);
        }

        ModelFormatException Bad(string problem) => new($"{image.Path}: {problem}");
    }

    private void AddRead(string path, string name, float[] sums, float[] counts)
    {
        if (counts.Length == 0 || sums.Length == 0 || sums.Length % counts.Length != 0 || _entries.ContainsKey(name))
            throw new ModelFormatException($"{path}: {name} has {sums.Length} sums and {counts.Length} counts, or is there twice");
        if (!sums.All(v => float.IsFinite(v) && v >= 0) || !counts.All(v => v == 0 || (float.IsFinite(v) && v >= 1)))
            throw new ModelFormatException($"{path}: {name} holds values that are not finite or negative, or less than one token");
        _entries.Add(name, new Entry(sums, counts));
    }
}

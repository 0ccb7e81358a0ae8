using Polymath.Files;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>Reads the settings and weights of one model; every shape is checked against the settings.</summary>
internal sealed class WeightReader
{
    private readonly WeightSource _source;
    private readonly ThreadTeam? _team;
    private readonly long _sourceBytes;
    private readonly List<InterleavedMatrix> _interleaved = [];

    /// <summary>Reads and checks the settings.</summary>
    /// <param name="source">The file.</param>
    /// <param name="team">Threads that interleave the weights for which it pays; null to leave all as they are stored.</param>
    /// <exception cref="ModelFormatException">A key is missing or its value makes no sense.</exception>
    public WeightReader(WeightSource source, ThreadTeam? team = null)
    {
        _source = source;
        _team = team;
        _sourceBytes = source.Tensors.Sum(t => t.ByteLength);
        Settings = ModelSettings.Read(source);
    }

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings { get; }

    /// <summary>What was interleaved; the model frees it.</summary>
    public IReadOnlyList<InterleavedMatrix> Interleaved => _interleaved;

    /// <summary>Bytes of what a team interleaves, or would.</summary>
    public long InterleavedBytes { get; private set; }

    /// <summary>Bytes of mapped weights whose place that takes.</summary>
    public long ForgottenBytes { get; private set; }

    /// <summary>True when a tensor of that name is there.</summary>
    public bool Contains(string name) => _source.Contains(name);

    /// <summary>The F32 vector [1, length]; one stored in another float format is copied.</summary>
    /// <exception cref="ModelFormatException">Missing, misshapen or of integers.</exception>
    public Tensor Vector(string name, int length) => Floats(name, 1, length);

    /// <summary>The F32 vector [1, length], or empty when it is not there.</summary>
    public Tensor OptionalVector(string name, int length) => Contains(name) ? Vector(name, length) : default;

    /// <summary>The F32 matrix [rows, columns]; one stored in another float format is copied.</summary>
    /// <exception cref="ModelFormatException">Missing, misshapen or of integers.</exception>
    public Tensor Floats(string name, int rows, int columns)
    {
        Tensor stored = _source.Read(name, rows, columns);
        if (stored.Format == TensorFormat.F32)
            return stored;
        if (FormatInfo.BlockLength(stored.Format) > 1)
            throw new ModelFormatException($"{_source.Path}: tensor {name} is {stored.Format}, F32 needed");
        Tensor copy = Tensor.Zeros(rows, columns);
        for (int row = 0; row < rows; row++)
            BlockFormat.Dequantize(stored.Format, stored.RowData(row), copy.Row(row));
        return copy;
    }

    /// <summary>The matrix name.weight [rows, columns] in its own format.</summary>
    /// <exception cref="ModelFormatException">Missing or misshapen.</exception>
    public Tensor Matrix(string name, int rows, int columns) => _source.Read(name + ".weight", rows, columns);

    /// <summary>name.weight [rows, columns] and, if there is one, name.bias [1, rows].</summary>
    /// <exception cref="ModelFormatException">Missing or misshapen.</exception>
    public Linear Linear(string name, int rows, int columns) =>
        Prepare(new(Matrix(name, rows, columns), OptionalVector(name + ".bias", rows)) { Name = name + ".weight" });

    /// <summary>
    /// The same layer, made ready to be multiplied: its weight interleaved, or halves copied, where that pays; F16 looked through for
    /// infinity. The stored weight stays what it is, for embeddings and slices, but its pages need no memory until they are read again.
    /// </summary>
    public Linear Prepare(Linear layer)
    {
        if (layer.Weight.Rows == 0 || !InterleavedMatrix.Pays(layer.Weight.Format))
            return layer;
        long bytes = InterleavedMatrix.ByteLength(layer.Weight.Format, layer.Weight.Rows, layer.Weight.Columns);
        InterleavedBytes += bytes;
        if (layer.Name is null || !_source.IsMade(layer.Name))
            ForgottenBytes += bytes;
        if (_team is null)
            return layer;
        // Small ones lie one behind the other, as many in a buffer as there are, or fill it.
        const long BufferBytes = 64L << 20;
        long left = bytes + Math.Max(0, _sourceBytes - InterleavedBytes);
        InterleavedMatrix interleaved = InterleavedMatrix.From(
            _team, layer.Weight, _interleaved.LastOrDefault(), bytes < BufferBytes ? Math.Min(BufferBytes, left) : bytes);
        bool isFinite = MatMul.IsFinite(_team, layer.Weight);
        _interleaved.Add(interleaved);
        (layer.Weight.Owner as FileImage)?.Forget(layer.Weight);
        return layer with { Interleaved = interleaved, IsFinite = isFinite };
    }

    /// <summary>The matrices of all experts, one below the other, and their biases: weight [E·rows, columns], bias [E, rows].</summary>
    /// <exception cref="ModelFormatException">Missing or misshapen.</exception>
    public Linear Experts(string name, int rows, int columns)
    {
        int count = checked(Settings.Experts * rows);
        return Prepare(new(Matrix(name, count, columns), Contains(name + ".bias") ? Floats(name + ".bias", Settings.Experts, rows) : default)
        {
            Name = name + ".weight",
        });
    }

    /// <summary>The number under {architecture}.{key}.</summary>
    /// <exception cref="ModelFormatException">Missing without a <paramref name="fallback"/>, or no number.</exception>
    public int Int32(string key, int? fallback = null) => _source.Metadata.GetInt32($"{Settings.Architecture}.{key}", fallback);

    /// <summary>The number under {architecture}.{key}; it is finite.</summary>
    /// <exception cref="ModelFormatException">Missing without a <paramref name="fallback"/>, or no finite number.</exception>
    public float Single(string key, float? fallback = null)
    {
        float value = _source.Metadata.GetSingle($"{Settings.Architecture}.{key}", fallback);
        return float.IsFinite(value) ? value : throw Bad(key, value);
    }

    /// <summary>The number under a key that does not begin with the architecture.</summary>
    /// <exception cref="ModelFormatException">No number.</exception>
    public int GlobalInt32(string key, int fallback) => _source.Metadata.GetInt32(key, fallback);

    /// <summary>The texts under {architecture}.{key}; none where it is not there.</summary>
    /// <exception cref="ModelFormatException">Not a list of texts.</exception>
    public string[] Texts(string key) => _source.Metadata.GetArray<string>($"{Settings.Architecture}.{key}") ?? [];

    /// <summary>The text under {architecture}.{key}.</summary>
    public string Text(string key, string fallback) =>
        _source.Metadata.GetString($"{Settings.Architecture}.{key}", fallback) ?? fallback;

    /// <summary>The truth value under {architecture}.{key}.</summary>
    public bool Bool(string key, bool fallback) => _source.Metadata.GetBool($"{Settings.Architecture}.{key}", fallback) ?? fallback;

    /// <summary>The whole numbers under {architecture}.{key}, or null where the key is missing.</summary>
    /// <exception cref="ModelFormatException">The value is no list of 32-bit integers.</exception>
    public int[]? Int32s(string key)
    {
        if (!_source.Metadata.TryGet($"{Settings.Architecture}.{key}", out MetadataValue? value))
            return null;
        return value.Value switch
        {
            int[] list => list,
            uint[] list => Array.ConvertAll(list, n => (int)Math.Min(n, int.MaxValue)),
            _ => throw Bad(key, "no list of integers"),
        };
    }

    /// <summary>The truth values of the layers under {architecture}.{key}, or null where the key is missing.</summary>
    /// <exception cref="ModelFormatException">The value is no list of truth values, or too short.</exception>
    public bool[]? LayerFlags(string key)
    {
        bool[]? flags = _source.Metadata.GetArray<bool>($"{Settings.Architecture}.{key}");
        return flags is null || flags.Length >= Settings.Layers ? flags : throw Bad(key, $"a list of {flags.Length}");
    }

    /// <summary>
    /// Which layers have a sliding window: {architecture}.attention.sliding_window_pattern, one truth value a layer or the
    /// length n of a repeated group whose last layer (its first where <paramref name="denseFirst"/>) sees everything.
    /// </summary>
    /// <param name="period">n when metadata names none; 0: all layers have the window, 1: none has.</param>
    /// <param name="denseFirst">The group's first layer sees everything.</param>
    public bool[] SlidingLayers(int period, bool denseFirst = false)
    {
        const string Key = "attention.sliding_window_pattern";
        if (LayerFlags(Key) is { } pattern)
            return pattern;
        var layers = new bool[Settings.Layers];
        int n = Int32(Key, period);
        if (n < 0)
            throw Bad(Key, n);
        for (int i = 0; i < layers.Length; i++)
            layers[i] = n == 0 || (denseFirst ? i % n != 0 : i % n < n - 1);
        return layers;
    }

    /// <summary>An error that names the key and its value.</summary>
    public ModelFormatException Bad(string key, object value) =>
        new(FormattableString.Invariant($"{_source.Path}: {Settings.Architecture}.{key} is {value}"));
}

using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// A model of the Llama family as Hugging Face stores it: config.json, tokenizer.json and one safetensors file or
/// several with an index. Settings and tensors appear under GGUF names. Tensors are views of the files, except the
/// query and key projections: GGUF orders their rows for another pairing in the rotation, so they are copied.
/// </summary>
public sealed class HuggingFaceFolder : WeightSource
{
    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, Slot> _slots = new(StringComparer.Ordinal);
    private readonly List<TensorInfo> _tensors = [];
    private readonly List<NativeBuffer> _copies = [];
    private readonly Lock _copying = new();
    private readonly string _path;
    private readonly LlamaConfig _config;

    private HuggingFaceFolder(string path, LlamaConfig config, IEnumerable<SafetensorsFile> files, Dictionary<string, string>? index)
    {
        _path = path;
        _config = config;
        try
        {
            foreach (SafetensorsFile file in files)
                _files.Add(file);
            Assemble(Collect(index));
            Metadata = config.ToMetadata(System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path))));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private sealed record Slot(TensorInfo Info, LlamaTensorMap? Map, SafetensorsFile? File, SafetensorsFile.Entry? Entry)
    {
        public Tensor Copy { get; set; }
    }

    /// <inheritdoc/>
    public override string Path => _path;

    /// <inheritdoc/>
    public override Metadata Metadata { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _tensors;

    /// <inheritdoc/>
    public override string? TokenizerJsonPath
    {
        get
        {
            string path = System.IO.Path.Combine(_path, "tokenizer.json");
            return File.Exists(path) ? path : null;
        }
    }

    /// <summary>Opens the folder and checks settings, names and shapes.</summary>
    /// <exception cref="ModelFormatException">Another kind of model, a damaged or hostile file, a tensor too few or too many.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static new HuggingFaceFolder Open(string path, bool mapped = true)
    {
        string configPath = System.IO.Path.Combine(path, "config.json");
        LlamaConfig config = LlamaConfig.Parse(configPath, ReadSmall(configPath, LlamaConfig.FileBytes));
        string single = System.IO.Path.Combine(path, "model.safetensors");
        if (File.Exists(single))
            return new HuggingFaceFolder(path, config, [SafetensorsFile.Open(single, mapped)], null);
        string indexPath = System.IO.Path.Combine(path, "model.safetensors.index.json");
        if (!File.Exists(indexPath))
            throw new ModelFormatException($"{path}: neither model.safetensors nor model.safetensors.index.json is there");
        Dictionary<string, string> index = ShardIndex.Parse(indexPath, ReadSmall(indexPath, ShardIndex.FileBytes));
        return new HuggingFaceFolder(path, config, OpenShards(path, index, mapped), index);
    }

    /// <summary>A source over one checkpoint file that is open already; it is disposed with the source.</summary>
    internal static HuggingFaceFolder Open(string path, LlamaConfig config, SafetensorsFile file) => new(path, config, [file], null);

    /// <inheritdoc/>
    public override bool Contains(string name) => _slots.ContainsKey(name);

    /// <inheritdoc/>
    public override Tensor Read(string name, int rows, int columns)
    {
        if (!_slots.TryGetValue(name, out Slot? slot))
            throw new ModelFormatException($"{_path}: tensor {name} is missing");
        if (slot.File is not null && slot.Map!.RotaryHeads == 0)
        {
            Tensor view = slot.File.Read(slot.Entry!, rows, columns);
            slot.Info.RequireShape(_path, rows, columns);
            return view;
        }

        slot.Info.RequireShape(_path, rows, columns);
        lock (_copying)
        {
            if (slot.Copy.IsEmpty)
                slot.Copy = Reorder(slot);
            return slot.Copy;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        foreach (SafetensorsFile file in _files)
            file.Dispose();
        lock (_copying)
        {
            foreach (NativeBuffer copy in _copies)
                copy.Dispose();
        }
    }

    private static IEnumerable<SafetensorsFile> OpenShards(string path, Dictionary<string, string> index, bool mapped)
    {
        foreach (string shard in index.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            string file = System.IO.Path.Combine(path, shard);
            if (!File.Exists(file))
                throw new ModelFormatException($"{path}: the file {FileLimits.Printable(shard)} that the index names is missing");
            yield return SafetensorsFile.Open(file, mapped);
        }
    }

    private static byte[] ReadSmall(string path, int limit)
    {
        if (!File.Exists(path))
            throw new ModelFormatException($"{path}: the file is missing");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        long length = stream.CanSeek ? stream.Length : throw new ModelFormatException($"{path}: not a regular file");
        if (length > limit)
            throw new ModelFormatException($"{path}: {length} bytes are more than the limit of {limit}");
        var bytes = new byte[length];
        int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == length ? bytes : throw new ModelFormatException($"{path}: it changed while it was read");
    }

    /// <summary>All tensors of the checkpoint by name, each in the file that the index names.</summary>
    private Dictionary<string, (SafetensorsFile File, SafetensorsFile.Entry Entry)> Collect(Dictionary<string, string>? index)
    {
        var found = new Dictionary<string, (SafetensorsFile, SafetensorsFile.Entry)>(StringComparer.Ordinal);
        foreach (SafetensorsFile file in _files)
        {
            string shard = System.IO.Path.GetFileName(file.Path);
            foreach ((string name, SafetensorsFile.Entry entry) in file.Entries)
            {
                if (index is null || (index.TryGetValue(name, out string? named) && named == shard))
                    found.Add(name, (file, entry));
            }
        }

        if (index is not null && found.Count != index.Count)
        {
            string lost = index.Keys.First(name => !found.ContainsKey(name));
            throw new ModelFormatException($"{_path}: tensor {FileLimits.Printable(lost)} is not in the file that the index names");
        }

        return found;
    }

    private void Assemble(Dictionary<string, (SafetensorsFile File, SafetensorsFile.Entry Entry)> found)
    {
        // Tied weights are stored once, under either of the two names.
        string embedding = _config.Tied && !found.ContainsKey("model.embed_tokens.weight") ? "lm_head.weight" : "model.embed_tokens.weight";
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (LlamaTensorMap map in LlamaTensorMap.All(_config, embedding))
        {
            if (!found.TryGetValue(map.Source, out (SafetensorsFile File, SafetensorsFile.Entry Entry) source))
                throw new ModelFormatException($"{_path}: tensor {map.Source} is missing");
            Add(map, source.File, source.Entry);
            used.Add(map.Source);
        }

        if (_config.RopeScaling.Kind == RopeScalingKind.Llama3)
            AddRopeDivisors();
        if (found.Keys.FirstOrDefault(name => !used.Contains(name) && !LlamaTensorMap.IsRedundant(name, _config)) is { } extra)
            throw new ModelFormatException($"{_path}: tensor {FileLimits.Printable(extra)} has no place in a Llama model with these settings");
    }

    private void Add(LlamaTensorMap map, SafetensorsFile file, SafetensorsFile.Entry entry)
    {
        long[] expected = map.Rows == 0 ? [map.Columns] : [map.Rows, map.Columns];
        if (!entry.Shape.AsSpan().SequenceEqual(expected))
        {
            throw new ModelFormatException(
                $"{file.Path}: tensor {map.Source} is [{string.Join(", ", entry.Shape)}], not [{string.Join(", ", expected)}] as config.json says");
        }

        Array.Reverse(expected);   // GGUF order: the row length first
        Add(new Slot(new TensorInfo(map.Name, FormatId(entry), expected, entry.ByteLength), map, file, entry));
    }

    private void AddRopeDivisors()
    {
        float[] divisors = _config.RopeScaling.Divisors(_config.RopeBase, _config.HeadWidth);
        var info = new TensorInfo("rope_freqs.weight", (int)TensorFormat.F32, [divisors.Length], 4L * divisors.Length);
        Add(new Slot(info, null, null, null) { Copy = Tensor.From(divisors, 1, divisors.Length) });
    }

    private void Add(Slot slot)
    {
        _slots.Add(slot.Info.Name, slot);
        _tensors.Add(slot.Info);
    }

    private static int FormatId(SafetensorsFile.Entry entry) => entry.Type switch
    {
        "F64" => 28,
        "I64" => 27,
        "I32" => 26,
        "I16" => 25,
        "I8" => 24,
        _ => entry.Format is { } format ? (int)format : -1,
    };

    /// <summary>Copies a query or key projection (or its bias, one element a row) into GGUF's order of rows.</summary>
    private unsafe Tensor Reorder(Slot slot)
    {
        LlamaTensorMap map = slot.Map!;
        int rows = map.Rows == 0 ? map.Columns : map.Rows;
        Tensor stored = slot.File!.Read(slot.Entry!, Math.Max(map.Rows, 1), map.Columns);
        long rowBytes = stored.ByteLength / rows;
        var buffer = new NativeBuffer(stored.ByteLength);
        _copies.Add(buffer);
        for (int row = 0; row < rows; row++)
        {
            byte* from = stored.Data + (LlamaTensorMap.RotarySource(row, rows / map.RotaryHeads) * rowBytes);
            Buffer.MemoryCopy(from, buffer.Data + (row * rowBytes), rowBytes, rowBytes);
        }

        GC.KeepAlive(slot.File);
        return new Tensor(buffer, buffer.Data, stored.Format, stored.Rows, stored.Columns);
    }
}

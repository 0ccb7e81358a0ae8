using Polymath.Files.HuggingFace;
using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// A model as Hugging Face stores it: config.json, tokenizer.json and one safetensors file or several with an index.
/// Settings and tensors appear under GGUF names, in the types and shapes that a GGUF file of the model has. Tensors
/// stored just so are views of the files; the others are made when they are first read, and kept.
/// </summary>
public sealed class HuggingFaceFolder : WeightSource
{
    internal const int ConfigBytes = 1 << 20;

    private readonly string _path;
    private readonly Checkpoint _checkpoint;
    private readonly Translation _translation;
    private readonly Dictionary<string, Tensor> _made = new(StringComparer.Ordinal);
    private readonly List<NativeBuffer> _buffers = [];
    private readonly Lock _making = new();

    private HuggingFaceFolder(string path, ReadOnlyMemory<byte> config, Func<Checkpoint> open)
    {
        _path = path;
        string configPath = System.IO.Path.Combine(path, "config.json");
        if (config.Length > ConfigBytes)
            throw new ModelFormatException($"{configPath}: {config.Length} bytes are more than the limit of {ConfigBytes}");
        (_checkpoint, _translation) = JsonFields.Parse(configPath, config, fields => Translate(fields, open));
    }

    /// <inheritdoc/>
    public override string Path => _path;

    /// <inheritdoc/>
    public override Metadata Metadata => _translation.Metadata;

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _translation.Tensors;

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
    public static new HuggingFaceFolder Open(string path, bool mapped = true) =>
        new(path, SmallFile.Read(System.IO.Path.Combine(path, "config.json"), ConfigBytes), () => Checkpoint.Open(path, mapped));

    /// <summary>A source over settings and one checkpoint file that is open already; it is disposed with the source.</summary>
    internal static HuggingFaceFolder Open(string path, ReadOnlyMemory<byte> config, SafetensorsFile file)
    {
        try
        {
            return new HuggingFaceFolder(path, config, () => Checkpoint.Of(path, file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool Contains(string name) => _translation.Find(name) is not null;

    /// <inheritdoc/>
    public override Tensor Read(string name, int rows, int columns)
    {
        FolderTensor found = Find(name, rows, columns);
        Tensor view = found.View(rows, columns);
        if (!view.IsEmpty)
            return view;
        lock (_making)
        {
            if (!_made.TryGetValue(name, out Tensor made))
            {
                NativeBuffer buffer = found.Make();
                _buffers.Add(buffer);
                made = found.Over(buffer, rows, columns);
                _made.Add(name, made);
            }

            return made;
        }
    }

    /// <inheritdoc/>
    public override Tensor ReadOnce(string name, int rows, int columns)
    {
        FolderTensor found = Find(name, rows, columns);
        Tensor view = found.View(rows, columns);
        return view.IsEmpty ? found.Over(found.Make(), rows, columns) : view;
    }

    /// <inheritdoc/>
    internal override bool IsMade(string name) => _translation.Find(name) is { Recipe: not null };

    /// <summary>The stored bytes of a tensor that has to be made, also in a format that nothing here computes with.</summary>
    internal NativeBuffer Bytes(string name)
    {
        FolderTensor found = _translation.Find(name) ?? throw Missing(name);
        return found.Make();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _checkpoint.Dispose();
        lock (_making)
        {
            foreach (NativeBuffer buffer in _buffers)
                buffer.Dispose();
        }
    }

    private static (Checkpoint Checkpoint, Translation Translation) Translate(JsonFields config, Func<Checkpoint> open)
    {
        Family family = Family.Of(config);   // before the weights are sought: the clearer message where both are wrong
        Checkpoint checkpoint = open();
        try
        {
            var translation = new Translation(checkpoint, config, family);
            FolderTemplates.Write(checkpoint.Path, translation.Metadata);
            return (checkpoint, translation);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    private FolderTensor Find(string name, int rows, int columns)
    {
        FolderTensor found = _translation.Find(name) ?? throw Missing(name);
        found.Info.RequireShape(_path, rows, columns);
        return found;
    }

    private ModelFormatException Missing(string name) => new($"{_path}: tensor {name} is missing");
}

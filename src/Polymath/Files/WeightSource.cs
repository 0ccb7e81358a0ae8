using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>A tensor in a file, before it is read.</summary>
/// <param name="Name">GGUF tensor name.</param>
/// <param name="FormatId">Number of the stored format; <see cref="TensorFormat"/> where this engine knows it.</param>
/// <param name="Dimensions">Sizes in GGUF order: the first is the row length (columns). 1 to 4 of them.</param>
/// <param name="ByteLength">Stored bytes; 0 when the format is unknown.</param>
public sealed record TensorInfo(string Name, int FormatId, IReadOnlyList<long> Dimensions, long ByteLength)
{
    /// <summary>The format. Check <see cref="IsSupported"/> first.</summary>
    public TensorFormat Format => (TensorFormat)FormatId;

    /// <summary>True when this engine can compute with the stored format.</summary>
    public bool IsSupported => FormatInfo.IsSupported(Format);

    /// <summary>Name of the stored format, also where this engine cannot compute with it.</summary>
    public string FormatName => GgmlTypes.Name(FormatId);

    /// <summary>Elements in all dimensions.</summary>
    public long ElementCount => Dimensions.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Throws unless the format is supported and the sizes are [rows, columns], outer ones folded into rows.</summary>
    internal void RequireShape(string path, int rows, int columns)
    {
        if (!IsSupported)
            throw new ModelFormatException($"{path}: tensor {Name} is stored as {FormatName}, which is not supported yet");
        UInt128 stored = 1;
        for (int i = 1; i < Dimensions.Count; i++)
            stored *= (ulong)Dimensions[i];
        if (rows < 0 || Dimensions[0] != columns || stored != (ulong)rows)
        {
            throw new ModelFormatException(
                $"{path}: tensor {Name} is [{stored}, {Dimensions[0]}] (rows, columns), not [{rows}, {columns}] as the settings say");
        }
    }
}

/// <summary>
/// Where a model's settings and weights come from: GGUF files or a Hugging Face folder. Settings are under GGUF
/// keys and tensors under GGUF names whatever the container is. Tensors handed out are views that stay valid
/// until the source is disposed.
/// </summary>
public abstract class WeightSource : IDisposable
{
    /// <summary>Path of the file or folder, for messages.</summary>
    public abstract string Path { get; }

    /// <summary>Settings under GGUF keys.</summary>
    public abstract Metadata Metadata { get; }

    /// <summary>All tensors in file order.</summary>
    public abstract IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>Path of a Hugging Face tokenizer.json that holds the vocabulary; null when <see cref="Metadata"/> holds it.</summary>
    public virtual string? TokenizerJsonPath => null;

    /// <summary>The value of general.architecture.</summary>
    /// <exception cref="ModelFormatException">The key is missing.</exception>
    public string Architecture => Metadata.GetString("general.architecture")
        ?? throw new ModelFormatException($"{Path}: metadata key general.architecture is missing");

    /// <summary>Opens a GGUF file, all parts of a split one, or a Hugging Face folder, told apart by what is there.</summary>
    /// <exception cref="ModelFormatException">Neither, or damaged.</exception>
    /// <param name="path">The file or folder.</param>
    /// <param name="mapped">Map the files, or read them whole into memory (see <see cref="GgufFile.Open(string, bool)"/>).</param>
    /// <exception cref="FileNotFoundException">Nothing at <paramref name="path"/>.</exception>
    public static WeightSource Open(string path, bool mapped = true)
    {
        if (Directory.Exists(path))
            return HuggingFaceFolder.Open(path, mapped);
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: no such file or folder", path);
        return SplitGguf.Join(GgufFile.Open(path, mapped), mapped);
    }

    /// <summary>True when a tensor of that name is there.</summary>
    public abstract bool Contains(string name);

    /// <summary>
    /// The tensor [rows, columns], without copying where the file allows it; outer dimensions are folded into rows.
    /// </summary>
    /// <exception cref="ModelFormatException">Not there, an unsupported format, or another shape.</exception>
    public abstract Tensor Read(string name, int rows, int columns);

    /// <summary>
    /// Like <see cref="Read"/>, for one look at each tensor of a model: one that has to be made is not kept by the source
    /// but freed when nothing refers to it any more.
    /// </summary>
    /// <exception cref="ModelFormatException">Not there, an unsupported format, or another shape.</exception>
    public virtual Tensor ReadOnce(string name, int rows, int columns) => Read(name, rows, columns);

    /// <summary>True when reading the tensor takes memory of its own; false for a view of what the source holds.</summary>
    internal virtual bool IsMade(string name) => false;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the file.</summary>
    protected abstract void Dispose(bool disposing);
}

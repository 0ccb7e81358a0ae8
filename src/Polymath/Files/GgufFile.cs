using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// A GGUF file of version 2 or 3, checked whole at opening; tensors are views of the mapped file. A file without
/// tensors (a vocabulary alone) opens too. Formats this engine does not compute with are listed and refused by
/// <see cref="Read"/>.
/// </summary>
public sealed class GgufFile : WeightSource
{
    private readonly FileImage _image;
    private readonly GgufHead _head;

    private GgufFile(FileImage image, long allowance)
    {
        var reader = new GgufReader(image, allowance);
        _head = reader.Read();
        Allowance = reader.Allowance;
        _image = image;
    }

    /// <inheritdoc/>
    public override string Path => _image.Path;

    /// <inheritdoc/>
    public override Metadata Metadata => _head.Metadata;

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _head.Tensors;

    /// <summary>Version of the file format, 2 or 3.</summary>
    public int Version => _head.Version;

    /// <summary>Bytes that every tensor's start is a multiple of.</summary>
    public int Alignment => _head.Alignment;

    /// <summary>Byte of the file where the tensor data starts; behind the end when there are no tensors.</summary>
    public long DataOffset => _head.DataOffset;

    /// <summary>Bytes of the file.</summary>
    public long FileLength => _image.Length;

    internal FileImage Image => _image;

    /// <summary>What reading left of the memory it was allowed; the next part of the same model may take that.</summary>
    internal long Allowance { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mapped">
    /// Map the file (fast, shared between processes) or read it whole into memory: safe even when another program
    /// cuts the file short meanwhile, which ends a process that has it mapped.
    /// </param>
    /// <exception cref="ModelFormatException">The file is damaged, hostile or of another version.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new GgufFile Open(string path, bool mapped = true) => Open(FileImage.Open(path, mapped));

    internal static GgufFile Open(FileImage image) => Open(image, FileLimits.MemoryBesidesFile);

    internal static GgufFile Open(FileImage image, long allowance)
    {
        try
        {
            return new GgufFile(image, allowance);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool Contains(string name) => _head.Index.ContainsKey(name);

    /// <inheritdoc/>
    public override Tensor Read(string name, int rows, int columns)
    {
        if (!_head.Index.TryGetValue(name, out int i))
            throw new ModelFormatException($"{Path}: tensor {name} is missing");
        TensorInfo info = _head.Tensors[i];
        info.RequireShape(Path, rows, columns);
        return _image.View(_head.DataOffset + _head.Offsets[i], info.Format, rows, columns);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _image.Dispose();
    }
}

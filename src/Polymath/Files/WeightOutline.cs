using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// A source as its reader sees it, without the memory: tensors that would have to be made are blank, but for small ones.
/// It notes which tensors are read. The source beneath stays open and is not owned; nothing may be computed with what this
/// hands out.
/// </summary>
internal sealed class WeightOutline : WeightSource
{
    private const long SmallBytes = 1 << 16;   // vectors and tables that a reader looks into

    private readonly WeightSource _source;
    private readonly Dictionary<string, TensorInfo> _infos;
    private readonly Dictionary<string, TensorInfo> _read = new(StringComparer.Ordinal);
    private readonly NativeBuffer _blank;      // never touched, so it takes no memory; all blank tensors are views of it
    private readonly long _small;

    /// <param name="source">What is outlined.</param>
    /// <param name="small">Bytes up to which a tensor is made.</param>
    public WeightOutline(WeightSource source, long small = SmallBytes)
    {
        _source = source;
        _small = small;
        _infos = source.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        _blank = new NativeBuffer(source.Tensors.Where(IsBlank).Select(t => t.ByteLength).DefaultIfEmpty().Max());
    }

    /// <inheritdoc/>
    public override string Path => _source.Path;

    /// <inheritdoc/>
    public override Metadata Metadata => _source.Metadata;

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _source.Tensors;

    /// <summary>The tensors that were read.</summary>
    public IReadOnlyCollection<TensorInfo> TensorsRead => _read.Values;

    /// <inheritdoc/>
    public override bool Contains(string name) => _source.Contains(name);

    /// <inheritdoc/>
    internal override bool IsMade(string name) => _source.IsMade(name);

    /// <inheritdoc/>
    public override Tensor Read(string name, int rows, int columns)
    {
        if (!_infos.TryGetValue(name, out TensorInfo? info))
            return _source.Read(name, rows, columns);   // throws
        if (IsBlank(info))
            info.RequireShape(Path, rows, columns);
        Tensor tensor = IsBlank(info) ? Tensor.View(_blank, 0, info.Format, rows, columns) : _source.ReadOnce(name, rows, columns);
        _read[name] = info;
        return tensor;
    }

    /// <summary>The tensors may outlive this; the memory goes with the last of them.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    private bool IsBlank(TensorInfo tensor) => tensor.ByteLength > _small && _source.IsMade(tensor.Name);
}

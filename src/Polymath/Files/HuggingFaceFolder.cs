using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>stub</summary>
public sealed class HuggingFaceFolder : WeightSource
{
    /// <inheritdoc/>
    public override string Path => throw new NotSupportedException();

    /// <inheritdoc/>
    public override Metadata Metadata => throw new NotSupportedException();

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => throw new NotSupportedException();

    /// <summary>stub</summary>
    public static new HuggingFaceFolder Open(string path, bool mapped = true) => throw new NotSupportedException(path);

    /// <inheritdoc/>
    public override bool Contains(string name) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override Tensor Read(string name, int rows, int columns) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => throw new NotSupportedException();
}

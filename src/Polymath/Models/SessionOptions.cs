using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>How the state of a text is kept.</summary>
public sealed record SessionOptions
{
    /// <summary>
    /// Most tokens; 0 for the length the model was trained for, but no more than <see cref="Model.DefaultContext"/>.
    /// </summary>
    public int ContextLength { get; init; }

    /// <summary>Format of the cached keys: F32, F16, BF16, Q8_0, Q4_0 …</summary>
    public TensorFormat KeyFormat { get; init; } = TensorFormat.F16;

    /// <summary>Format of the cached values.</summary>
    public TensorFormat ValueFormat { get; init; } = TensorFormat.F16;
}

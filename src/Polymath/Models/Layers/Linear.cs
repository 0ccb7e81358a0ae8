using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>A weight [N, K] in any format, and an optional bias [1, N]: y = x · weightᵀ + bias.</summary>
/// <param name="Weight">[N, K].</param>
/// <param name="Bias">F32 [1, N], or empty.</param>
public readonly record struct Linear(Tensor Weight, Tensor Bias = default)
{
    /// <summary>
    /// The tensor it was read from; null for none of its own. Of the parts of a fused tensor, which all read the same input,
    /// the first alone has it.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>The weight once more, as matmuls read it fastest; empty where they read it as it is stored.</summary>
    public InterleavedMatrix Interleaved { get; init; }

    /// <summary>The weight is F16 and known to have neither infinity nor NaN.</summary>
    public bool IsFinite { get; init; }

    /// <summary>Which expert of the tensor it is; null for a matrix that all tokens go through.</summary>
    public int? Expert { get; init; }

    /// <summary>N, the width of the result.</summary>
    public int Outputs => Weight.Rows;

    /// <summary>K, the width of the input.</summary>
    public int Inputs => Weight.Columns;

    /// <summary>The product of this weight that goes into <paramref name="y"/> [T, N].</summary>
    internal MatMulTarget Into(Tensor y) => new(Weight, y, Interleaved) { IsFinite = IsFinite };

    /// <summary>The outputs start … start + count − 1 alone: a part of fused matrices.</summary>
    public Linear Slice(int start, int count) => new(
        Weight.Slice(start, count),
        Bias.IsEmpty ? default : Bias.Elements(start, count))
    {
        Name = start == 0 ? Name : null,
        IsFinite = IsFinite,
        Interleaved = Interleaved.IsEmpty ? default : Interleaved.Slice(start, count),
    };
}

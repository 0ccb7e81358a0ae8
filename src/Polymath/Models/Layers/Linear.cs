using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>A weight [N, K] in any format, and an optional bias [1, N]: y = x · weightᵀ + bias.</summary>
/// <param name="Weight">[N, K].</param>
/// <param name="Bias">F32 [1, N], or empty.</param>
public readonly record struct Linear(Tensor Weight, Tensor Bias = default)
{
    /// <summary>N, the width of the result.</summary>
    public int Outputs => Weight.Rows;

    /// <summary>K, the width of the input.</summary>
    public int Inputs => Weight.Columns;

    /// <summary>The outputs start … start + count − 1 alone: a part of fused matrices.</summary>
    public Linear Slice(int start, int count) => new(
        Weight.Slice(start, count),
        Bias.IsEmpty ? default : Bias.Elements(start, count));
}

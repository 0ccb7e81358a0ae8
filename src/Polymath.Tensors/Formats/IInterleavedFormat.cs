using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// A format of integers as the matmul reads it: sixteen rows side by side (<see cref="Interleaving"/>), so that the
/// 32-bit lanes of a register are the rows and nothing is added across lanes. Blocks are taken in stretches of 32
/// elements, eight steps of four consecutive elements of every row; value = scale · q + offset.
/// </summary>
/// <remarks>A group is one block of sixteen rows; its halves are the rows 0–7 and 8–15.</remarks>
internal unsafe interface IInterleavedFormat : IGroupFormat
{
    /// <summary>
    /// Steps whose products with int8 activations, |a| ≤ 127, add up in 16 bits: 8 for q of 0–15, 4 for 0–31, 2 for 0–63.
    /// 0: q is a signed byte, and nothing adds up in 16 bits.
    /// </summary>
    static abstract int StepsPerSum { get; }

    /// <summary>Whether the offsets are other than zero.</summary>
    static abstract bool HasOffset { get; }

    /// <summary>Puts a stored block into its places among those of sixteen rows: as large, each word beside those of the other rows, the levels in any order of bits.</summary>
    static abstract void Interleave(byte* block, byte* group, int row);

    /// <summary>The integers of a stretch of 32 elements: in each register four consecutive ones of eight rows.</summary>
    /// <param name="group">Sixteen interleaved blocks.</param>
    /// <param name="half">Which eight rows.</param>
    /// <param name="stretch">Which 32 elements of the block.</param>
    /// <param name="q">The eight registers.</param>
    static abstract void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q);

    /// <summary>The same of all sixteen rows.</summary>
    static abstract void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q);

    /// <summary>The factors of eight rows for each group of elements in the block.</summary>
    /// <param name="group">Sixteen interleaved blocks.</param>
    /// <param name="half">Which eight rows.</param>
    /// <param name="scales">Takes eight for each group of elements, sixteen apart.</param>
    /// <param name="offsets">Likewise; left alone where there are none.</param>
    static abstract void Factors(byte* group, nint half, float* scales, float* offsets);

    /// <summary>The same of all sixteen rows.</summary>
    static abstract void Factors(byte* group, float* scales, float* offsets);
}

/// <summary>32 elements of as many rows as a register has lanes of 32 bits: in register i the elements 4i … 4i + 3 of each row.</summary>
internal ref struct EightSteps<TVector>
    where TVector : struct
{
    public TVector S0;
    public TVector S1;
    public TVector S2;
    public TVector S3;
    public TVector S4;
    public TVector S5;
    public TVector S6;
    public TVector S7;
}

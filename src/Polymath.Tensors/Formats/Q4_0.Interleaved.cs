using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 15: sixteen products of theirs, at most 16 · 15 · 127 = 30,480, add up in 16 bits.</summary>
internal readonly unsafe partial struct Q4_0 : IInterleavedFormat
{
    private const int LaneQuants = 2 * Interleaving.Rows;   // where the field begins in a group

    /// <inheritdoc/>
    public static int StepsPerSum => 8;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Halves(block, group, row, 1);
        Interleaving.Words(block + 2, group + LaneQuants, row, 4);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        Interleaving.SplitNibbles(group + LaneQuants, half, out q);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        Interleaving.SplitNibbles(group + LaneQuants, out q);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector256<float> d = Interleaving.Half(group, half, 0);
        d.Store(scales);
        (d * Vector256.Create(-8f)).Store(offsets);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Vector512<float> d = Interleaving.Half(group, 0);
        d.Store(scales);
        (d * Vector512.Create(-8f)).Store(offsets);
    }
}

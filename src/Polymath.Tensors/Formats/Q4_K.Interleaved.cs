using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 15, as in Q4_0; the scales and minima of a row are three words.</summary>
internal readonly unsafe partial struct Q4_K : IInterleavedFormat
{
    private const int LaneScales = 4 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneQuants = 16 * Interleaving.Rows;

    /// <inheritdoc/>
    public static int StepsPerSum => 8;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Halves(block, group, row, 2);
        Interleaving.Words(block + Scales, group + LaneScales, row, 3);
        Interleaving.Nibbles(block + Quants, group + LaneQuants, row, 4);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        Interleaving.SplitNibbles(group + LaneQuants + (stretch * 4 * 64), half, out q);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        Interleaving.SplitNibbles(group + LaneQuants + (stretch * 4 * 64), out q);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Interleaving.SixBitFactors(
            group + LaneScales, half, Interleaving.Half(group, half, 0), -Interleaving.Half(group, half, 1), scales, offsets);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Interleaving.SixBitFactors(
            group + LaneScales, Interleaving.Half(group, 0), -Interleaving.Half(group, 1), scales, offsets);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 63: four products of theirs, at most 4 · 63 · 127 = 32,004, add up in 16 bits.</summary>
internal readonly unsafe partial struct Q6_K : IInterleavedFormat
{
    private const int LaneHighs = 128 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneScales = 192 * Interleaving.Rows;
    private const int LaneD = 208 * Interleaving.Rows;

    /// <inheritdoc/>
    public static int StepsPerSum => 2;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Words(block, group, row, 32);
        Interleaving.Words(block + HighBits, group + LaneHighs, row, 16);
        Interleaving.Words(block + Scales, group + LaneScales, row, 4);
        Interleaving.Halves(block + D, group + LaneD, row, 1);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps q)
    {
        // Of each 128 elements the first 64 are the low halves of 64 bytes, and four groups of 32 share 32 bytes of high bits.
        nint part = stretch / 4, quarter = stretch % 4;
        Interleaving.ShiftedBits(group + (((part * 16) + (quarter % 2 * 8)) * 64), half, (int)(quarter / 2) * 4, 15, out q);
        Interleaving.ShiftedBits(group + LaneHighs + (part * 8 * 64), half, (int)quarter * 2, 3, out EightSteps high);
        Interleaving.SetHigh(ref q, high, 4);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector256<float> d = Interleaving.Half(group + LaneD, half, 0);
        for (nint i = 0; i < 16; i++)
        {
            Vector256<float> scale = d * Interleaving.SignedByteOf(Interleaving.Word(group + LaneScales, half, i / 4), i % 4);
            scale.Store(scales + (i * Interleaving.Rows));
            (scale * Vector256.Create(-32f)).Store(offsets + (i * Interleaving.Rows));
        }
    }
}

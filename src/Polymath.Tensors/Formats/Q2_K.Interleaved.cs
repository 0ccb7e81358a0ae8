using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 3.</summary>
internal readonly unsafe partial struct Q2_K : IInterleavedFormat
{
    private const int LaneQuants = 16 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneD = 80 * Interleaving.Rows;

    /// <inheritdoc/>
    public static int StepsPerSum => 4;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Words(block, group, row, 4);
        Interleaving.Words(block + Quants, group + LaneQuants, row, 16);
        Interleaving.Halves(block + D, group + LaneD, row, 2);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps q)
    {
        Interleaving.ShiftedBits(group + LaneQuants + (stretch / 4 * 8 * 64), half, (int)(stretch % 4) * 2, 3, out q);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector256<float> d = Interleaving.Half(group + LaneD, half, 0), m = -Interleaving.Half(group + LaneD, half, 1);
        Vector256<byte> low = Vector256.Create((byte)15);
        for (nint i = 0; i < 16; i++)
        {
            Vector256<byte> word = Interleaving.Word(group, half, i / 4);
            (d * Interleaving.ByteOf(word & low, i % 4)).Store(scales + (i * Interleaving.Rows));
            (m * Interleaving.ByteOf((word.AsUInt32() >>> 4).AsByte() & low, i % 4)).Store(offsets + (i * Interleaving.Rows));
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 7 before 4 is taken off.</summary>
internal readonly unsafe partial struct Q3_K : IInterleavedFormat
{
    private const int LaneQuants = 32 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneScales = 96 * Interleaving.Rows;
    private const int LaneD = 108 * Interleaving.Rows;

    private static Vector256<float> SixBits(byte* field, nint half, nint index)
    {
        Vector256<uint> low = Interleaving.Word(field, half, index / 4 % 2).AsUInt32() >>> (int)(index / 8 * 4);
        Vector256<uint> high = Interleaving.Word(field, half, 2).AsUInt32() >>> (int)(index / 4 * 2);
        Vector256<uint> both = (low & Vector256.Create(0x0F0F0F0Fu)) | ((high & Vector256.Create(0x03030303u)) << 4);
        return Interleaving.ByteOf(both.AsByte(), index % 4);
    }

    /// <inheritdoc/>
    public static int StepsPerSum => 4;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Words(block, group, row, 8);
        Interleaving.Words(block + Quants, group + LaneQuants, row, 16);
        Interleaving.Words(block + Scales, group + LaneScales, row, 3);
        Interleaving.Halves(block + D, group + LaneD, row, 1);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps q)
    {
        Interleaving.ShiftedBits(group + LaneQuants + (stretch / 4 * 8 * 64), half, (int)(stretch % 4) * 2, 3, out q);
        Interleaving.ShiftedBits(group, half, (int)stretch, 1, out EightSteps third);
        Interleaving.SetHigh(ref q, third, 2);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector256<float> d = Interleaving.Half(group + LaneD, half, 0);
        for (nint i = 0; i < 16; i++)
        {
            Vector256<float> scale = d * (SixBits(group + LaneScales, half, i) - Vector256.Create(32f));
            scale.Store(scales + (i * Interleaving.Rows));
            (scale * Vector256.Create(-4f)).Store(offsets + (i * Interleaving.Rows));
        }
    }
}

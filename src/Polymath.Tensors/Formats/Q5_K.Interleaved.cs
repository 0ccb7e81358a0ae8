using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 31, as in Q5_0; the scales and minima of a row are three words.</summary>
internal readonly unsafe partial struct Q5_K : IInterleavedFormat
{
    private const int LaneScales = 4 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneQuants = 16 * Interleaving.Rows;
    private const int StretchBytes = 5 * 64;                // a word of fifth bits and four of nibbles

    /// <inheritdoc/>
    public static int StepsPerSum => 4;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Halves(block, group, row, 2);
        Interleaving.Words(block + Scales, group + LaneScales, row, 3);
        for (nint s = 0; s < 8; s++)
        {
            uint fifths = 0;
            for (int i = 0; i < 8; i++)
                fifths |= ((Unsafe.ReadUnaligned<uint>(block + FifthBits + (4 * i)) >> (int)s) & 0x01010101) << i;
            Interleaving.Words((byte*)&fifths, group + LaneQuants + (s * StretchBytes), row, 1);
        }

        Interleaving.Nibbles(block + Quants, group + LaneQuants + 64, row, 5);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        byte* field = group + LaneQuants + (stretch * StretchBytes);
        Interleaving.SplitFives(field + 64, Interleaving.Word(field, half, 0), half, out q);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        byte* field = group + LaneQuants + (stretch * StretchBytes);
        Interleaving.SplitFives(field + 64, Interleaving.Word(field, 0), out q);
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

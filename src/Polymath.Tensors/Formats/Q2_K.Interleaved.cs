using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 3.</summary>
internal readonly unsafe partial struct Q2_K : IInterleavedFormat
{
    private const int LaneQuants = 16 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneD = 80 * Interleaving.Rows;

    private static Vector256<byte> Low(byte* group, nint half, nint index) => Interleaving.Word(group, half, index / 4) & Vector256.Create((byte)15);

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
    public static Vector256<float> Scale(byte* group, nint half, nint index) => Interleaving.Half(group + LaneD, half, 0) * Interleaving.ByteOf(Low(group, half, index), index % 4);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Offset(byte* group, nint half, nint index) => Interleaving.Half(group + LaneD, half, 1) * -Interleaving.ByteOf((Interleaving.Word(group, half, index / 4).AsUInt32() >>> 4).AsByte() & Vector256.Create((byte)15), index % 4);
}

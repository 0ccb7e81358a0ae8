using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 31, as in Q5_0, with a stored offset.</summary>
internal readonly unsafe partial struct Q5_1 : IInterleavedFormat
{
    private const int LaneFifths = 4 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneQuants = 8 * Interleaving.Rows;

    /// <inheritdoc/>
    public static int StepsPerSum => 4;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Halves(block, group, row, 2);
        uint fifths = Interleaving.SpreadFifths(Unsafe.ReadUnaligned<uint>(block + FifthBits));
        Interleaving.Words((byte*)&fifths, group + LaneFifths, row, 1);
        Interleaving.Words(block + Quants, group + LaneQuants, row, 4);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        Interleaving.SplitFives(group + LaneQuants, Interleaving.Word(group + LaneFifths, half, 0), half, out q);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        Interleaving.SplitFives(group + LaneQuants, Interleaving.Word(group + LaneFifths, 0), out q);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Interleaving.Half(group, half, 0).Store(scales);
        Interleaving.Half(group, half, 1).Store(offsets);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Interleaving.Half(group, 0).Store(scales);
        Interleaving.Half(group, 1).Store(offsets);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 31: eight products of theirs, at most 8 · 31 · 127 = 31,496, add up in 16 bits.</summary>
internal readonly unsafe partial struct Q5_0 : IInterleavedFormat
{
    private const int LaneFifths = 2 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneQuants = 6 * Interleaving.Rows;

    /// <inheritdoc/>
    public static int StepsPerSum => 4;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Halves(block, group, row, 1);
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
        Vector256<float> d = Interleaving.Half(group, half, 0);
        d.Store(scales);
        (d * Vector256.Create(-16f)).Store(offsets);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Vector512<float> d = Interleaving.Half(group, 0);
        d.Store(scales);
        (d * Vector512.Create(-16f)).Store(offsets);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>The entries of a table of signed bytes.</summary>
internal readonly unsafe partial struct IQ4_NL : IInterleavedFormat
{
    private const int LaneQuants = 2 * Interleaving.Rows;   // where the field begins in a group

    /// <summary>The table in both halves of a register.</summary>
    internal static Vector256<byte> LaneTable => Vector256.Create(Vector128.Create(Levels).AsByte(), Vector128.Create(Levels).AsByte());

    /// <summary>The same in four quarters.</summary>
    internal static Vector512<byte> WideTable => Vector512.Create(LaneTable, LaneTable);

    /// <inheritdoc/>
    public static int StepsPerSum => 0;

    /// <inheritdoc/>
    public static bool HasOffset => false;

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
        Interleaving.LookUp(ref q, LaneTable);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        Interleaving.SplitNibbles(group + LaneQuants, out q);
        Interleaving.LookUp(ref q, WideTable);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Interleaving.Half(group, half, 0).Store(scales);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Interleaving.Half(group, 0).Store(scales);
    }
}

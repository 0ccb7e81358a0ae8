using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Signed bytes: two products add up in 16 bits.</summary>
internal readonly unsafe partial struct Q8_0 : IInterleavedFormat
{
    private const int LaneQuants = 2 * Interleaving.Rows;   // where the field begins in a group

    /// <inheritdoc/>
    public static int StepsPerSum => 0;

    /// <inheritdoc/>
    public static bool HasOffset => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Halves(block, group, row, 1);
        Interleaving.Words(block + 2, group + LaneQuants, row, 8);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        byte* field = group + LaneQuants;
        q.S0 = Interleaving.Word(field, half, 0);
        q.S1 = Interleaving.Word(field, half, 1);
        q.S2 = Interleaving.Word(field, half, 2);
        q.S3 = Interleaving.Word(field, half, 3);
        q.S4 = Interleaving.Word(field, half, 4);
        q.S5 = Interleaving.Word(field, half, 5);
        q.S6 = Interleaving.Word(field, half, 6);
        q.S7 = Interleaving.Word(field, half, 7);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        byte* field = group + LaneQuants;
        q.S0 = Interleaving.Word(field, 0);
        q.S1 = Interleaving.Word(field, 1);
        q.S2 = Interleaving.Word(field, 2);
        q.S3 = Interleaving.Word(field, 3);
        q.S4 = Interleaving.Word(field, 4);
        q.S5 = Interleaving.Word(field, 5);
        q.S6 = Interleaving.Word(field, 6);
        q.S7 = Interleaving.Word(field, 7);
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

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>The entries of a table of signed bytes, as in IQ4_NL, with a scale of 6 bits for each 32.</summary>
internal readonly unsafe partial struct IQ4_XS : IInterleavedFormat
{
    private const int LaneScales = 4 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneQuants = 8 * Interleaving.Rows;

    /// <inheritdoc/>
    public static int StepsPerSum => 0;

    /// <inheritdoc/>
    public static bool HasOffset => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Halves(block, group, row, 2);
        Interleaving.Words(block + 4, group + LaneScales, row, 1);
        Interleaving.Words(block + 8, group + LaneQuants, row, 32);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        Interleaving.SplitNibbles(group + LaneQuants + (stretch * 4 * 64), half, out q);
        Interleaving.LookUp(ref q, IQ4_NL.LaneTable);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        Interleaving.SplitNibbles(group + LaneQuants + (stretch * 4 * 64), out q);
        Interleaving.LookUp(ref q, IQ4_NL.WideTable);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector256<float> d = Interleaving.Half(group, half, 0);
        Vector256<int> high = Simd.Widen(Vector128.Load((short*)(group + 32 + (16 * half))));
        Vector256<int> low = Interleaving.Word(group + LaneScales, half, 0).AsInt32();
        for (int i = 0; i < 8; i++)
        {
            Vector256<int> level = ((low >>> (4 * i)) & Vector256.Create(15)) | (((high >>> (2 * i)) & Vector256.Create(3)) << 4);
            (d * Vector256.ConvertToSingle(level - Vector256.Create(32))).Store(scales + ((nint)i * Interleaving.Rows));
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Vector512<float> d = Interleaving.Half(group, 0);
        Vector512<int> high = Simd.Widen(Vector256.Load((short*)(group + 32)));
        Vector512<int> low = Interleaving.Word(group + LaneScales, 0).AsInt32();
        for (int i = 0; i < 8; i++)
        {
            Vector512<int> level = ((low >>> (4 * i)) & Vector512.Create(15)) | (((high >>> (2 * i)) & Vector512.Create(3)) << 4);
            (d * Vector512.ConvertToSingle(level - Vector512.Create(32))).Store(scales + ((nint)i * Interleaving.Rows));
        }
    }
}

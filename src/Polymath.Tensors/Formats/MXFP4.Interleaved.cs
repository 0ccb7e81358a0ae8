using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>The entries of a table, 12 higher than they are: 0 to 24, so that eight products add up in 16 bits.</summary>
internal readonly unsafe partial struct MXFP4 : IInterleavedFormat
{
    private const int LaneQuants = 1 * Interleaving.Rows;   // where the field begins in a group

    /// <inheritdoc/>
    public static int StepsPerSum => 4;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Bytes(block, group, row, 1);
        Interleaving.Words(block + 1, group + LaneQuants, row, 4);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        Vector128<byte> table = Vector128.Create((byte)12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);
        Interleaving.SplitNibbles(group + LaneQuants, half, out q);
        Interleaving.LookUp(ref q, Vector256.Create(table, table));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        Vector128<byte> table = Vector128.Create((byte)12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);
        Interleaving.SplitNibbles(group + LaneQuants, out q);
        Interleaving.LookUp(ref q, Vector512.Create(Vector256.Create(table, table), Vector256.Create(table, table)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector128<short> bytes = Vector128.WidenLower(Vector64.Load(group + (8 * half)).ToVector128Unsafe()).AsInt16();
        Vector256<int> exponent = Simd.Widen(bytes);
        Vector256<int> subnormal = Vector256.Create(0x00200000) + (exponent << 21);   // of the exponents 0 and 1
        Vector256<int> small = Vector256.LessThan(exponent, Vector256.Create(2));
        Vector256<float> scale = Vector256.ConditionalSelect(small, subnormal, (exponent - Vector256<int>.One) << 23).AsSingle();
        scale.Store(scales);
        (scale * Vector256.Create(-12f)).Store(offsets);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Vector256<short> bytes = Vector256.Create(Vector128.WidenLower(Vector128.Load(group)), Vector128.WidenUpper(Vector128.Load(group))).AsInt16();
        Vector512<int> exponent = Simd.Widen(bytes);
        Vector512<int> subnormal = Vector512.Create(0x00200000) + (exponent << 21);   // of the exponents 0 and 1
        Vector512<int> small = Vector512.LessThan(exponent, Vector512.Create(2));
        Vector512<float> scale = Vector512.ConditionalSelect(small, subnormal, (exponent - Vector512<int>.One) << 23).AsSingle();
        scale.Store(scales);
        (scale * Vector512.Create(-12f)).Store(offsets);
    }
}

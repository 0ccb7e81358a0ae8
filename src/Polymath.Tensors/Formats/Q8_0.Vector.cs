using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// x86 multiplies unsigned with signed bytes: |w| with a·sign(w). The 16-bit sums of two cannot saturate: 2 · 128 · 127 fits.
/// </summary>
internal readonly unsafe partial struct Q8_0 : IInt8Vector
{
    /// <inheritdoc/>
    public static int Offset => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Unpack(byte* block) => Vector256.Load((sbyte*)(block + sizeof(ushort)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> FourDots(byte* b0, byte* b1, byte* b2, byte* b3, Vector256<sbyte> a)
    {
        Vector256<int> s01 = Simd.AddPairs(Products(Unpack(b0), a), Products(Unpack(b1), a));
        Vector256<int> s23 = Simd.AddPairs(Products(Unpack(b2), a), Products(Unpack(b3), a));
        Vector256<int> s = Simd.AddPairs(s01, s23);
        return s.GetLower() + s.GetUpper();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> EightDots(byte* first, nint stride, sbyte* a)
    {
        Vector256<sbyte> v = Vector256.Load(a);
        byte* fifth = first + (4 * stride);
        return Vector256.Create(
            FourDots(first, first + stride, first + (2 * stride), first + (3 * stride), v),
            FourDots(fifth, fifth + stride, fifth + (2 * stride), fifth + (3 * stride), v));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> FourDots(byte* b0, byte* b1, byte* b2, byte* b3, Vector128<sbyte> low, Vector128<sbyte> high) =>
        Simd.AddPairs(
            Simd.AddPairs(Products(b0, low, high), Products(b1, low, high)),
            Simd.AddPairs(Products(b2, low, high), Products(b3, low, high)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddFours(Vector256<sbyte> weights, Vector256<sbyte> activations, Vector256<int> sum) =>
        sum + Products(weights, activations);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Finish(Vector256<int> sum) => sum;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddFours(Vector512<sbyte> weights, Vector512<sbyte> activations, Vector512<int> sum) =>
        sum + Simd.MultiplyAddPairs(
            Simd.MultiplyAddPairs(Vector512.Abs(weights).AsByte(), Simd.MultiplySign(activations, weights)), Vector512<short>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Finish(Vector512<int> sum) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(Vector256<sbyte> w, Vector256<sbyte> a) =>
        Simd.MultiplyAddPairs(Simd.MultiplyAddPairs(Vector256.Abs(w).AsByte(), Simd.MultiplySign(a, w)), Vector256<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Products(byte* block, Vector128<sbyte> low, Vector128<sbyte> high)
    {
        var q = (sbyte*)(block + sizeof(ushort));
        return Simd.AddDotFours(Simd.AddDotFours(Vector128<int>.Zero, Vector128.Load(q), low), Vector128.Load(q + 16), high);
    }
}

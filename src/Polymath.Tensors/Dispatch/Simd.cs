using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

/// <summary>
/// Single operations that .NET has no portable name for, each with a fallback of the same meaning, so that
/// every kernel variant can be tested on every chip. The checks are constants to the JIT.
/// </summary>
internal static class Simd
{
    /// <summary>a × b + c: fused where the chip can, else rounded twice. Never a software emulation of fused.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c)
    {
        if (Fma.IsSupported)
            return Fma.MultiplyAdd(a, b, c);
        return AdvSimd.IsSupported ? Vector256.FusedMultiplyAdd(a, b, c) : (a * b) + c;
    }

    /// <summary>Sums of neighbours within each 128-bit half: [a0+a1, a2+a3, b0+b1, b2+b3 | a4+a5, …].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddPairs(Vector256<float> a, Vector256<float> b) =>
        Avx.IsSupported
            ? Avx.HorizontalAdd(a, b)
            : Vector256.Create(AddPairs(a.GetLower(), b.GetLower()), AddPairs(a.GetUpper(), b.GetUpper()));

    /// <summary>Sums of neighbours: [a0+a1, a2+a3, b0+b1, b2+b3].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddPairs(Vector128<float> a, Vector128<float> b)
    {
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.AddPairwise(a, b);
        if (Sse3.IsSupported)
            return Sse3.HorizontalAdd(a, b);
        return Vector128.Create(a[0] + a[1], a[2] + a[3], b[0] + b[1], b[2] + b[3]);
    }

    /// <summary>Sums of neighbours: [a0+a1, a2+a3, b0+b1, b2+b3].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddPairs(Vector128<int> a, Vector128<int> b)
    {
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.AddPairwise(a, b);
        if (Ssse3.IsSupported)
            return Ssse3.HorizontalAdd(a, b);
        return Vector128.Create(a[0] + a[1], a[2] + a[3], b[0] + b[1], b[2] + b[3]);
    }

    /// <summary>Unsigned times signed bytes, neighbours added with saturation to 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> MultiplyAddPairs(Vector256<byte> a, Vector256<sbyte> b)
    {
        if (Avx2.IsSupported)
            return Avx2.MultiplyAddAdjacent(a, b);
        (Vector256<short> aLow, Vector256<short> aHigh) = (Vector256.WidenLower(a).AsInt16(), Vector256.WidenUpper(a).AsInt16());
        (Vector256<short> bLow, Vector256<short> bHigh) = Vector256.Widen(b);
        return Vector256.NarrowWithSaturation(MultiplyAddPairs(aLow, bLow), MultiplyAddPairs(aHigh, bHigh));
    }

    /// <summary>Products of 16 bits, neighbours added to 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> MultiplyAddPairs(Vector128<short> a, Vector128<short> b)
    {
        if (Sse2.IsSupported)
            return Sse2.MultiplyAddAdjacent(a, b);
        Vector128<int> even = ((a.AsInt32() << 16) >> 16) * ((b.AsInt32() << 16) >> 16);
        return even + ((a.AsInt32() >> 16) * (b.AsInt32() >> 16));
    }

    /// <summary>Products of 16 bits, neighbours added to 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAddPairs(Vector256<short> a, Vector256<short> b)
    {
        return Avx2.IsSupported
            ? Avx2.MultiplyAddAdjacent(a, b)
            : Vector256.Create(MultiplyAddPairs(a.GetLower(), b.GetLower()), MultiplyAddPairs(a.GetUpper(), b.GetUpper()));
    }

    /// <summary>As the 256-bit one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<short> MultiplyAddPairs(Vector512<byte> a, Vector512<sbyte> b) =>
        Avx512BW.IsSupported
            ? Avx512BW.MultiplyAddAdjacent(a, b)
            : Vector512.Create(MultiplyAddPairs(a.GetLower(), b.GetLower()), MultiplyAddPairs(a.GetUpper(), b.GetUpper()));

    /// <summary>As the 256-bit one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAddPairs(Vector512<short> a, Vector512<short> b) =>
        Avx512BW.IsSupported
            ? Avx512BW.MultiplyAddAdjacent(a, b)
            : Vector512.Create(MultiplyAddPairs(a.GetLower(), b.GetLower()), MultiplyAddPairs(a.GetUpper(), b.GetUpper()));

    /// <summary>The values with the signs of <paramref name="sign"/> multiplied in; where it is zero, anything.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> MultiplySign(Vector256<sbyte> values, Vector256<sbyte> sign) =>
        Avx2.IsSupported
            ? Avx2.Sign(values, sign)
            : Vector256.ConditionalSelect(Vector256.LessThan(sign, Vector256<sbyte>.Zero), -values, values);

    /// <summary>Adds the sums of the products of four neighbouring signed bytes each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddDotFours(Vector128<int> sum, Vector128<sbyte> a, Vector128<sbyte> b)
    {
        if (Dp.IsSupported)
            return Dp.DotProduct(sum, a, b);
        (Vector128<short> aLow, Vector128<short> aHigh) = Vector128.Widen(a);
        (Vector128<short> bLow, Vector128<short> bHigh) = Vector128.Widen(b);
        return sum + AddPairs(AddPairs(aLow * bLow), AddPairs(aHigh * bHigh));   // each product fits 16 bits
    }

    /// <summary>a × b + c: as the 256-bit one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c)
    {
        if (Fma.IsSupported)
            return Fma.MultiplyAdd(a, b, c);
        return AdvSimd.IsSupported ? AdvSimd.FusedMultiplyAdd(c, a, b) : (a * b) + c;
    }

    /// <summary>a × b + c: as the 256-bit one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Avx512F.IsSupported
            ? Avx512F.FusedMultiplyAdd(a, b, c)
            : Vector512.Create(MultiplyAdd(a.GetLower(), b.GetLower(), c.GetLower()), MultiplyAdd(a.GetUpper(), b.GetUpper(), c.GetUpper()));

    /// <summary>Sign-extends to 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Widen(Vector128<short> v) =>
        Avx2.IsSupported ? Avx2.ConvertToVector256Int32(v) : Vector256.Create(Vector128.WidenLower(v), Vector128.WidenUpper(v));

    /// <summary>Sign-extends to 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Widen(Vector256<short> v) =>
        Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(v) : Vector512.Create(Widen(v.GetLower()), Widen(v.GetUpper()));

    /// <summary>For each byte of 0–15 the entry of a table of 16, which lies in both halves of a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> LookUp(Vector256<byte> table, Vector256<byte> index) =>
        Avx2.IsSupported
            ? Avx2.Shuffle(table, index)
            : Vector256.Create(Vector128.Shuffle(table.GetLower(), index.GetLower()), Vector128.Shuffle(table.GetUpper(), index.GetUpper()));

    /// <summary>As the 256-bit one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> LookUp(Vector512<byte> table, Vector512<byte> index) =>
        Avx512BW.IsSupported
            ? Avx512BW.Shuffle(table, index)
            : Vector512.Create(LookUp(table.GetLower(), index.GetLower()), LookUp(table.GetUpper(), index.GetUpper()));

    /// <summary>Adds the sums of the products of four neighbouring signed bytes each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddDotFours(Vector256<int> sum, Vector256<sbyte> a, Vector256<sbyte> b) => Vector256.Create(
        AddDotFours(sum.GetLower(), a.GetLower(), b.GetLower()), AddDotFours(sum.GetUpper(), a.GetUpper(), b.GetUpper()));

    /// <summary>As the 256-bit one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddDotFours(Vector512<int> sum, Vector512<sbyte> a, Vector512<sbyte> b) => Vector512.Create(
        AddDotFours(sum.GetLower(), a.GetLower(), b.GetLower()), AddDotFours(sum.GetUpper(), a.GetUpper(), b.GetUpper()));

    /// <summary>Transposes the 4 × 4 integers in each 128-bit half of four registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(ref Vector256<int> r0, ref Vector256<int> r1, ref Vector256<int> r2, ref Vector256<int> r3)
    {
        if (Avx2.IsSupported)
        {
            Vector256<long> low01 = Avx2.UnpackLow(r0, r1).AsInt64(), high01 = Avx2.UnpackHigh(r0, r1).AsInt64();
            Vector256<long> low23 = Avx2.UnpackLow(r2, r3).AsInt64(), high23 = Avx2.UnpackHigh(r2, r3).AsInt64();
            r0 = Avx2.UnpackLow(low01, low23).AsInt32();
            r1 = Avx2.UnpackHigh(low01, low23).AsInt32();
            r2 = Avx2.UnpackLow(high01, high23).AsInt32();
            r3 = Avx2.UnpackHigh(high01, high23).AsInt32();
            return;
        }

        Vector256<int> a = r0, b = r1, c = r2, d = r3;
        r0 = Vector256.Create(a[0], b[0], c[0], d[0], a[4], b[4], c[4], d[4]);
        r1 = Vector256.Create(a[1], b[1], c[1], d[1], a[5], b[5], c[5], d[5]);
        r2 = Vector256.Create(a[2], b[2], c[2], d[2], a[6], b[6], c[6], d[6]);
        r3 = Vector256.Create(a[3], b[3], c[3], d[3], a[7], b[7], c[7], d[7]);
    }

    private static Vector128<int> AddPairs(Vector128<short> v) => ((v.AsInt32() << 16) >> 16) + (v.AsInt32() >> 16);

    /// <summary>Transposes the 4 × 4 integers in each 128-bit quarter of four registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(ref Vector512<int> r0, ref Vector512<int> r1, ref Vector512<int> r2, ref Vector512<int> r3)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<long> low01 = Avx512F.UnpackLow(r0, r1).AsInt64(), high01 = Avx512F.UnpackHigh(r0, r1).AsInt64();
            Vector512<long> low23 = Avx512F.UnpackLow(r2, r3).AsInt64(), high23 = Avx512F.UnpackHigh(r2, r3).AsInt64();
            r0 = Avx512F.UnpackLow(low01, low23).AsInt32();
            r1 = Avx512F.UnpackHigh(low01, low23).AsInt32();
            r2 = Avx512F.UnpackLow(high01, high23).AsInt32();
            r3 = Avx512F.UnpackHigh(high01, high23).AsInt32();
            return;
        }

        Vector256<int> a = r0.GetLower(), b = r1.GetLower(), c = r2.GetLower(), d = r3.GetLower();
        Vector256<int> e = r0.GetUpper(), f = r1.GetUpper(), g = r2.GetUpper(), h = r3.GetUpper();
        Transpose(ref a, ref b, ref c, ref d);
        Transpose(ref e, ref f, ref g, ref h);
        r0 = Vector512.Create(a, e);
        r1 = Vector512.Create(b, f);
        r2 = Vector512.Create(c, g);
        r3 = Vector512.Create(d, h);
    }

    /// <summary>Asks for a line of memory that is read next, into the first cache; any address will do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void PrefetchNear(byte* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }

    /// <summary>Asks for a line of memory that will be read soon, into the second cache; any address will do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch(byte* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(address);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// What the elementwise kernels share. They work on 8 floats at a time on every chip, tails padded to 8, so that
/// an element's bits depend on its value alone and not on where in a row it stands.
/// </summary>
internal static unsafe partial class VectorMath
{
    /// <summary>Floats per step.</summary>
    public const int Lanes = 8;

    /// <summary>
    /// eˣ, off by less than 2 units in the last place, subnormal results included; NaN stays NaN.
    /// x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial of degree 7 for eʳ, then the exponent in two steps
    /// (one would overflow at both ends).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        const float Shifter = 12582912;   // 1.5 × 2^23: adding it rounds to an integer in the low bits
        x = Vector256.MinNative(Vector256.Create(89f), Vector256.MaxNative(Vector256.Create(-104f), x));   // NaN passes
        Vector256<float> shifted = Simd.MultiplyAdd(x, Vector256.Create(1.44269504f), Vector256.Create(Shifter));
        Vector256<float> n = shifted - Vector256.Create(Shifter);
        Vector256<float> r = Simd.MultiplyAdd(n, Vector256.Create(-0.693359375f), x);    // ln 2 in two parts; the first is exact in 10 bits
        r = Simd.MultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);

        Vector256<float> p = Vector256.Create(1f / 5040);
        p = Simd.MultiplyAdd(p, r, Vector256.Create(1f / 720));
        p = Simd.MultiplyAdd(p, r, Vector256.Create(1f / 120));
        p = Simd.MultiplyAdd(p, r, Vector256.Create(1f / 24));
        p = Simd.MultiplyAdd(p, r, Vector256.Create(1f / 6));
        p = Simd.MultiplyAdd(p, r, Vector256.Create(0.5f));
        p = Simd.MultiplyAdd(p * r, r, r) + Vector256<float>.One;

        Vector256<int> exponent = shifted.AsInt32() - Vector256.Create(0x4B400000);
        Vector256<int> half = exponent >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    /// <summary>tanh x = 1 − 2 / (e²ˣ + 1), off by at most 2⁻²³.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Tanh(Vector256<float> x) =>
        Vector256<float>.One - (Vector256.Create(2f) / (Exp(x + x) + Vector256<float>.One));

    /// <summary>x · sigmoid(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Silu(Vector256<float> x) => x / (Vector256<float>.One + Exp(-x));

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + Exp(-x));

    /// <summary>The first <paramref name="count"/> (0 to 8) floats, the rest <paramref name="fill"/>; reads nothing beyond them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]   // its address-taken local would cost the caller its registers
    public static Vector256<float> LoadPart(float* source, int count, float fill = 0)
    {
        Vector256<float> v = Vector256.Create(fill);
        var lanes = (float*)&v;
        for (int i = 0; i < count; i++)
            lanes[i] = source[i];
        return v;
    }

    /// <summary>Writes the first <paramref name="count"/> (0 to 8) lanes and nothing beyond them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]   // its address-taken local would cost the caller its registers
    public static void StorePart(Vector256<float> v, float* target, int count)
    {
        var lanes = (float*)&v;
        for (int i = 0; i < count; i++)
            target[i] = lanes[i];
    }

    /// <summary>Sum of the lanes in one fixed order: ((0+1)+(2+3)) + ((4+5)+(6+7)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> v) => Sum(v, v, v, v).ToScalar();

    /// <summary>The four sums of four vectors, each in the order of <see cref="Sum(Vector256{float})"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sum(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector256<float> halves = Simd.AddPairs(Simd.AddPairs(a, b), Simd.AddPairs(c, d));
        return halves.GetLower() + halves.GetUpper();
    }

    /// <summary>The largest lane; of a NaN nothing is promised.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector256<float> v)
    {
        Vector128<float> m = Vector128.MaxNative(v.GetLower(), v.GetUpper());
        m = Vector128.MaxNative(m, Vector128.Shuffle(m, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(m, Vector128.Shuffle(m, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> PowerOfTwo(Vector256<int> exponent) => ((exponent + Vector256.Create(127)) << 23).AsSingle();
}

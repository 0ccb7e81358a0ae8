using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

/// <summary>The same on 16 floats: a lane's bits are those of the narrow version.</summary>
internal static unsafe partial class VectorMath
{
    /// <summary>eˣ, as the 256-bit one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        const float Shifter = 12582912;
        x = Vector512.MinNative(Vector512.Create(89f), Vector512.MaxNative(Vector512.Create(-104f), x));
        Vector512<float> shifted = Simd.MultiplyAdd(x, Vector512.Create(1.44269504f), Vector512.Create(Shifter));
        Vector512<float> n = shifted - Vector512.Create(Shifter);
        Vector512<float> r = Simd.MultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Simd.MultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);

        Vector512<float> p = Vector512.Create(1f / 5040);
        p = Simd.MultiplyAdd(p, r, Vector512.Create(1f / 720));
        p = Simd.MultiplyAdd(p, r, Vector512.Create(1f / 120));
        p = Simd.MultiplyAdd(p, r, Vector512.Create(1f / 24));
        p = Simd.MultiplyAdd(p, r, Vector512.Create(1f / 6));
        p = Simd.MultiplyAdd(p, r, Vector512.Create(0.5f));
        p = Simd.MultiplyAdd(p * r, r, r) + Vector512<float>.One;

        if (Avx512F.IsSupported)
            return Avx512F.Scale(p, n);   // p · 2ⁿ, rounded once, as below
        Vector512<int> exponent = shifted.AsInt32() - Vector512.Create(0x4B400000);
        Vector512<int> half = exponent >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfTwo(Vector512<int> exponent) => ((exponent + Vector512.Create(127)) << 23).AsSingle();
}

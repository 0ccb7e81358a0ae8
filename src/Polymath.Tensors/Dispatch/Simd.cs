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
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Fused multiply-adds of F32 that stay in registers: the most a thread can compute.</summary>
internal struct MultiplyAddLoop : IRangeJob
{
    private const int Chains = 12;   // independent, so that latency is hidden; with two operands they fit 16 registers
    private const int Steps = 1 << 12;

    private float _result;   // kept so that the loop is not dropped

    /// <summary>Floating-point operations of one index; a multiply-add counts as two.</summary>
    public static long OperationsEach => 2L * Chains * Steps * (Cpu.Has(InstructionSet.Avx512) ? Vector512<float>.Count : Vector256<float>.Count);

    /// <summary>Something finite.</summary>
    public readonly float Result => _result;

    /// <inheritdoc/>
    public void Run(int from, int to)
    {
        for (int i = from; i < to; i++)
            _result = Cpu.Has(InstructionSet.Avx512) ? Wide(i) : Narrow(i);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]   // inlined, a sum that nobody reads would not be computed
    private static float Narrow(int seed)
    {
        Vector256<float> a = Vector256.Create(0.5f), b = Vector256.Create(seed * 1e-3f);
        Vector256<float> x0 = b, x1 = b, x2 = b, x3 = b, x4 = b, x5 = b, x6 = b, x7 = b, x8 = b, x9 = b, x10 = b, x11 = b;
        for (int step = 0; step < Steps; step++)
        {
            x0 = Simd.MultiplyAdd(x0, a, b);
            x1 = Simd.MultiplyAdd(x1, a, b);
            x2 = Simd.MultiplyAdd(x2, a, b);
            x3 = Simd.MultiplyAdd(x3, a, b);
            x4 = Simd.MultiplyAdd(x4, a, b);
            x5 = Simd.MultiplyAdd(x5, a, b);
            x6 = Simd.MultiplyAdd(x6, a, b);
            x7 = Simd.MultiplyAdd(x7, a, b);
            x8 = Simd.MultiplyAdd(x8, a, b);
            x9 = Simd.MultiplyAdd(x9, a, b);
            x10 = Simd.MultiplyAdd(x10, a, b);
            x11 = Simd.MultiplyAdd(x11, a, b);
        }

        return Vector256.Sum(x0 + x1 + x2 + x3 + (x4 + x5 + x6 + x7) + (x8 + x9 + x10 + x11));
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Wide(int seed)
    {
        Vector512<float> a = Vector512.Create(0.5f), b = Vector512.Create(seed * 1e-3f);
        Vector512<float> x0 = b, x1 = b, x2 = b, x3 = b, x4 = b, x5 = b, x6 = b, x7 = b, x8 = b, x9 = b, x10 = b, x11 = b;
        for (int step = 0; step < Steps; step++)
        {
            x0 = Simd.MultiplyAdd(x0, a, b);
            x1 = Simd.MultiplyAdd(x1, a, b);
            x2 = Simd.MultiplyAdd(x2, a, b);
            x3 = Simd.MultiplyAdd(x3, a, b);
            x4 = Simd.MultiplyAdd(x4, a, b);
            x5 = Simd.MultiplyAdd(x5, a, b);
            x6 = Simd.MultiplyAdd(x6, a, b);
            x7 = Simd.MultiplyAdd(x7, a, b);
            x8 = Simd.MultiplyAdd(x8, a, b);
            x9 = Simd.MultiplyAdd(x9, a, b);
            x10 = Simd.MultiplyAdd(x10, a, b);
            x11 = Simd.MultiplyAdd(x11, a, b);
        }

        return Vector512.Sum(x0 + x1 + x2 + x3 + (x4 + x5 + x6 + x7) + (x8 + x9 + x10 + x11));
    }
}

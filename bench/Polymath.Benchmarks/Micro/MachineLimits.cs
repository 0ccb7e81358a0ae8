using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>What one thread of this machine does at best, each measured once, at first use.</summary>
internal static unsafe class MachineLimits
{
    private const int CacheBytes = 256 << 10;
    private const int CachePasses = 64;
    private const int Rounds = 1 << 12;
    private const int StepsOfSum = 8;   // as the kernels of 4-bit weights add up
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(0.3);
    private static readonly Lazy<double[]> s_limits = new(() => [Memory(), Cache(), Floats(), Bytes(), Words()]);

    /// <summary>Bytes or operations a second.</summary>
    public static double Of(Limit limit) => s_limits.Value[(int)limit];

    private static double Memory()
    {
        using var team = new ThreadTeam(1);
        using var memory = new MemoryBandwidth(team, MachineMemory.Read().Free);
        return memory.Measure(team, s_time);
    }

    private static double Cache()
    {
        using var team = new ThreadTeam(1);
        using var buffer = new NativeBuffer(CacheBytes);
        NativeMemory.Fill(buffer.Data, CacheBytes, 1);   // what was never written is one page of zeros
        return CachePasses * (double)CacheBytes / BestRun.Of(s_time, () =>
        {
            for (int i = 0; i < CachePasses; i++)
                WordSum.Run(team, buffer, CacheBytes);
        }).Seconds;
    }

    private static double Floats()
    {
        const int count = 16;
        return count * MultiplyAddLoop.OperationsEach / BestRun.Of(s_time, () =>
        {
            var loop = default(MultiplyAddLoop);
            loop.Run(0, count);
        }).Seconds;
    }

    /// <summary>Four products of each loaded register, as a tile of four tokens has them.</summary>
    private static double Bytes()
    {
        byte* weights = stackalloc byte[(StepsOfSum + 1) * 64];
        var address = (nint)weights;
        int width = Cpu.Has(InstructionSet.Avx512) ? 64 : 32;
        double seconds = BestRun.Of(s_time, () => _ = width == 64 ? ByteSums512((byte*)address) : ByteSums256((byte*)address)).Seconds;
        return 2.0 * width * 4 * StepsOfSum * Rounds / seconds;
    }

    private static double Words()
    {
        byte* weights = stackalloc byte[(StepsOfSum + 1) * 64];
        var address = (nint)weights;
        int width = Cpu.Has(InstructionSet.Avx512) ? 32 : 16;
        double seconds = BestRun.Of(s_time, () => _ = width == 32 ? WordSums512((byte*)address) : WordSums256((byte*)address)).Seconds;
        return 2.0 * width * 4 * StepsOfSum * Rounds / seconds;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]   // inlined, a sum that nobody reads would not be computed
    private static int ByteSums512(byte* weights)
    {
        Vector512<sbyte> x0 = Vector512.Create((sbyte)weights[0]), x1 = x0 + Vector512<sbyte>.One, x2 = x1 + x1, x3 = x2 + x1;
        Vector512<int> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int round = 0; round < Rounds; round++)
        {
            Vector512<short> c0 = default, c1 = default, c2 = default, c3 = default;
            for (int step = 0; step < StepsOfSum; step++)
            {
                Vector512<byte> w = Vector512.Load(weights + (64 * step));
                c0 += Simd.MultiplyAddPairs(w, x0);
                c1 += Simd.MultiplyAddPairs(w, x1);
                c2 += Simd.MultiplyAddPairs(w, x2);
                c3 += Simd.MultiplyAddPairs(w, x3);
            }

            s0 += Simd.MultiplyAddPairs(c0, Vector512<short>.One);
            s1 += Simd.MultiplyAddPairs(c1, Vector512<short>.One);
            s2 += Simd.MultiplyAddPairs(c2, Vector512<short>.One);
            s3 += Simd.MultiplyAddPairs(c3, Vector512<short>.One);
        }

        return Vector512.Sum(s0 + s1 + s2 + s3);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static int ByteSums256(byte* weights)
    {
        Vector256<sbyte> x0 = Vector256.Create((sbyte)weights[0]), x1 = x0 + Vector256<sbyte>.One, x2 = x1 + x1, x3 = x2 + x1;
        Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int round = 0; round < Rounds; round++)
        {
            Vector256<short> c0 = default, c1 = default, c2 = default, c3 = default;
            for (int step = 0; step < StepsOfSum; step++)
            {
                Vector256<byte> w = Vector256.Load(weights + (32 * step));
                c0 += Simd.MultiplyAddPairs(w, x0);
                c1 += Simd.MultiplyAddPairs(w, x1);
                c2 += Simd.MultiplyAddPairs(w, x2);
                c3 += Simd.MultiplyAddPairs(w, x3);
            }

            s0 += Simd.MultiplyAddPairs(c0, Vector256<short>.One);
            s1 += Simd.MultiplyAddPairs(c1, Vector256<short>.One);
            s2 += Simd.MultiplyAddPairs(c2, Vector256<short>.One);
            s3 += Simd.MultiplyAddPairs(c3, Vector256<short>.One);
        }

        return Vector256.Sum(s0 + s1 + s2 + s3);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static int WordSums512(byte* weights)
    {
        Vector512<short> x0 = Vector512.Create((short)weights[0]), x1 = x0 + Vector512<short>.One, x2 = x1 + x1, x3 = x2 + x1;
        Vector512<int> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int step = 0; step < StepsOfSum * Rounds; step++)
        {
            Vector512<short> w = Vector512.Load((short*)(weights + (64 * (step % StepsOfSum))));
            s0 += Simd.MultiplyAddPairs(w, x0);
            s1 += Simd.MultiplyAddPairs(w, x1);
            s2 += Simd.MultiplyAddPairs(w, x2);
            s3 += Simd.MultiplyAddPairs(w, x3);
        }

        return Vector512.Sum(s0 + s1 + s2 + s3);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static int WordSums256(byte* weights)
    {
        Vector256<short> x0 = Vector256.Create((short)weights[0]), x1 = x0 + Vector256<short>.One, x2 = x1 + x1, x3 = x2 + x1;
        Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int step = 0; step < StepsOfSum * Rounds; step++)
        {
            Vector256<short> w = Vector256.Load((short*)(weights + (32 * (step % StepsOfSum))));
            s0 += Simd.MultiplyAddPairs(w, x0);
            s1 += Simd.MultiplyAddPairs(w, x1);
            s2 += Simd.MultiplyAddPairs(w, x2);
            s3 += Simd.MultiplyAddPairs(w, x3);
        }

        return Vector256.Sum(s0 + s1 + s2 + s3);
    }
}

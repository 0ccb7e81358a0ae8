using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>
/// Matrix products in the shapes of training, in GFLOP/s and as a share of what the chip does with operands in
/// registers: the best of many runs, since other work on the machine only ever slows one down.
/// </summary>
internal static class GemmSpeed
{
    private static readonly (string Name, int M, int N, int K, bool TransposeA, bool TransposeB)[] s_shapes =
    [
        ("Y = X·Wᵀ", 2048, 768, 256, false, true),
        ("Y = X·Wᵀ", 2048, 256, 768, false, true),
        ("Y = X·Wᵀ", 2048, 4096, 256, false, true),
        ("dX = dY·W", 2048, 256, 768, false, false),
        ("dX = dY·W", 2048, 256, 4096, false, false),
        ("dW = dYᵀ·X", 768, 256, 2048, true, false),
        ("dW = dYᵀ·X", 4096, 256, 2048, true, false),
        ("cube", 1024, 1024, 1024, false, false),
        ("cube", 256, 256, 256, false, false),
        ("cube", 64, 64, 64, false, false),
    ];

    /// <summary>Measures with one thread and with as many as there are processors.</summary>
    public static void Run(double secondsEach = 2)
    {
        double peak = Peak();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Cpu.Describe()}\nregisters only, one thread: {peak:F1} GFLOP/s"));
        foreach (int threads in (int[])[1, Environment.ProcessorCount])
        {
            using var team = new ThreadTeam(threads);
            foreach ((string name, int m, int n, int k, bool transposeA, bool transposeB) in s_shapes)
            {
                Tensor a = transposeA ? Ones(k, m) : Ones(m, k), b = transposeB ? Ones(n, k) : Ones(k, n), c = Ones(m, n);
                double speed = 2.0 * m * n * k / 1e9 / Best(secondsEach, () => Gemm.Run(team, a, transposeA, b, transposeB, c));
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{threads} threads  {name,-10} [{m} × {k}]·[{k} × {n}]  {speed,6:F1} GFLOP/s  {speed / peak / threads:P0}"));
            }
        }
    }

    private static Tensor Ones(int rows, int columns)
    {
        Tensor x = Tensor.Zeros(rows, columns);
        x.AsFloats().Fill(1);
        return x;
    }

    private static double Best(double seconds, Action action)
    {
        long start = Stopwatch.GetTimestamp();
        double best = double.MaxValue;
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            long from = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(from).TotalSeconds);
        }

        return best;
    }

    private static double Peak()
    {
        const int steps = 500_000;
        double flops = steps * 12.0 * 2 * (Vector512.IsHardwareAccelerated ? 16 : 8);
        return flops / 1e9 / Best(1, () => _ = Vector512.IsHardwareAccelerated ? Chain512(steps) : Chain256(steps));
    }

    /// <summary>Twelve independent chains: more than latency × units of any chip of today.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Chain256(int steps)
    {
        Vector256<float> x = Vector256.Create(0.999f), y = Vector256.Create(0.001f);
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (; steps > 0; steps--)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Chain512(int steps)
    {
        Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(0.001f);
        Vector512<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (; steps > 0; steps--)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y);
            k = Vector512.FusedMultiplyAdd(k, x, y);
            l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}

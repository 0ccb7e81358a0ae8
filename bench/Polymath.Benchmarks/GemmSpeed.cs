using System.Globalization;
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
                double speed = 2.0 * m * n * k / 1e9 / BestRun.Of(TimeSpan.FromSeconds(secondsEach), () => Gemm.Run(team, a, transposeA, b, transposeB, c)).Seconds;
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

    private static double Peak()
    {
        const int Count = 64;
        BestRun best = BestRun.Of(TimeSpan.FromSeconds(1), () =>
        {
            var job = default(MultiplyAddLoop);
            job.Run(0, Count);
        });
        return Count * MultiplyAddLoop.OperationsEach / 1e9 / best.Seconds;
    }
}

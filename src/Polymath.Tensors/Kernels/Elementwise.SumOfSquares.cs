using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

public static unsafe partial class Elementwise
{
    private const int ElementsOfPartialSum = 1 << 16;   // fixed, so that the sum does not depend on the threads

    /// <summary>Σ x², in double, the same bits for any number of threads; for the norm of gradients.</summary>
    public static double SumOfSquares(ThreadTeam team, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(team);
        x.RequireF32();
        int parts = checked((int)((x.ElementCount + ElementsOfPartialSum - 1) / ElementsOfPartialSum));
        var job = new SumOfSquaresJob
        {
            X = x.Floats,
            Count = x.ElementCount,
            Partial = (double*)Scratch.Reserve((long)parts * sizeof(double)),
        };
        team.Run(ref job, parts);
        double sum = 0;
        for (int part = 0; part < parts; part++)
            sum += job.Partial[part];
        x.KeepAlive();
        return sum;
    }

    private struct SumOfSquaresJob : IRangeJob
    {
        public float* X;
        public long Count;
        public double* Partial;

        public readonly void Run(int from, int to)
        {
            for (int part = from; part < to; part++)
            {
                long i = (long)part * ElementsOfPartialSum, end = Math.Min(i + ElementsOfPartialSum, Count);
                Vector256<double> low = default, high = default;
                for (; i <= end - 8; i += 8)
                {
                    (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(Vector256.Load(X + i));
                    low += lower * lower;   // the square of a float is exact in double
                    high += upper * upper;
                }

                double sum = Vector256.Sum(low + high);
                for (; i < end; i++)
                    sum += (double)X[i] * X[i];
                Partial[part] = sum;
            }
        }
    }
}

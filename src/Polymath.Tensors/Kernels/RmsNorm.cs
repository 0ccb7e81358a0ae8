using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467).</summary>
public static unsafe partial class RmsNorm
{
    private const int ParallelElements = 1 << 14;

    /// <summary>y[t, i] = x[t, i] / sqrt(mean over i of x² + epsilon) · weight[i]; y may be x.</summary>
    /// <param name="team">Threads to use; they share out the rows.</param>
    /// <param name="x">[T, D].</param>
    /// <param name="weight">[1, D].</param>
    /// <param name="y">[T, D].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Run(ThreadTeam team, Tensor x, Tensor weight, Tensor y, float epsilon)
    {
        ArgumentNullException.ThrowIfNull(team);
        x.RequireF32();
        weight.RequireF32(1, x.Columns, "RmsNorm weight");
        y.RequireF32(x.Rows, x.Columns, "RmsNorm");
        var job = new Job { X = x, Weight = weight, Y = y, Epsilon = epsilon };
        team.Run(ref job, x.Rows, x.ElementCount < ParallelElements ? Math.Max(1, x.Rows) : 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(float* x, float* weight, float* y, int count, float epsilon)
    {
        Vector256<float> scale = Vector256.Create(1 / MathF.Sqrt((SumOfSquares(x, count) / count) + epsilon));
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            (Vector256.Load(x + i) * scale * Vector256.Load(weight + i)).Store(y + i);
        for (; i < count; i++)
            y[i] = x[i] * scale.ToScalar() * weight[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumOfSquares(float* x, int count)
    {
        Vector256<float> even = Vector256<float>.Zero, odd = Vector256<float>.Zero;
        int i = 0;
        for (; i <= count - (2 * VectorMath.Lanes); i += 2 * VectorMath.Lanes)
        {
            Vector256<float> a = Vector256.Load(x + i), b = Vector256.Load(x + i + VectorMath.Lanes);
            even = Simd.MultiplyAdd(a, a, even);
            odd = Simd.MultiplyAdd(b, b, odd);
        }

        for (; i < count; i += VectorMath.Lanes)
        {
            Vector256<float> a = VectorMath.LoadPart(x + i, Math.Min(count - i, VectorMath.Lanes));
            even = Simd.MultiplyAdd(a, a, even);
        }

        return VectorMath.Sum(even + odd);
    }

    private struct Job : IRangeJob
    {
        public Tensor X;
        public Tensor Weight;
        public Tensor Y;
        public float Epsilon;

        public readonly void Run(int from, int to)
        {
            for (int t = from; t < to; t++)
            {
                nint offset = (nint)t * X.Columns;
                Row(X.Floats + offset, Weight.Floats, Y.Floats + offset, X.Columns, Epsilon);
            }
        }
    }
}

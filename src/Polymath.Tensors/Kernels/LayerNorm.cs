using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Layer normalisation (Ba, Kiros and Hinton 2016, arXiv:1607.06450).</summary>
public static unsafe class LayerNorm
{
    private const int ParallelElements = 1 << 14;

    /// <summary>y[t, i] = (x[t, i] − mean) / sqrt(variance + epsilon) · weight[i] + bias[i]; y may be x.</summary>
    /// <param name="team">Threads to use; they share out the rows.</param>
    /// <param name="x">[T, D].</param>
    /// <param name="weight">[1, D].</param>
    /// <param name="bias">[1, D], or empty.</param>
    /// <param name="y">[T, D].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Run(ThreadTeam team, Tensor x, Tensor weight, Tensor bias, Tensor y, float epsilon)
    {
        ArgumentNullException.ThrowIfNull(team);
        x.RequireF32();
        weight.RequireF32(1, x.Columns, "LayerNorm weight");
        if (!bias.IsEmpty)
            bias.RequireF32(1, x.Columns, "LayerNorm bias");
        y.RequireF32(x.Rows, x.Columns, "LayerNorm");
        var job = new Job { X = x, Weight = weight, Bias = bias, Y = y, Epsilon = epsilon };
        team.Run(ref job, x.Rows, x.ElementCount < ParallelElements ? Math.Max(1, x.Rows) : 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(float* x, float* weight, float* bias, float* y, int count, float epsilon)
    {
        float mean = Sum(x, count, 0, false) / count;
        float variance = Sum(x, count, mean, true) / count;
        float scale = 1 / MathF.Sqrt(variance + epsilon);
        for (int i = 0; i < count; i += VectorMath.Lanes)
        {
            int rest = Math.Min(VectorMath.Lanes, count - i);
            bool whole = rest == VectorMath.Lanes;
            Vector256<float> v = whole ? Vector256.Load(x + i) : VectorMath.LoadPart(x + i, rest);
            v = (v - Vector256.Create(mean)) * Vector256.Create(scale);
            v *= whole ? Vector256.Load(weight + i) : VectorMath.LoadPart(weight + i, rest);
            if (bias is not null)
                v += whole ? Vector256.Load(bias + i) : VectorMath.LoadPart(bias + i, rest);
            if (whole)
                v.Store(y + i);
            else
                VectorMath.StorePart(v, y + i, rest);
        }
    }

    /// <summary>Σ x, or Σ (x − shift)².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(float* x, int count, float shift, bool squares)
    {
        Vector256<float> sum = Vector256<float>.Zero, shifts = Vector256.Create(shift);
        for (int i = 0; i < count; i += VectorMath.Lanes)
        {
            int rest = Math.Min(VectorMath.Lanes, count - i);
            Vector256<float> v = (rest == VectorMath.Lanes ? Vector256.Load(x + i) : VectorMath.LoadPart(x + i, rest, shift)) - shifts;
            sum = squares ? Simd.MultiplyAdd(v, v, sum) : sum + v;
        }

        return VectorMath.Sum(sum);
    }

    private struct Job : IRangeJob
    {
        public Tensor X;
        public Tensor Weight;
        public Tensor Bias;
        public Tensor Y;
        public float Epsilon;

        public readonly void Run(int from, int to)
        {
            for (int t = from; t < to; t++)
            {
                nint offset = (nint)t * X.Columns;
                Row(X.Floats + offset, Weight.Floats, Bias.IsEmpty ? null : Bias.Floats, Y.Floats + offset, X.Columns, Epsilon);
            }
        }
    }
}

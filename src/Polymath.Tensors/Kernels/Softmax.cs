using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Softmax of a row.</summary>
public static unsafe partial class Softmax
{
    /// <summary>
    /// Replaces each value by e^(value − max) / Σ e^(value − max). −∞ gives 0; a NaN or +∞ anywhere gives NaN everywhere.
    /// </summary>
    public static void Run(Span<float> values)
    {
        if (values.IsEmpty)
            return;
        fixed (float* row = values)
        {
            float sum = Exponentials(row, row, values.Length, Max(row, values.Length));
            Scale(row, values.Length, 1 / sum);
        }
    }

    /// <summary>The largest value of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float Max(float* row, int count)
    {
        Vector256<float> max = Vector256.Create(float.NegativeInfinity);
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            max = Vector256.MaxNative(max, Vector256.Load(row + i));
        if (i < count)
            max = Vector256.MaxNative(max, VectorMath.LoadPart(row + i, count - i, float.NegativeInfinity));
        return VectorMath.Max(max);
    }

    /// <summary>Writes e^(value − max) and returns the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float Exponentials(float* source, float* target, int count, float max)
    {
        Vector256<float> shift = Vector256.Create(max);
        Vector256<float> sum = Vector256<float>.Zero;
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256<float> e = VectorMath.Exp(Vector256.Load(source + i) - shift);
            e.Store(target + i);
            sum += e;
        }

        if (i < count)
        {
            Vector256<float> e = VectorMath.Exp(VectorMath.LoadPart(source + i, count - i, float.NegativeInfinity) - shift);
            VectorMath.StorePart(e, target + i, count - i);
            sum += e;
        }

        return VectorMath.Sum(sum);
    }

    private static void Scale(float* row, int count, float factor)
    {
        Vector256<float> factors = Vector256.Create(factor);
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            (Vector256.Load(row + i) * factors).Store(row + i);
        for (; i < count; i++)
            row[i] *= factor;
    }
}

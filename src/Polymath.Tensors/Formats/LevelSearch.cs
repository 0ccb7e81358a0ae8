using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>As <see cref="ScaleSearch"/>, for the 16 uneven levels of IQ4_NL and IQ4_XS and groups of 32.</summary>
internal static unsafe class LevelSearch
{
    private const int Length = 32;
    private const int Lanes = 8;
    private const int Tries = 15;   // the largest element at the lowest level and up to 7 levels' units to both sides

    /// <summary>The scale with which the levels fit best.</summary>
    /// <param name="x">The group.</param>
    /// <param name="importance">How much an error in each element counts; null for x².</param>
    /// <param name="square">The mean square about the group, by which importance is weighed.</param>
    /// <param name="weights">Room for 32 weights.</param>
    public static float Scale(float* x, float* importance, float square, float* weights)
    {
        if (importance is not null)
        {
            _ = Groups.Weigh(x, importance, square, weights, Length);
        }
        else
        {
            for (int i = 0; i < Length; i++)
                weights[i] = x[i] * x[i];
        }

        float largest = ScaleSearch.Largest(x, Length);
        if (Math.Abs(largest) < ScaleSearch.Smallest)
            return 0;
        float* inverses = stackalloc float[16], products = stackalloc float[16], squares = stackalloc float[16];
        sbyte lowest = IQ4_NL.Levels[0];
        inverses[0] = 1 / (-largest / lowest);
        for (int i = 0; i < Tries; i++)
            inverses[1 + i] = (i - (Tries / 2) + lowest) / largest;
        for (int i = 0; i < 16; i += Lanes)
            Fit(x, weights, Vector256.Load(inverses + i), products + i, squares + i);
        float scale = squares[0] > 0 ? products[0] / squares[0] : 0, best = scale * products[0];
        for (int i = 1; i <= Tries; i++)
        {
            if (squares[i] > 0 && products[i] * products[i] > best * squares[i])
            {
                scale = products[i] / squares[i];
                best = scale * products[i];
            }
        }

        return scale;
    }

    /// <summary>Writes the places of the levels nearest to 32 elements under a scale, two in a byte.</summary>
    public static void Places(float* x, float scale, byte* target)
    {
        float inverse = scale != 0 ? 1 / scale : 0;
        for (int i = 0; i < Length / 2; i++)
            target[i] = (byte)(Nearest(inverse * x[i]) | (Nearest(inverse * x[i + (Length / 2)]) << 4));
    }

    private static int Nearest(float value)
    {
        ReadOnlySpan<sbyte> levels = IQ4_NL.Levels;
        if (value <= levels[0])
            return 0;
        for (int i = 1; i < levels.Length; i++)
        {
            if (value < levels[i])
                return value - levels[i - 1] < levels[i] - value ? i - 1 : i;
        }

        return levels.Length - 1;
    }

    /// <summary>For each inverse scale Σ w·q·x and Σ w·q² of the nearest levels q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fit(float* x, float* weights, Vector256<float> inverses, float* products, float* squares)
    {
        ReadOnlySpan<sbyte> levels = IQ4_NL.Levels;
        Vector256<float> product = default, square = default;
        for (int i = 0; i < Length; i++)
        {
            Vector256<float> value = inverses * Vector256.Create(x[i]);
            Vector256<float> below = Vector256.Create((float)levels[0]), above = Vector256.Create((float)levels[^1]);
            for (int k = 1; k < levels.Length; k++)
            {
                Vector256<float> level = Vector256.Create((float)levels[k]), other = Vector256.Create((float)levels[^(k + 1)]);
                below = Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(value, level), level, below);
                above = Vector256.ConditionalSelect(Vector256.LessThan(value, other), other, above);
            }

            Vector256<float> q = Vector256.ConditionalSelect(Vector256.LessThan(value - below, above - value), below, above);
            q = Vector256.ConditionalSelect(Vector256.LessThanOrEqual(value, Vector256.Create((float)levels[0])), Vector256.Create((float)levels[0]), q);
            Vector256<float> weighted = Vector256.Create(weights[i]) * q;
            product += weighted * Vector256.Create(x[i]);
            square += weighted * q;
        }

        product.Store(products);
        square.Store(squares);
    }
}

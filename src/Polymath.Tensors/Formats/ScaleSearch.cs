using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// Searches the scale with which a group of floats loses least to rounding, its errors weighted per element. Eight
/// scales are tried at once, one in each lane; the sums of a lane run over the elements in order, so that the result
/// has the bits of ggml's reference, which tries one scale after the other.
/// </summary>
internal static unsafe class ScaleSearch
{
    /// <summary>A group whose largest magnitude is below this counts as zeros.</summary>
    public const float Smallest = 1e-15f;

    private const int Lanes = 8;
    private const float RoundingShift = 12582912f;   // 1.5 · 2^23: a sum with it has no bits left for a fraction

    /// <summary>The scales that <see cref="Affine"/> tries: those that map the range to First + Step · i + levels, i ≤ Last.</summary>
    public readonly record struct Tries(float First, float Step, int Last);

    /// <summary>The tries where elements have weights of their own.</summary>
    public static Tries Thorough => new(-0.9f, 0.05f, 36);

    /// <summary>To the nearest integer, ties to even, modulo 2^23.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Nearest(float value) => (BitConverter.SingleToInt32Bits(value + RoundingShift) & 0x7FFFFF) - 0x400000;

    /// <summary>x ≈ scale · q − minimum with 0 ≤ q ≤ <paramref name="most"/> and minimum ≥ 0.</summary>
    /// <param name="x">The group.</param>
    /// <param name="weights">Weight of each element.</param>
    /// <param name="n">Elements in the group.</param>
    /// <param name="most">The largest level.</param>
    /// <param name="tries">Which scales to try.</param>
    /// <param name="absolute">Errors count by their size, not their square.</param>
    /// <param name="q">Takes the levels.</param>
    /// <param name="minimum">Takes the minimum.</param>
    /// <returns>The scale; 0 for a group of equal elements.</returns>
    public static float Affine(float* x, float* weights, int n, int most, Tries tries, bool absolute, byte* q, out float minimum)
    {
        float low = x[0], high = x[0], sumW = weights[0], sumX = weights[0] * x[0];
        for (int i = 1; i < n; i++)
        {
            low = x[i] < low ? x[i] : low;
            high = x[i] > high ? x[i] : high;
            sumW += weights[i];
            sumX += weights[i] * x[i];
        }

        low = low > 0 ? 0 : low;
        if (high <= low)
        {
            new Span<byte>(q, n).Clear();
            minimum = -low;
            return 0;
        }

        float* errors = stackalloc float[Lanes], scales = stackalloc float[Lanes], minima = stackalloc float[Lanes];
        float inverse = most / (high - low), scale = 1 / inverse, least = low;
        float best = AffineError(x, weights, n, most, low, inverse, scale, absolute), found = low;
        for (int first = 0; first <= tries.Last;)
        {
            Vector256<float> inverses = Inverses(tries, most, high - least, first);
            AffineLanes(x, weights, n, most, least, inverses, absolute, sumW, sumX, errors, scales, minima);
            int count = Math.Min(Lanes, tries.Last + 1 - first), better = 0;
            while (better < count && !(errors[better] < best))
                better++;
            first += better;
            if (better == count)
                continue;
            // From here on the tries start from the minimum found, so the lanes after this one are void.
            (found, inverse) = (least, inverses[better]);
            (best, scale, least) = (errors[better], scales[better], minima[better]);
            first++;
        }

        for (int i = 0; i < n; i++)
            q[i] = (byte)Math.Clamp(Nearest(inverse * (x[i] - found)), 0, most);
        minimum = -least;
        return scale;
    }

    /// <summary>x ≈ scale · (q − levels) with 0 ≤ q &lt; 2 · levels.</summary>
    /// <param name="x">The group.</param>
    /// <param name="weights">Weight of each element; null for x².</param>
    /// <param name="n">Elements in the group.</param>
    /// <param name="levels">Half of the levels.</param>
    /// <param name="q">Takes the levels.</param>
    /// <returns>The scale; 0 for a group of zeros.</returns>
    public static float Symmetric(float* x, float* weights, int n, int levels, byte* q)
    {
        const int Tries = 18;   // a tenth of a level apart on both sides, after the middle one
        float largest = Largest(x, n);
        if (Math.Abs(largest) < Smallest)
        {
            new Span<byte>(q, n).Clear();
            return 0;
        }

        float* inverses = stackalloc float[32], products = stackalloc float[32], squares = stackalloc float[32];
        inverses[0] = -levels / largest;
        for (int i = 1; i < 32; i++)
        {
            int step = i <= 9 ? i - 10 : i - 9;
            inverses[i] = -(levels + (0.1f * step)) / largest;
        }

        for (int i = 0; i <= Tries; i += Lanes)
            SymmetricLanes(x, weights, n, levels, Vector256.Load(inverses + i), products + i, squares + i);
        float scale = squares[0] != 0 ? products[0] / squares[0] : 0, best = scale * products[0];
        int chosen = 0;
        for (int i = 1; i <= Tries; i++)
        {
            if (squares[i] > 0 && products[i] * products[i] > best * squares[i])
            {
                scale = products[i] / squares[i];
                best = scale * products[i];
                chosen = i;
            }
        }

        for (int i = 0; i < n; i++)
            q[i] = (byte)(levels + Math.Clamp(Nearest(inverses[chosen] * x[i]), -levels, levels - 1));
        return scale;
    }

    /// <summary>
    /// As <see cref="Symmetric"/> with weights x², but from the middle scale alone, moving one element at a time as long
    /// as that helps.
    /// </summary>
    public static float SymmetricByMoves(float* x, int n, int levels, byte* q)
    {
        float largest = Largest(x, n);
        if (Math.Abs(largest) < Smallest)
        {
            new Span<byte>(q, n).Clear();
            return 0;
        }

        int* level = stackalloc int[n];
        float* weights = stackalloc float[n];
        float inverse = -levels / largest, product = 0, square = 0;
        for (int i = 0; i < n; i++)
        {
            weights[i] = x[i] * x[i];
            level[i] = Math.Clamp(Nearest(inverse * x[i]), -levels, levels - 1);
            product += weights[i] * x[i] * level[i];
            square += weights[i] * level[i] * level[i];
        }

        Move(x, weights, n, -levels, levels - 1, level, ref product, ref square);
        for (int i = 0; i < n; i++)
            q[i] = (byte)(level[i] + levels);
        return square > 0 ? product / square : 0;
    }

    /// <summary>x ≈ scale · q with 0 ≤ q ≤ <paramref name="most"/>, for x ≥ 0; 0 for zeros.</summary>
    public static float Positive(float* x, float* weights, int n, int most, byte* q)
    {
        float high = 0;
        for (int i = 0; i < n; i++)
            high = Math.Max(high, x[i]);
        if (high < Smallest)
        {
            new Span<byte>(q, n).Clear();
            return 0;
        }

        float inverse = most / high, best = PositiveError(x, weights, n, int.MaxValue, inverse);
        for (int step = -4; step <= 4; step++)
        {
            float other = ((0.1f * step) + most) / high;
            float error = step == 0 ? float.PositiveInfinity : PositiveError(x, weights, n, most, other);
            if (error < best)
                (best, inverse) = (error, other);
        }

        int* level = stackalloc int[n];
        float product = 0, square = 0;
        for (int i = 0; i < n; i++)
        {
            level[i] = Math.Min(most, Nearest(inverse * x[i]));
            product += weights[i] * x[i] * level[i];
            square += weights[i] * level[i] * level[i];
        }

        Move(x, weights, n, 0, most, level, ref product, ref square);
        for (int i = 0; i < n; i++)
            q[i] = (byte)level[i];
        return square > 0 ? product / square : 0;
    }

    /// <summary>The element of largest magnitude, the first of equals.</summary>
    public static float Largest(float* x, int n)
    {
        float largest = 0;
        for (int i = 0; i < n; i++)
        {
            if (Math.Abs(x[i]) > Math.Abs(largest))
                largest = x[i];
        }

        return largest;
    }

    private static Vector256<float> Inverses(Tries tries, int most, float range, int first)
    {
        Vector256<float> steps = Vector256.ConvertToSingle(Vector256.Create(first) + Vector256<int>.Indices);
        return (Vector256.Create(tries.First) + (Vector256.Create(tries.Step) * steps) + Vector256.Create((float)most)) / Vector256.Create(range);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Nearest(Vector256<float> value) =>
        value + Vector256.Create(RoundingShift) - Vector256.Create(RoundingShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Clamp(Vector256<float> value, float least, float most) =>
        Vector256.MinNative(Vector256.MaxNative(value, Vector256.Create(least)), Vector256.Create(most));

    /// <summary>For each inverse scale the best scale and minimum of its levels, and their error; infinite where there are none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AffineLanes(
        float* x, float* weights, int n, int most, float low, Vector256<float> inverses, bool absolute, float sumW, float sumX,
        float* errors, float* scales, float* minima)
    {
        Vector256<float> sumL = default, sumL2 = default, sumXL = default, zero = default;
        for (int i = 0; i < n; i++)
        {
            Vector256<float> level = Clamp(Nearest(inverses * Vector256.Create(x[i] - low)), 0, most);
            Vector256<float> weighted = Vector256.Create(weights[i]) * level;
            sumL += weighted;
            sumL2 += weighted * level;
            sumXL += weighted * Vector256.Create(x[i]);
        }

        Vector256<float> w = Vector256.Create(sumW), wx = Vector256.Create(sumX);
        Vector256<float> determinant = (w * sumL2) - (sumL * sumL);
        Vector256<float> scale = ((w * sumXL) - (wx * sumL)) / determinant, minimum = ((sumL2 * wx) - (sumL * sumXL)) / determinant;
        Vector256<float> positive = Vector256.GreaterThan(minimum, zero);
        scale = Vector256.ConditionalSelect(positive, sumXL / sumL2, scale);
        minimum = Vector256.ConditionalSelect(positive, zero, minimum);
        Vector256<float> error = default;
        for (int i = 0; i < n; i++)
        {
            Vector256<float> level = Clamp(Nearest(inverses * Vector256.Create(x[i] - low)), 0, most);
            Vector256<float> off = (scale * level) + minimum - Vector256.Create(x[i]);
            off = absolute ? Vector256.Abs(off) : off * off;
            error += Vector256.Create(weights[i]) * off;
        }

        Vector256.ConditionalSelect(Vector256.GreaterThan(determinant, zero), error, Vector256.Create(float.PositiveInfinity)).Store(errors);
        scale.Store(scales);
        minimum.Store(minima);
    }

    private static float AffineError(float* x, float* weights, int n, int most, float low, float inverse, float scale, bool absolute)
    {
        float error = 0;
        for (int i = 0; i < n; i++)
        {
            float level = Math.Clamp(Nearest(inverse * (x[i] - low)), 0, most);
            float product = scale * level;
            float off = product + low - x[i];
            error += weights[i] * (absolute ? Math.Abs(off) : off * off);
        }

        return error;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SymmetricLanes(
        float* x, float* weights, int n, int levels, Vector256<float> inverses, float* products, float* squares)
    {
        Vector256<float> product = default, square = default;
        for (int i = 0; i < n; i++)
        {
            Vector256<float> value = Vector256.Create(x[i]), level = Clamp(Nearest(inverses * value), -levels, levels - 1);
            Vector256<float> weight = weights is null ? value * value : Vector256.Create(weights[i]);
            product += weight * value * level;
            square += weight * level * level;
        }

        product.Store(products);
        square.Store(squares);
    }

    private static float PositiveError(float* x, float* weights, int n, int most, float inverse)
    {
        float scale = 1 / inverse, error = 0;
        for (int i = 0; i < n; i++)
        {
            float product = scale * Math.Min(most, Nearest(inverse * x[i]));
            float off = x[i] - product;
            error += weights[i] * off * off;
        }

        return error;
    }

    /// <summary>Up to five rounds over the elements, each to the level that suits the others' scale if that makes the fit better.</summary>
    private static void Move(float* x, float* weights, int n, int least, int most, int* level, ref float product, ref float square)
    {
        bool moved = true;
        for (int round = 0; round < 5 && moved; round++)
        {
            moved = false;
            for (int i = 0; i < n; i++)
            {
                float weighted = weights[i] * x[i];
                float p = product - (weighted * level[i]), s = square - (weights[i] * level[i] * level[i]);
                if (!(p > 0) || (least >= 0 && !(s > 0)))
                    continue;
                int better = Math.Clamp(Nearest(x[i] * s / p), least, most);
                if (better == level[i])
                    continue;
                p += weighted * better;
                s += weights[i] * better * better;
                if (s > 0 && p * p * square > product * product * s)
                {
                    (level[i], product, square) = (better, p, s);
                    moved = true;
                }
            }
        }
    }
}

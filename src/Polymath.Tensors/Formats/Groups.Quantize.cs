using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

internal static unsafe partial class Groups
{
    private const int SmallBlock = 32;

    /// <summary>Writes a scale as F16; one that F16 cannot hold is refused.</summary>
    public static void StoreHalf(byte* target, float value)
    {
        ushort bits = F16.Round(value);
        if ((bits & 0x7FFF) >= 0x7C00)
            throw new ArgumentException($"BlockFormat.Quantize: the values are too large, a scale of {value} does not fit F16");
        Unsafe.WriteUnaligned(target, bits);
    }

    /// <summary>The sum of the squares, added up in order.</summary>
    public static float SumOfSquares(float* x, int n)
    {
        float sum = 0;
        for (int i = 0; i < n; i++)
            sum += x[i] * x[i];
        return sum;
    }

    /// <summary>The mean of the squares.</summary>
    public static float MeanSquare(float* x, int n) => SumOfSquares(x, n) / n;

    /// <summary>Weights of a group's elements: importance times √(square + x²). Returns their sum.</summary>
    public static float Weigh(float* x, float* importance, float square, float* weights, int n)
    {
        float sum = 0;
        for (int i = 0; i < n; i++)
        {
            weights[i] = importance[i] * MathF.Sqrt(square + (x[i] * x[i]));
            sum += weights[i];
        }

        return sum;
    }

    /// <summary>Levels 0 to 2·half − 1 of a block of 32: plain ones, or, where importance is given, those of least weighted error.</summary>
    /// <param name="x">The block.</param>
    /// <param name="importance">Of all elements of the row, or null.</param>
    /// <param name="block">Which block of the row it is.</param>
    /// <param name="square">Mean square of the row; used with importance alone.</param>
    /// <param name="half">The level of zero.</param>
    /// <param name="q">Gets the levels.</param>
    /// <returns>The scale.</returns>
    public static float Symmetric(float* x, float* importance, int block, float square, int half, byte* q)
    {
        if (importance is null)
            return SymmetricLevels(x, SmallBlock, half, q);
        float* weights = stackalloc float[SmallBlock];
        Weigh(x, importance + (block * SmallBlock), square, weights, SmallBlock);
        return ScaleSearch.Symmetric(x, weights, SmallBlock, half, q);
    }

    /// <summary>Levels 0 to <paramref name="most"/> of a block of 32 and their offset, as <see cref="Symmetric"/> has them.</summary>
    public static float Affine(float* x, float* importance, int block, float square, int most, byte* q, out float offset)
    {
        if (importance is null)
            return AffineLevels(x, SmallBlock, most, q, out offset);
        float* weights = stackalloc float[SmallBlock];
        Weigh(x, importance + (block * SmallBlock), square, weights, SmallBlock);
        float d = ScaleSearch.Affine(x, weights, SmallBlock, most, ScaleSearch.Thorough, false, q, out float minimum);
        offset = -minimum;
        return d;
    }

    /// <summary>Levels 0 to 2·half − 1 about half, the element of largest magnitude at 0; returns the scale.</summary>
    private static float SymmetricLevels(float* x, int n, int half, byte* q)
    {
        float d = ScaleSearch.Largest(x, n) / -half, inverse = d != 0 ? 1 / d : 0;
        for (int i = 0; i < n; i++)
            q[i] = (byte)Math.Clamp((int)((x[i] * inverse) + (half + 0.5f)), 0, (2 * half) - 1);
        return d;
    }

    /// <summary>Levels 0 to <paramref name="most"/> from the smallest element to the largest; returns the scale.</summary>
    private static float AffineLevels(float* x, int n, int most, byte* q, out float smallest)
    {
        float low = x[0], high = x[0];
        for (int i = 1; i < n; i++)
        {
            low = x[i] < low ? x[i] : low;
            high = x[i] > high ? x[i] : high;
        }

        float d = (high - low) / most, inverse = d != 0 ? 1 / d : 0;
        for (int i = 0; i < n; i++)
            q[i] = (byte)Math.Clamp((int)(((x[i] - low) * inverse) + 0.5f), 0, most);
        smallest = low;
        return d;
    }

    /// <summary>
    /// The levels nearest under the scale that is stored: x ≈ scale · (q − offset) − minimum, 0 ≤ q ≤ most; where the
    /// scale is zero the levels stay.
    /// </summary>
    public static void Requantize(float* x, int n, float scale, float minimum, int offset, int most, byte* q)
    {
        if (scale == 0)
            return;
        for (int i = 0; i < n; i++)
            q[i] = (byte)(Math.Clamp(ScaleSearch.Nearest((x[i] + minimum) / scale), -offset, most - offset) + offset);
    }

    /// <summary>Packs what <see cref="SixBits"/> unpacks.</summary>
    public static void PackSixBits(byte* scales, byte* minima, byte* target)
    {
        for (int i = 0; i < 4; i++)
        {
            target[i] = (byte)(scales[i] | (scales[i + 4] >> 4 << 6));
            target[i + 4] = (byte)(minima[i] | (minima[i + 4] >> 4 << 6));
            target[i + 8] = (byte)((scales[i + 4] & 15) | (minima[i + 4] << 4));
        }
    }

    /// <summary>Bit <paramref name="bit"/> of 256 levels: bit g of byte i is that of element i of the g-th 32.</summary>
    public static void PackOneBit(byte* q, int bit, byte* target)
    {
        for (int i = 0; i < 32; i++)
        {
            int bits = 0;
            for (int g = 0; g < 8; g++)
                bits |= ((q[(32 * g) + i] >> bit) & 1) << g;
            target[i] = (byte)bits;
        }
    }
}

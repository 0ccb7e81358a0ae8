using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>What the formats in groups have in common.</summary>
internal static unsafe partial class Groups
{
    /// <summary>Elements of the larger blocks.</summary>
    public const int SuperBlock = 256;

    /// <summary>The most elements in a block, and the most groups.</summary>
    public const int MostElements = 256, MostGroups = 16;

    /// <summary>value = scale · q − minimum, rounded after each operation as ggml does.</summary>
    public static void Dequantize<TFormat>(byte* source, float* target, int blocks)
        where TFormat : struct, IGroupFormat
    {
        sbyte* q = stackalloc sbyte[MostElements];
        float* scales = stackalloc float[MostGroups], minima = stackalloc float[MostGroups];
        new Span<float>(minima, MostGroups).Clear();
        for (int b = 0; b < blocks; b++, source += TFormat.BlockBytes)
        {
            TFormat.Unpack(source, q, scales, minima);
            for (int i = 0; i < TFormat.BlockLength; i += TFormat.GroupLength, target += TFormat.GroupLength)
                Scale(q + i, scales[i / TFormat.GroupLength], minima[i / TFormat.GroupLength], target, TFormat.GroupLength);
        }
    }

    /// <summary>
    /// The 6-bit scales and minima of Q4_K and Q5_K, eight of each in 12 bytes: the first four in the low bits of bytes
    /// 0–3 and 4–7; of the others the low halves in bytes 8–11 and two bits atop those of the first four.
    /// </summary>
    public static void SixBits(byte* packed, float d, float m, float* scales, float* minima)
    {
        for (int i = 0; i < 4; i++)
        {
            scales[i] = d * (packed[i] & 63);
            minima[i] = m * (packed[i + 4] & 63);
            scales[i + 4] = d * ((packed[i + 8] & 15) | (packed[i] >> 6 << 4));
            minima[i + 4] = m * ((packed[i + 8] >> 4) | (packed[i + 4] >> 6 << 4));
        }
    }

    private static void Scale(sbyte* q, float scale, float minimum, float* target, int count)
    {
        Vector256<float> d = Vector256.Create(scale), m = Vector256.Create(minimum);
        for (int i = 0; i < count; i += 16)
        {
            (Vector128<short> low, Vector128<short> high) = Vector128.Widen(Vector128.Load(q + i));
            ((d * Vector256.ConvertToSingle(Simd.Widen(low))) - m).Store(target + i);
            ((d * Vector256.ConvertToSingle(Simd.Widen(high))) - m).Store(target + i + 8);
        }
    }
}

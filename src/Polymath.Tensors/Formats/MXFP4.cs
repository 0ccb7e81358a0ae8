namespace Polymath.Tensors;

/// <summary>
/// Blocks of 32 after the OCP Microscaling specification: a power of two in 8 bits, then 16 bytes holding elements 0–15 in
/// their low and 16–31 in their high halves; an element is a float of 4 bits (E2M1), here counted in halves.
/// </summary>
internal readonly unsafe partial struct MXFP4 : IGroupFormat, IWritableFormat
{
    private const int Half = 16;

    /// <inheritdoc/>
    public static int BlockLength => 32;

    /// <inheritdoc/>
    public static int BlockBytes => 17;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<MXFP4>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        scales[0] = HalfPowerOfTwo(block[0]);
        for (int i = 0; i < Half; i++)
        {
            q[i] = Levels[block[1 + i] & 15];
            q[i + Half] = Levels[block[1 + i] >> 4];
        }
    }

    /// <summary>The values of the 4-bit floats in halves: sign, two bits of exponent, one of mantissa.</summary>
    internal static ReadOnlySpan<sbyte> Levels => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary>2^(exponent − 128); the two smallest are subnormal.</summary>
    internal static float HalfPowerOfTwo(byte exponent) =>
        BitConverter.UInt32BitsToSingle(exponent < 2 ? 0x00200000u << exponent : (uint)(exponent - 1) << 23);

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        for (int b = 0; b < blocks; b++, source += BlockLength, target += BlockBytes)
        {
            float largest = Math.Abs(ScaleSearch.Largest(source, BlockLength));
            target[0] = (byte)(largest > 0 ? Math.Max(0, MathF.Floor(MathF.Log2(largest)) - 2 + 127) : 0);
            float d = HalfPowerOfTwo(target[0]);
            for (int i = 0; i < Half; i++)
                target[1 + i] = (byte)(NearestLevel(source[i], d) | (NearestLevel(source[i + Half], d) << 4));
        }
    }

    /// <summary>The place of the level nearest to a value, the first of equally near ones.</summary>
    private static int NearestLevel(float value, float d)
    {
        int nearest = 0;
        for (int i = 1; i < 16; i++)
        {
            if (Math.Abs((Levels[i] * d) - value) < Math.Abs((Levels[nearest] * d) - value))
                nearest = i;
        }

        return nearest;
    }
}

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 64 in 4 groups of 16: four scales of 8 bits (4 of exponent, 3 of mantissa), then per group 8 bytes holding
/// elements 0–7 in their low and 8–15 in their high halves; elements as in MXFP4.
/// </summary>
internal readonly unsafe partial struct NVFP4 : IGroupFormat
{
    private const int Half = 8;
    private const int Quants = 4;

    /// <inheritdoc/>
    public static int BlockLength => 64;

    /// <inheritdoc/>
    public static int BlockBytes => 36;

    /// <inheritdoc/>
    public static int GroupLength => 16;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<NVFP4>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        for (int g = 0; g < 4; g++)
        {
            scales[g] = HalfScale(block[g]);
            for (int i = 0; i < Half; i++)
            {
                byte two = block[Quants + (g * Half) + i];
                q[(16 * g) + i] = MXFP4.Levels[two & 15];
                q[(16 * g) + i + Half] = MXFP4.Levels[two >> 4];
            }
        }
    }

    /// <summary>Half of the scale; the sign bit is not read, and 127, which is no number, counts as zero.</summary>
    private static float HalfScale(byte stored)
    {
        int exponent = (stored >> 3) & 15, mantissa = stored & 7;
        if (stored is 0 or 127)
            return 0;
        return exponent == 0 ? MathF.ScaleB(mantissa, -10) : MathF.ScaleB(8 + mantissa, exponent - 11);
    }
}

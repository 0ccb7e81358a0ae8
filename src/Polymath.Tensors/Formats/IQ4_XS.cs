using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 8 groups of 32: F16 d, the scales' 2 high bits (16 bits), their 4 low bits, then per group 16 bytes as
/// in IQ4_NL; value = d·(scale − 32)·level.
/// </summary>
internal readonly unsafe partial struct IQ4_XS : IGroupFormat, IWritableFormat
{
    private const int HighBits = 2;
    private const int LowBits = 4;
    private const int Quants = 8;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 136;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ4_XS>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block);
        uint high = Unsafe.ReadUnaligned<ushort>(block + HighBits);
        for (int g = 0; g < 8; g++)
        {
            int low = (block[LowBits + (g / 2)] >> (g % 2 * 4)) & 15;
            scales[g] = d * ((low | ((int)(high >> (2 * g)) & 3) << 4) - 32);
            IQ4_NL.Look(block + Quants + (16 * g), q + (32 * g));
        }
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        float* weights = stackalloc float[32], scales = stackalloc float[8];
        for (int b = 0; b < blocks; b++, source += Groups.SuperBlock, target += BlockBytes)
        {
            float square = Groups.SumOfSquares(source, Groups.SuperBlock) * (2f / Groups.SuperBlock);
            for (int g = 0; g < 8; g++)
            {
                float* own = importance is null ? null : importance + (b * Groups.SuperBlock) + (32 * g);
                scales[g] = LevelSearch.Scale(source + (32 * g), own, square, weights);
            }

            float d = -ScaleSearch.Largest(scales, 8) / 32, inverse = d != 0 ? 1 / d : 0;
            Groups.StoreHalf(target, d);
            int high = 0;
            for (int g = 0; g < 8; g++)
            {
                int level = Math.Clamp(ScaleSearch.Nearest(inverse * scales[g]), -32, 31);
                LevelSearch.Places(source + (32 * g), d * level, target + Quants + (16 * g));
                level += 32;
                high |= level >> 4 << (2 * g);
                target[LowBits + (g / 2)] = (byte)(g % 2 == 0 ? level & 15 : target[LowBits + (g / 2)] | ((level & 15) << 4));
            }

            Unsafe.WriteUnaligned(target + HighBits, (ushort)high);
        }
    }
}

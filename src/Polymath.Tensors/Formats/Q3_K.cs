namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 16 groups of 16: the third bits (bit g of byte i: element i of the g-th 32), 2 bits per element laid
/// out as in Q2_K, 16 scales of 6 bits, F16 d; value = d·(scale − 32)·(q − 4).
/// </summary>
internal readonly unsafe partial struct Q3_K : IGroupFormat, IWritableFormat
{
    private const int Quants = 32;
    private const int Scales = 96;
    private const int D = 108;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 110;

    /// <inheritdoc/>
    public static int GroupLength => 16;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q3_K>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block + D);
        for (int i = 0; i < 16; i++)
            scales[i] = d * (SixBits(block + Scales, i) - 32);
        for (int i = 0; i < BlockLength; i++)
        {
            int low = (block[Quants + (i / 128 * 32) + (i % 32)] >> (i / 32 % 4 * 2)) & 3;
            int third = (block[i % 32] >> (i / 32)) & 1;
            q[i] = (sbyte)(low + (4 * third) - 4);
        }
    }

    /// <summary>Scale i: its low half among the first 8 bytes, its two high bits in the last 4.</summary>
    private static int SixBits(byte* packed, int i)
    {
        int low = i < 8 ? packed[i] & 15 : packed[i - 8] >> 4;
        return low | (((packed[8 + (i % 4)] >> (i / 4 * 2)) & 3) << 4);
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        byte* q = stackalloc byte[Groups.SuperBlock], levels = stackalloc byte[16];
        float* scales = stackalloc float[16], weights = stackalloc float[16], sums = stackalloc float[16];
        for (int b = 0; b < blocks; b++, source += Groups.SuperBlock, target += BlockBytes)
        {
            float d;
            if (importance is null)
            {
                for (int g = 0; g < 16; g++)
                    scales[g] = ScaleSearch.SymmetricByMoves(source + (16 * g), 16, 4, q + (16 * g));
                d = ScaleLevels(scales, levels);
            }
            else
            {
                float square = 2 * Groups.SumOfSquares(source, Groups.SuperBlock) / Groups.SuperBlock;
                for (int g = 0; g < 16; g++)
                {
                    sums[g] = Groups.Weigh(source + (16 * g), importance + (b * Groups.SuperBlock) + (16 * g), square, weights, 16);
                    scales[g] = ScaleSearch.Symmetric(source + (16 * g), weights, 16, 4, q + (16 * g));
                }

                d = ScaleSearch.Symmetric(scales, sums, 16, 32, levels);
            }

            Groups.StoreHalf(target + D, d);
            PackScales(levels, target + Scales);
            for (int g = 0; g < 16; g++)
                Groups.Requantize(source + (16 * g), 16, HalfTable.Load(target + D) * (levels[g] - 32), 0, 4, 7, q + (16 * g));
            Q2_K.PackTwoBits(q, target + Quants);
            Groups.PackOneBit(q, 2, target);
        }
    }

    /// <summary>The scales as 6-bit levels of the returned one, the largest as −32.</summary>
    private static float ScaleLevels(float* scales, byte* levels)
    {
        float largest = ScaleSearch.Largest(scales, 16), inverse = -32 / largest;
        for (int g = 0; g < 16; g++)
            levels[g] = (byte)(largest == 0 ? 0 : Math.Clamp(ScaleSearch.Nearest(inverse * scales[g]), -32, 31) + 32);
        return largest == 0 ? 0 : 1 / inverse;
    }

    private static void PackScales(byte* levels, byte* target)
    {
        for (int i = 0; i < 8; i++)
            target[i] = (byte)((levels[i] & 15) | (levels[i + 8] << 4));
        for (int i = 0; i < 4; i++)
            target[8 + i] = (byte)((levels[i] >> 4) | (levels[i + 4] >> 4 << 2) | (levels[i + 8] >> 4 << 4) | (levels[i + 12] >> 4 << 6));
    }
}

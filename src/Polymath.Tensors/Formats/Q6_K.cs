namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 16 groups of 16: the low 4 bits of the elements (of each 128 the first 64 in the low halves of 64
/// bytes), the high 2 bits (four groups of 32 in a byte), 16 signed scale bytes, F16 d; value = d·scale·(q − 32).
/// </summary>
internal readonly unsafe partial struct Q6_K : IGroupFormat, IWritableFormat
{
    private const int HighBits = 128;
    private const int Scales = 192;
    private const int D = 208;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 210;

    /// <inheritdoc/>
    public static int GroupLength => 16;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q6_K>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block + D);
        for (int i = 0; i < 16; i++)
            scales[i] = d * (sbyte)block[Scales + i];
        for (int i = 0; i < BlockLength; i++)
        {
            int low = (block[(i / 128 * 64) + (i % 64)] >> (i / 64 % 2 * 4)) & 15;
            int high = (block[HighBits + (i / 128 * 32) + (i % 32)] >> (i / 32 % 4 * 2)) & 3;
            q[i] = (sbyte)((low | (high << 4)) - 32);
        }
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        byte* q = stackalloc byte[Groups.SuperBlock];
        float* scales = stackalloc float[16];
        for (int b = 0; b < blocks; b++, source += Groups.SuperBlock, target += BlockBytes)
        {
            for (int g = 0; g < 16; g++)
            {
                float* weights = importance is null ? null : importance + (b * Groups.SuperBlock) + (16 * g);
                scales[g] = ScaleSearch.Symmetric(source + (16 * g), weights, 16, 32, q + (16 * g));
            }

            float largest = ScaleSearch.Largest(scales, 16), inverse = -128 / largest;
            if (Math.Abs(largest) < ScaleSearch.Smallest)
            {
                new Span<byte>(target, BlockBytes).Clear();
                continue;
            }

            Groups.StoreHalf(target + D, 1 / inverse);
            for (int g = 0; g < 16; g++)
            {
                var scale = (sbyte)Math.Min(127, ScaleSearch.Nearest(inverse * scales[g]));
                target[Scales + g] = (byte)scale;
                Groups.Requantize(source + (16 * g), 16, HalfTable.Load(target + D) * scale, 0, 32, 63, q + (16 * g));
            }

            for (int i = 0; i < 128; i++)
            {
                byte* first = q + (i / 64 * 128) + (i % 64);
                target[i] = (byte)((first[0] & 15) | (first[64] << 4));
            }

            for (int i = 0; i < 64; i++)
            {
                byte* first = q + (i / 32 * 128) + (i % 32);
                target[HighBits + i] = (byte)((first[0] >> 4) | (first[32] >> 4 << 2) | (first[64] >> 4 << 4) | (first[96] >> 4 << 6));
            }
        }
    }
}

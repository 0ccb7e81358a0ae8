namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 16 groups of 16: per group a byte (4-bit scale, 4-bit minimum), 2 bits per element, F16 d and F16 m;
/// value = d·scale·q − m·minimum. A byte holds one element of each of four groups of 32.
/// </summary>
internal readonly unsafe partial struct Q2_K : IGroupFormat, IWritableFormat
{
    private const int Quants = 16;
    private const int D = 80;
    private const int M = 82;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 84;

    /// <inheritdoc/>
    public static int GroupLength => 16;

    /// <inheritdoc/>
    public static bool HasMinima => true;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q2_K>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block + D), m = HalfTable.Load(block + M);
        for (int i = 0; i < 16; i++)
        {
            scales[i] = d * (block[i] & 15);
            minima[i] = m * (block[i] >> 4);
        }

        for (int i = 0; i < BlockLength; i++)
            q[i] = (sbyte)((block[Quants + (i / 128 * 32) + (i % 32)] >> (i / 32 % 4 * 2)) & 3);
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        var recipe = new AffineBlock(16, 3, 15, new ScaleSearch.Tries(-0.5f, 0.1f, 15), Absolute: true);
        byte* q = stackalloc byte[Groups.SuperBlock], scales = stackalloc byte[16], minima = stackalloc byte[16];
        for (int b = 0; b < blocks; b++, source += Groups.SuperBlock, target += BlockBytes)
        {
            recipe.Quantize(source, importance is null ? null : importance + (b * Groups.SuperBlock), target + D, target + M, scales, minima, q);
            for (int i = 0; i < 16; i++)
                target[i] = (byte)(scales[i] | (minima[i] << 4));
            PackTwoBits(q, target + Quants);
        }
    }

    /// <summary>The low two bits of 256 levels: in each byte one element of each of four groups of 32.</summary>
    internal static void PackTwoBits(byte* q, byte* target)
    {
        for (int i = 0; i < 64; i++)
        {
            byte* first = q + (i / 32 * 128) + (i % 32);
            target[i] = (byte)((first[0] & 3) | ((first[32] & 3) << 2) | ((first[64] & 3) << 4) | ((first[96] & 3) << 6));
        }
    }
}

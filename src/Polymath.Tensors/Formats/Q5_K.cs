namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 8 groups of 32: F16 d and m, 8 scales and 8 minima of 6 bits, the fifth bits (bit g of byte i: element
/// i of group g), then 4 bits per element as in Q4_K; value = d·scale·q − m·minimum.
/// </summary>
internal readonly unsafe partial struct Q5_K : IGroupFormat, IWritableFormat
{
    private const int Scales = 4;
    private const int FifthBits = 16;
    private const int Quants = 48;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 176;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => true;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q5_K>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        Groups.SixBits(block + Scales, HalfTable.Load(block), HalfTable.Load(block + 2), scales, minima);
        for (int i = 0; i < BlockLength; i++)
        {
            int low = (block[Quants + (i / 64 * 32) + (i % 32)] >> (i / 32 % 2 * 4)) & 15;
            int fifth = (block[FifthBits + (i % 32)] >> (i / 32)) & 1;
            q[i] = (sbyte)(low | (fifth << 4));
        }
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        var recipe = new AffineBlock(32, 31, 63, new ScaleSearch.Tries(-0.5f, 0.1f, 15), Absolute: false);
        byte* q = stackalloc byte[Groups.SuperBlock], scales = stackalloc byte[8], minima = stackalloc byte[8];
        for (int b = 0; b < blocks; b++, source += Groups.SuperBlock, target += BlockBytes)
        {
            recipe.Quantize(source, importance is null ? null : importance + (b * Groups.SuperBlock), target, target + 2, scales, minima, q);
            Groups.PackSixBits(scales, minima, target + Scales);
            Q4_K.PackFourBits(q, target + Quants);
            Groups.PackOneBit(q, 4, target + FifthBits);
        }
    }
}

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 8 groups of 32: F16 d and m, 8 scales and 8 minima of 6 bits, 4 bits per element, of each two groups
/// the first in the low halves of 32 bytes; value = d·scale·q − m·minimum.
/// </summary>
internal readonly unsafe partial struct Q4_K : IGroupFormat, IWritableFormat
{
    private const int Scales = 4;
    private const int Quants = 16;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 144;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => true;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q4_K>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        Groups.SixBits(block + Scales, HalfTable.Load(block), HalfTable.Load(block + 2), scales, minima);
        for (int i = 0; i < BlockLength; i++)
            q[i] = (sbyte)((block[Quants + (i / 64 * 32) + (i % 32)] >> (i / 32 % 2 * 4)) & 15);
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        var recipe = new AffineBlock(32, 15, 63, new ScaleSearch.Tries(-1, 0.1f, 20), Absolute: false);
        byte* q = stackalloc byte[Groups.SuperBlock], scales = stackalloc byte[8], minima = stackalloc byte[8];
        for (int b = 0; b < blocks; b++, source += Groups.SuperBlock, target += BlockBytes)
        {
            recipe.Quantize(source, importance is null ? null : importance + (b * Groups.SuperBlock), target, target + 2, scales, minima, q);
            Groups.PackSixBits(scales, minima, target + Scales);
            PackFourBits(q, target + Quants);
        }
    }

    /// <summary>The low four bits of 256 levels: of each two groups of 32 the first in the low halves of 32 bytes.</summary>
    internal static void PackFourBits(byte* q, byte* target)
    {
        for (int i = 0; i < 128; i++)
        {
            byte* first = q + (i / 32 * 64) + (i % 32);
            target[i] = (byte)((first[0] & 15) | (first[32] << 4));
        }
    }
}

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 8 groups of 32: F16 d, 64 places (low 8 bits) in a codebook of 512 entries of 4 elements, the places'
/// ninth bits, 256 signs, 4-bit scales; value = d·(1 + 2·scale)·entry.
/// </summary>
internal readonly unsafe partial struct IQ3_S : IGroupFormat
{
    private const int Places = 2;
    private const int NinthBits = 66;
    private const int Signs = 74;
    private const int Scales = 106;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 110;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ3_S>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block);
        for (int g = 0; g < 8; g++)
            scales[g] = d * (1 + (2 * ((block[Scales + (g / 2)] >> (g % 2 * 4)) & 15)));
        for (int i = 0; i < 64; i++)
        {
            int ninth = (block[NinthBits + (i / 8)] >> (i % 8)) & 1;
            int signs = block[Signs + (i / 2)] >> (i % 2 * 4);
            Codebook.CopyFour(Codebook.Iq3S + (4 * (block[Places + i] | (ninth << 8))), signs, q + (4 * i));
        }
    }
}

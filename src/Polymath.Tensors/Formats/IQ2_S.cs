namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 16 groups of 16: F16 d, 32 places (low 8 bits) in a codebook of 1,024 entries of 8 elements, 32 × 8
/// signs, the places' 2 high bits, then 4-bit scales; value = d·(scale + ½)/4·entry.
/// </summary>
internal readonly unsafe partial struct IQ2_S : IGroupFormat
{
    private const int Places = 2;
    private const int Signs = 34;
    private const int HighBits = 66;
    private const int Scales = 74;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 82;

    /// <inheritdoc/>
    public static int GroupLength => 16;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ2_S>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block);
        for (int i = 0; i < 16; i++)
            scales[i] = d * (0.5f + ((block[Scales + (i / 2)] >> (i % 2 * 4)) & 15)) * 0.25f;
        for (int i = 0; i < 32; i++)
        {
            int high = (block[HighBits + (i / 4)] >> (i % 4 * 2)) & 3;
            Codebook.CopyEight(Codebook.Iq2S + (8 * (block[Places + i] | (high << 8))), block[Signs + i], q + (8 * i));
        }
    }
}

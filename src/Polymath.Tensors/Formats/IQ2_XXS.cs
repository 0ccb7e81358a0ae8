using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 8 groups of 32: F16 d, then per group 4 places in a codebook of 256 entries of 8 elements, four times
/// 7 signs and a 4-bit scale; value = d·(scale + ½)/4·entry.
/// </summary>
internal readonly unsafe partial struct IQ2_XXS : IGroupFormat
{
    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 66;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ2_XXS>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block);
        block += 2;
        for (int g = 0; g < 8; g++, block += 8)
        {
            uint rest = Unsafe.ReadUnaligned<uint>(block + 4);
            scales[g] = d * (0.5f + (rest >> 28)) * 0.25f;
            for (int i = 0; i < 4; i++, q += 8)
                Codebook.CopyEight(Codebook.Iq2Xxs + (8 * block[i]), Codebook.EvenSigns(rest >> (7 * i)), q);
        }
    }
}

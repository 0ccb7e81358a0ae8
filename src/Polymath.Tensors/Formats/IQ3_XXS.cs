using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 8 groups of 32: F16 d, 64 places in a codebook of 256 entries of 4 elements, then per group four times
/// 7 signs and a 4-bit scale; value = d·(scale + ½)/2·entry.
/// </summary>
internal readonly unsafe partial struct IQ3_XXS : IGroupFormat
{
    private const int Places = 2;
    private const int Rest = 66;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 98;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ3_XXS>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block);
        for (int g = 0; g < 8; g++)
        {
            uint rest = Unsafe.ReadUnaligned<uint>(block + Rest + (4 * g));
            scales[g] = d * (0.5f + (rest >> 28)) * 0.5f;
            for (int i = 0; i < 4; i++, q += 8)
            {
                int signs = Codebook.EvenSigns(rest >> (7 * i));
                byte* places = block + Places + (8 * g) + (2 * i);
                Codebook.CopyFour(Codebook.Iq3Xxs + (4 * places[0]), signs, q);
                Codebook.CopyFour(Codebook.Iq3Xxs + (4 * places[1]), signs >> 4, q + 4);
            }
        }
    }
}

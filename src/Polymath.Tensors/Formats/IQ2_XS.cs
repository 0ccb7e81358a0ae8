using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 16 groups of 16: F16 d, 32 × 16 bits (9 a place in a codebook of 512 entries of 8 elements, 7 signs),
/// then 4-bit scales; value = d·(scale + ½)/4·entry.
/// </summary>
internal readonly unsafe partial struct IQ2_XS : IGroupFormat
{
    private const int Places = 2;
    private const int Scales = 66;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 74;

    /// <inheritdoc/>
    public static int GroupLength => 16;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ2_XS>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block);
        for (int i = 0; i < 16; i++)
            scales[i] = d * (0.5f + ((block[Scales + (i / 2)] >> (i % 2 * 4)) & 15)) * 0.25f;
        for (int i = 0; i < 32; i++)
        {
            uint place = Unsafe.ReadUnaligned<ushort>(block + Places + (2 * i));
            Codebook.CopyEight(Codebook.Iq2Xs + (8 * (place & 511)), Codebook.EvenSigns(place >> 9), q + (8 * i));
        }
    }
}

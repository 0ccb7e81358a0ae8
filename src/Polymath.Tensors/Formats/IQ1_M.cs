using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 16 groups of 16: 32 places (low 8 bits) in the codebook of IQ1_S, per place 3 high bits and whether an
/// eighth is taken off or added, then four times 16 bits: four 3-bit scales and a quarter of the F16 d;
/// value = d·(2·scale + 1)·(entry ± ⅛).
/// </summary>
internal readonly unsafe partial struct IQ1_M : IGroupFormat
{
    private const int HighBits = 32;
    private const int Scales = 48;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 56;

    /// <inheritdoc/>
    public static int GroupLength => 16;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ1_M>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        var packed = (ushort*)(block + Scales);
        int half = 0;
        for (int i = 0; i < 4; i++)
            half |= (Unsafe.ReadUnaligned<ushort>(packed + i) >> 12) << (4 * i);
        float d = HalfTable.Values[half];
        for (int i = 0; i < 16; i++)
        {
            int scale = (Unsafe.ReadUnaligned<ushort>(packed + (i / 4)) >> (i % 4 * 3)) & 7;
            scales[i] = d * ((2 * scale) + 1) * 0.125f;
        }

        for (int i = 0; i < 32; i++)
        {
            int rest = block[HighBits + (i / 2)] >> (i % 2 * 4);
            IQ1_S.Copy((uint)(block[i] | ((rest & 7) << 8)), (rest & 8) != 0, q + (8 * i));
        }
    }
}

using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 in 8 groups of 32: F16 d, 32 places (low 8 bits) in a codebook of 2,048 entries of 8 elements −1, 0, 1,
/// then per group 16 bits: four times 3 high bits, a 3-bit scale, and whether an eighth is taken off all elements or
/// added; value = d·(2·scale + 1)·(entry ± ⅛).
/// </summary>
internal readonly unsafe partial struct IQ1_S : IGroupFormat
{
    private const int Places = 2;
    private const int Rest = 34;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 50;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ1_S>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        float d = HalfTable.Load(block);
        for (int g = 0; g < 8; g++)
        {
            uint rest = Unsafe.ReadUnaligned<ushort>(block + Rest + (2 * g));
            scales[g] = d * ((2 * ((rest >> 12) & 7)) + 1) * 0.125f;
            for (int i = 0; i < 4; i++, q += 8)
                Copy(block[Places + (4 * g) + i] | ((rest >> (3 * i)) & 7) << 8, (rest & 0x8000) != 0, q);
        }
    }

    /// <summary>An entry in eighths, plus or minus one.</summary>
    internal static void Copy(uint place, bool below, sbyte* q)
    {
        sbyte* entry = Codebook.Iq1 + (8 * place);
        for (int i = 0; i < 8; i++)
            q[i] = (sbyte)(entry[i] + (below ? -1 : 1));
    }
}

using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 32: F16 scale d, the fifth bits of all elements, then 16 bytes holding the other bits of elements 0–15 in
/// their low and of 16–31 in their high halves; value = d·(q − 16).
/// </summary>
internal readonly unsafe partial struct Q5_0 : IGroupFormat, IWritableFormat
{
    private const int Half = 16;
    private const int FifthBits = 2;
    private const int Quants = 6;

    /// <inheritdoc/>
    public static int BlockLength => 32;

    /// <inheritdoc/>
    public static int BlockBytes => 22;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q5_0>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        scales[0] = HalfTable.Load(block);
        uint fifth = Unsafe.ReadUnaligned<uint>(block + FifthBits);
        for (int i = 0; i < Half; i++)
        {
            q[i] = (sbyte)(((block[Quants + i] & 15) | (int)((fifth >> i) & 1) << 4) - 16);
            q[i + Half] = (sbyte)(((block[Quants + i] >> 4) | (int)((fifth >> (i + Half)) & 1) << 4) - 16);
        }
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        byte* q = stackalloc byte[BlockLength];
        float square = importance is null ? 0 : Groups.MeanSquare(source, blocks * BlockLength);
        for (int b = 0; b < blocks; b++, source += BlockLength, target += BlockBytes)
        {
            float d = Groups.Symmetric(source, importance, b, square, 16, q);
            Groups.StoreHalf(target, d);
            PackFive(q, target + FifthBits, target + Quants);
        }
    }

    /// <summary>The levels of 32 elements: their fifth bits, then the others.</summary>
    internal static void PackFive(byte* q, byte* fifthBits, byte* quants)
    {
        uint fifth = 0;
        for (int i = 0; i < Half; i++)
        {
            quants[i] = (byte)((q[i] & 15) | (q[i + Half] << 4));
            fifth |= ((uint)q[i] >> 4 << i) | ((uint)q[i + Half] >> 4 << (i + Half));
        }

        Unsafe.WriteUnaligned(fifthBits, fifth);
    }
}

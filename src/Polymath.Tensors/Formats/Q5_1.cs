using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 32: F16 scale d, F16 offset m, the fifth bits of all elements, then 16 bytes holding the other bits of
/// elements 0–15 in their low and of 16–31 in their high halves; value = d·q + m.
/// </summary>
internal readonly unsafe partial struct Q5_1 : IGroupFormat, IWritableFormat
{
    private const int Half = 16;
    private const int FifthBits = 4;
    private const int Quants = 8;

    /// <inheritdoc/>
    public static int BlockLength => 32;

    /// <inheritdoc/>
    public static int BlockBytes => 24;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => true;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q5_1>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        scales[0] = HalfTable.Load(block);
        minima[0] = -HalfTable.Load(block + 2);
        uint fifth = Unsafe.ReadUnaligned<uint>(block + FifthBits);
        for (int i = 0; i < Half; i++)
        {
            q[i] = (sbyte)(((block[Quants + i] & 15) | (int)((fifth >> i) & 1) << 4));
            q[i + Half] = (sbyte)(((block[Quants + i] >> 4) | (int)((fifth >> (i + Half)) & 1) << 4));
        }
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        byte* q = stackalloc byte[BlockLength];
        float square = importance is null ? 0 : Groups.MeanSquare(source, blocks * BlockLength);
        for (int b = 0; b < blocks; b++, source += BlockLength, target += BlockBytes)
        {
            float d = Groups.Affine(source, importance, b, square, 31, q, out float m);
            Groups.StoreHalf(target, d);
            Groups.StoreHalf(target + 2, m);
            Q5_0.PackFive(q, target + FifthBits, target + Quants);
        }
    }
}

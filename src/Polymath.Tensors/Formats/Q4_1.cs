namespace Polymath.Tensors;

/// <summary>
/// Blocks of 32: F16 scale d, F16 offset m, then 16 bytes holding elements 0–15 in their low and 16–31 in their high
/// halves; value = d·q + m.
/// </summary>
internal readonly unsafe partial struct Q4_1 : IGroupFormat, IWritableFormat
{
    private const int Half = 16;
    private const int Quants = 4;

    /// <inheritdoc/>
    public static int BlockLength => 32;

    /// <inheritdoc/>
    public static int BlockBytes => 20;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => true;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q4_1>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        scales[0] = HalfTable.Load(block);
        minima[0] = -HalfTable.Load(block + 2);
        for (int i = 0; i < Half; i++)
        {
            q[i] = (sbyte)(block[Quants + i] & 15);
            q[i + Half] = (sbyte)(block[Quants + i] >> 4);
        }
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        byte* q = stackalloc byte[BlockLength];
        float square = importance is null ? 0 : Groups.MeanSquare(source, blocks * BlockLength);
        for (int b = 0; b < blocks; b++, source += BlockLength, target += BlockBytes)
        {
            float d = Groups.Affine(source, importance, b, square, 15, q, out float m);
            Groups.StoreHalf(target, d);
            Groups.StoreHalf(target + 2, m);
            for (int i = 0; i < Half; i++)
                target[Quants + i] = (byte)(q[i] | (q[i + Half] << 4));
        }
    }
}

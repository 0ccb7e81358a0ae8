namespace Polymath.Tensors;

/// <summary>
/// Blocks of 32: F16 scale d, then 16 bytes holding elements 0–15 in their low and 16–31 in their high halves;
/// value = d·(q − 8). Packed with d = m / −8 for the element m of largest magnitude, so that m itself is q = 0.
/// </summary>
internal readonly unsafe partial struct Q4_0 : IGroupFormat, IWritableFormat
{
    private const int Length = 32;
    private const int Half = Length / 2;
    private const int Bytes = sizeof(ushort) + Half;

    /// <inheritdoc/>
    public static int BlockLength => Length;

    /// <inheritdoc/>
    public static int BlockBytes => Bytes;

    /// <inheritdoc/>
    public static int GroupLength => Length;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q4_0>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        scales[0] = HalfTable.Load(block);
        for (int i = 0; i < Half; i++)
        {
            q[i] = (sbyte)((block[sizeof(ushort) + i] & 15) - 8);
            q[i + Half] = (sbyte)((block[sizeof(ushort) + i] >> 4) - 8);
        }
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        byte* q = stackalloc byte[Length];
        float square = importance is null ? 0 : Groups.MeanSquare(source, blocks * Length);
        for (int b = 0; b < blocks; b++, source += Length, target += Bytes)
        {
            float d = Groups.Symmetric(source, importance, b, square, 8, q);
            Groups.StoreHalf(target, d);
            for (int i = 0; i < Half; i++)
                target[sizeof(ushort) + i] = (byte)(q[i] | (q[i + Half] << 4));
        }
    }
}

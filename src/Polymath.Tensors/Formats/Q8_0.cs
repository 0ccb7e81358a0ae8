namespace Polymath.Tensors;

/// <summary>
/// Blocks of 32: F16 scale d, then 32 signed bytes q; value = d·q. Packed with d = max|x| / 127 and
/// q = x/d rounded half away from zero.
/// </summary>
internal readonly unsafe partial struct Q8_0 : IGroupFormat, IWritableFormat
{
    private const int Length = 32;
    private const int Bytes = sizeof(ushort) + Length;

    /// <inheritdoc/>
    public static int BlockLength => Length;

    /// <inheritdoc/>
    public static int BlockBytes => Bytes;

    /// <inheritdoc/>
    public static int GroupLength => Length;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<Q8_0>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        scales[0] = HalfTable.Load(block);
        new ReadOnlySpan<sbyte>(block + sizeof(ushort), Length).CopyTo(new Span<sbyte>(q, Length));
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        for (int b = 0; b < blocks; b++, source += Length, target += Bytes)
        {
            float largest = 0;
            for (int i = 0; i < Length; i++)
                largest = Math.Max(largest, Math.Abs(source[i]));
            float d = largest / 127;
            float inverse = d != 0 ? 1 / d : 0;
            Groups.StoreHalf(target, d);
            var q = (sbyte*)(target + sizeof(ushort));
            for (int i = 0; i < Length; i++)
                q[i] = (sbyte)MathF.Round(source[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }
}

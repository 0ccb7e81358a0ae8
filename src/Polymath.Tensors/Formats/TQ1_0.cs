namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 of three values: five elements in a byte as a fraction of 256 with digits of base 3 (the first element is
/// the first digit), the last 16 elements four in a byte, then F16 d; value = d·(q − 1).
/// </summary>
internal readonly unsafe partial struct TQ1_0 : IGroupFormat
{
    private const int D = 52;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 54;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<TQ1_0>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        new Span<float>(scales, BlockLength / GroupLength).Fill(HalfTable.Load(block + D));
        q = Digits(block, 32, 5, q);
        q = Digits(block + 32, 16, 5, q);
        _ = Digits(block + 48, 4, 4, q);
    }

    /// <summary>The first digits of <paramref name="count"/> bytes, then their second ones, and so on.</summary>
    private static sbyte* Digits(byte* packed, int count, int digits, sbyte* q)
    {
        int power = 1;
        for (int digit = 0; digit < digits; digit++, power *= 3)
        {
            for (int i = 0; i < count; i++)
                *q++ = (sbyte)(((byte)(packed[i] * power) * 3 >> 8) - 1);
        }

        return q;
    }
}

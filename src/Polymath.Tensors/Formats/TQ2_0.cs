namespace Polymath.Tensors;

/// <summary>
/// Blocks of 256 of three values: 2 bits per element, four groups of 32 in 32 bytes, then F16 d; value = d·(q − 1).
/// </summary>
internal readonly unsafe partial struct TQ2_0 : IGroupFormat
{
    private const int D = 64;

    /// <inheritdoc/>
    public static int BlockLength => 256;

    /// <inheritdoc/>
    public static int BlockBytes => 66;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<TQ2_0>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        new Span<float>(scales, BlockLength / GroupLength).Fill(HalfTable.Load(block + D));
        for (int i = 0; i < BlockLength; i++)
            q[i] = (sbyte)(((block[(i / 128 * 32) + (i % 32)] >> (i / 32 % 4 * 2)) & 3) - 1);
    }
}

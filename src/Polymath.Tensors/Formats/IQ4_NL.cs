namespace Polymath.Tensors;

/// <summary>
/// Blocks of 32: F16 scale d, then 16 bytes holding elements 0–15 in their low and 16–31 in their high halves; an element
/// is a place in a list of 16 levels that lie closer about zero; value = d·level.
/// </summary>
internal readonly unsafe partial struct IQ4_NL : IGroupFormat, IWritableFormat
{
    private const int Half = 16;
    private const int Quants = 2;

    /// <inheritdoc/>
    public static int BlockLength => 32;

    /// <inheritdoc/>
    public static int BlockBytes => 18;

    /// <inheritdoc/>
    public static int GroupLength => 32;

    /// <inheritdoc/>
    public static bool HasMinima => false;

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) => Groups.Dequantize<IQ4_NL>(source, target, blocks);

    /// <inheritdoc/>
    public static void Unpack(byte* block, sbyte* q, float* scales, float* minima)
    {
        scales[0] = HalfTable.Load(block);
        Look(block + Quants, q);
    }

    /// <summary>The levels of 32 elements whose places 16 bytes hold.</summary>
    internal static void Look(byte* places, sbyte* q)
    {
        ReadOnlySpan<sbyte> levels = Levels;
        for (int i = 0; i < Half; i++)
        {
            q[i] = levels[places[i] & 15];
            q[i + Half] = levels[places[i] >> 4];
        }
    }

    /// <summary>The 16 levels, ascending.</summary>
    internal static ReadOnlySpan<sbyte> Levels => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        float* weights = stackalloc float[BlockLength];
        for (int b = 0; b < blocks; b++, source += BlockLength, target += BlockBytes)
        {
            float square = Groups.SumOfSquares(source, BlockLength) * (2f / BlockLength);
            float d = LevelSearch.Scale(source, importance is null ? null : importance + (b * BlockLength), square, weights);
            Groups.StoreHalf(target, d);
            LevelSearch.Places(source, d, target + Quants);
        }
    }
}

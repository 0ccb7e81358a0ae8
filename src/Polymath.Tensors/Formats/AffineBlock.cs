namespace Polymath.Tensors;

/// <summary>
/// How a block of 256 with scales and minima is packed (Q2_K, Q4_K, Q5_K): each group by its own search, then the
/// groups' scales and minima as multiples of one scale and one minimum, then the levels anew under what is stored.
/// </summary>
/// <param name="GroupLength">Elements in a group.</param>
/// <param name="Most">The largest level of an element.</param>
/// <param name="MostScale">The largest level of a scale and of a minimum.</param>
/// <param name="Tries">The scales to try where no importance is given.</param>
/// <param name="Absolute">Whether then errors count by their size, and elements by theirs.</param>
internal readonly unsafe record struct AffineBlock(int GroupLength, int Most, int MostScale, ScaleSearch.Tries Tries, bool Absolute)
{
    /// <summary>Packs a block into its parts.</summary>
    public void Quantize(float* x, float* importance, byte* d, byte* m, byte* scales, byte* minima, byte* q)
    {
        int groups = Groups.SuperBlock / GroupLength;
        float* weights = stackalloc float[GroupLength], sums = stackalloc float[groups];
        float* groupScales = stackalloc float[groups], groupMinima = stackalloc float[groups];
        float sum = Groups.SumOfSquares(x, Groups.SuperBlock);
        float square = (Absolute ? sum : 2 * sum) / Groups.SuperBlock;
        for (int g = 0; g < groups; g++)
        {
            float* group = x + (g * GroupLength);
            if (importance is null)
                WeighBySize(group, weights);
            else
                sums[g] = Groups.Weigh(group, importance + (g * GroupLength), square, weights, GroupLength);
            groupScales[g] = ScaleSearch.Affine(
                group, weights, GroupLength, Most, importance is null ? Tries : ScaleSearch.Thorough, Absolute && importance is null,
                q + (g * GroupLength), out groupMinima[g]);
        }

        Groups.StoreHalf(d, importance is null ? ByLargest(groupScales, groups, scales) : ScaleSearch.Positive(groupScales, sums, groups, MostScale, scales));
        Groups.StoreHalf(m, importance is null ? ByLargest(groupMinima, groups, minima) : ScaleSearch.Positive(groupMinima, sums, groups, MostScale, minima));
        for (int g = 0; g < groups; g++)
        {
            Groups.Requantize(
                x + (g * GroupLength), GroupLength, HalfTable.Load(d) * scales[g], HalfTable.Load(m) * minima[g], 0, Most, q + (g * GroupLength));
        }
    }

    private void WeighBySize(float* x, float* weights)
    {
        float mean = Absolute ? 0 : MathF.Sqrt(Groups.MeanSquare(x, GroupLength));
        for (int i = 0; i < GroupLength; i++)
            weights[i] = mean + Math.Abs(x[i]);
    }

    /// <summary>Levels of which the largest value gets the largest; returns the value of level 1.</summary>
    private float ByLargest(float* values, int n, byte* levels)
    {
        float largest = Math.Max(0, ScaleSearch.Largest(values, n)), inverse = largest > 0 ? MostScale / largest : 0;
        for (int i = 0; i < n; i++)
            levels[i] = (byte)Math.Clamp(ScaleSearch.Nearest(inverse * values[i]), 0, MostScale);
        return largest / MostScale;
    }
}

namespace Polymath.Cli;

/// <summary>How near two vectors point.</summary>
internal static class Cosine
{
    /// <summary>The cosine of the angle between two vectors of one length, from −1 to 1; 0 where one of them is zero.</summary>
    public static double Of(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double product = 0, squaresA = 0, squaresB = 0;
        for (int i = 0; i < a.Length; i++)
        {
            product += (double)a[i] * b[i];
            squaresA += (double)a[i] * a[i];
            squaresB += (double)b[i] * b[i];
        }

        return squaresA > 0 && squaresB > 0 ? Math.Clamp(product / (Math.Sqrt(squaresA) * Math.Sqrt(squaresB)), -1, 1) : 0;
    }
}

namespace Polymath.Training;

/// <summary>Linear warm-up, then half a cosine down to the lowest rate at the last step (Loshchilov and Hutter 2017).</summary>
/// <param name="Highest">Rate at the end of the warm-up.</param>
/// <param name="Lowest">Rate at the last step.</param>
/// <param name="Warmup">Steps of the warm-up.</param>
/// <param name="Steps">Steps in all.</param>
public sealed record LearningRate(double Highest, double Lowest, int Warmup, int Steps)
{
    /// <summary>Rate of step <paramref name="step"/>, counted from 0.</summary>
    public double At(int step)
    {
        if (step < Warmup)
            return Highest * (step + 1) / Warmup;
        double progress = Math.Clamp((step - Warmup) / (double)Math.Max(1, Steps - 1 - Warmup), 0, 1);
        return Lowest + ((Highest - Lowest) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }
}

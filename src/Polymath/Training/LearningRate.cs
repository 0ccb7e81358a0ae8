namespace Polymath.Training;

/// <summary>
/// Linear warm-up, then half a cosine down to the lowest rate at the last step (Loshchilov and Hutter 2017), unless a
/// cool-down ends the run earlier: a straight line from the rate at hand down to the lowest (Hägele et al. 2024,
/// https://arxiv.org/abs/2405.18392).
/// </summary>
/// <param name="Highest">Rate at the end of the warm-up.</param>
/// <param name="Lowest">Rate at the last step.</param>
/// <param name="Warmup">Steps of the warm-up.</param>
/// <param name="Steps">Steps of warm-up and cosine together.</param>
public sealed record LearningRate(double Highest, double Lowest, int Warmup, int Steps)
{
    /// <summary>The cool-down, or null.</summary>
    public CoolDown? CoolDown { get; init; }

    /// <summary>Steps in all.</summary>
    public int End => CoolDown is { } c ? checked(c.From + c.Count) : Steps;

    /// <summary>Rate of step <paramref name="step"/>, counted from 0.</summary>
    public double At(int step)
    {
        if (CoolDown is not { } c || step < c.From)
            return Planned(step);
        double progress = Math.Clamp((step - c.From + 1) / (double)c.Count, 0, 1);
        return Lowest + ((Planned(c.From) - Lowest) * (1 - progress));
    }

    private double Planned(int step)
    {
        if (step < Warmup)
            return Highest * (step + 1) / Warmup;
        double progress = Math.Clamp((step - Warmup) / (double)Math.Max(1, Steps - 1 - Warmup), 0, 1);
        return Lowest + ((Highest - Lowest) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }
}

/// <summary>An early end of a run.</summary>
/// <param name="From">First step of it, counted from 0.</param>
/// <param name="Count">Its steps.</param>
public readonly record struct CoolDown(int From, int Count)
{
    /// <summary>FROM+COUNT, as a checkpoint stores it.</summary>
    public override string ToString() => FormattableString.Invariant($"{From}+{Count}");
}

namespace Polymath.Generation.Samplers;

/// <summary>Drops tokens less likely than a share of the most likely one (Nguyen et al. 2024, https://arxiv.org/abs/2407.01082).</summary>
public sealed class MinP : Sampler
{
    private readonly float _logShare;

    /// <summary>Drops tokens under <paramref name="share"/> in (0, 1] of the best one's probability.</summary>
    public MinP(float share)
    {
        if (!(share is > 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "min-p is between 0 and 1");
        _logShare = MathF.Log(share);
    }

    /// <inheritdoc/>
    public override void Apply(Candidates candidates)
    {
        candidates.Sort();
        float floor = candidates.Logit(0) + _logShare;
        int keep = 1;
        while (keep < candidates.Count && candidates.Logit(keep) >= floor)
            keep++;
        candidates.Truncate(keep);
    }
}

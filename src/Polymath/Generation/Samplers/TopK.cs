namespace Polymath.Generation.Samplers;

/// <summary>Keeps the k most likely tokens (Fan et al. 2018, https://arxiv.org/abs/1805.04833).</summary>
public sealed class TopK : Sampler
{
    private readonly int _k;

    /// <summary>Keeps <paramref name="k"/> ≥ 1 tokens.</summary>
    public TopK(int k)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(k);
        _k = k;
    }

    /// <inheritdoc/>
    public override void Apply(Candidates candidates) => candidates.KeepTop(_k);
}

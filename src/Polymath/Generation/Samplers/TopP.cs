namespace Polymath.Generation.Samplers;

/// <summary>Keeps the fewest most likely tokens whose probabilities reach p (Holtzman et al. 2019, https://arxiv.org/abs/1904.09751).</summary>
public sealed class TopP : Sampler
{
    private readonly float _p;

    /// <summary>Keeps the nucleus of mass <paramref name="p"/> in [0, 1]; at least one token.</summary>
    public TopP(float p)
    {
        if (!(p is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(p), p, "top-p is between 0 and 1");
        _p = p;
    }

    /// <inheritdoc/>
    public override void Apply(Candidates candidates)
    {
        if (_p >= 1)
            return;
        candidates.Sort();
        ReadOnlySpan<float> probabilities = candidates.Softmax();
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            sum += probabilities[i];
            if (sum >= _p)
            {
                candidates.Truncate(i + 1);
                return;
            }
        }
    }
}

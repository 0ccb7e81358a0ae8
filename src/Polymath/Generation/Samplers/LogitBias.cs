namespace Polymath.Generation.Samplers;

/// <summary>Adds a number to the logits of some tokens; −∞ bans one.</summary>
public sealed class LogitBias : Sampler
{
    private readonly Dictionary<int, float> _bias;

    /// <summary>Adds <paramref name="bias"/>, by token id.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A bias is NaN or +∞.</exception>
    public LogitBias(IReadOnlyDictionary<int, float> bias)
    {
        ArgumentNullException.ThrowIfNull(bias);
        _bias = new Dictionary<int, float>(bias);
        foreach (float value in _bias.Values)
        {
            if (float.IsNaN(value) || float.IsPositiveInfinity(value))
                throw new ArgumentOutOfRangeException(nameof(bias), value, "a logit bias is a number or −∞");
        }
    }

    /// <inheritdoc/>
    public override void Apply(Candidates candidates)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        for (int i = 0; i < candidates.Count; i++)
        {
            if (_bias.TryGetValue(candidates.Id(i), out float bias))
                candidates.SetLogit(i, candidates.Logit(i) + bias);
        }
    }
}

namespace Polymath.Generation.Samplers;

/// <summary>Divides all logits: below 1 sharpens, above 1 flattens.</summary>
public sealed class Temperature : Sampler
{
    private readonly float _temperature;

    /// <summary>Divides by <paramref name="temperature"/> &gt; 0.</summary>
    public Temperature(float temperature)
    {
        if (!(temperature > 0) || !float.IsFinite(temperature))
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "the temperature is above 0");
        _temperature = temperature;
    }

    /// <inheritdoc/>
    public override void Apply(Candidates candidates)
    {
        if (_temperature == 1)
            return;
        for (int i = 0; i < candidates.Count; i++)
            candidates.SetLogit(i, candidates.Logit(i) / _temperature);
    }
}

namespace Polymath.Generation.Samplers;

/// <summary>
/// Takes from the logits of tokens that the answer holds already: a number for each time (frequency) and one for being
/// there at all (presence), as the OpenAI API defines them. The prompt does not count.
/// </summary>
public sealed class CountPenalty : Sampler
{
    private readonly float _frequency;
    private readonly float _presence;
    private readonly Dictionary<int, int> _counts = [];

    /// <summary>Takes <paramref name="frequency"/> · count + <paramref name="presence"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A penalty is not a finite number.</exception>
    public CountPenalty(float frequency, float presence)
    {
        if (!float.IsFinite(frequency))
            throw new ArgumentOutOfRangeException(nameof(frequency), frequency, "a penalty is a finite number");
        if (!float.IsFinite(presence))
            throw new ArgumentOutOfRangeException(nameof(presence), presence, "a penalty is a finite number");
        _frequency = frequency;
        _presence = presence;
    }

    /// <inheritdoc/>
    public override void Apply(Candidates candidates)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        for (int i = 0; i < candidates.Count && _counts.Count > 0; i++)
        {
            if (_counts.TryGetValue(candidates.Id(i), out int count))
                candidates.SetLogit(i, candidates.Logit(i) - (_frequency * count) - _presence);
        }
    }

    /// <inheritdoc/>
    public override void Accept(int id, bool isPrompt)
    {
        if (!isPrompt)
            _counts[id] = _counts.GetValueOrDefault(id) + 1;
    }
}

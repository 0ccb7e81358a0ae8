namespace Polymath.Generation.Samplers;

/// <summary>
/// Makes tokens of the recent text less likely: positive logits are divided and negative ones multiplied by the
/// penalty (Keskar et al. 2019, https://arxiv.org/abs/1909.05858). Apply it before anything is dropped.
/// </summary>
public sealed class RepeatPenalty : Sampler
{
    private readonly float _penalty;
    private readonly int[] _recent;
    private readonly Dictionary<int, int> _counts;
    private int _next;
    private int _filled;

    /// <summary>Penalises the last <paramref name="window"/> tokens by <paramref name="penalty"/> &gt; 0.</summary>
    public RepeatPenalty(float penalty, int window)
    {
        if (!(penalty > 0) || !float.IsFinite(penalty))
            throw new ArgumentOutOfRangeException(nameof(penalty), penalty, "the repeat penalty is above 0");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(window);
        _penalty = penalty;
        _recent = new int[window];
        _counts = new Dictionary<int, int>(window + 1);
    }

    /// <inheritdoc/>
    public override void Apply(Candidates candidates)
    {
        if (_penalty == 1 || _filled == 0)
            return;
        for (int i = 0; i < candidates.Count; i++)
        {
            if (!_counts.ContainsKey(candidates.Id(i)))
                continue;
            float logit = candidates.Logit(i);
            candidates.SetLogit(i, logit > 0 ? logit / _penalty : logit * _penalty);
        }
    }

    /// <inheritdoc/>
    public override void Accept(int id, bool isPrompt)
    {
        if (_filled == _recent.Length)
        {
            int old = _recent[_next];
            if (_counts[old] == 1)
                _counts.Remove(old);
            else
                _counts[old]--;
        }
        else
        {
            _filled++;
        }

        _recent[_next] = id;
        _next = (_next + 1) % _recent.Length;
        _counts[id] = _counts.GetValueOrDefault(id) + 1;
    }
}

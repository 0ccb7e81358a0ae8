namespace Polymath.Generation;

/// <summary>Collects the probabilities of an answer's tokens.</summary>
internal sealed class LogProbs
{
    /// <summary>Most tokens that can be asked for at each place.</summary>
    public const int Most = 20;

    private readonly int _count;
    private readonly List<AnswerToken> _tokens = [];

    /// <summary>Reports the <paramref name="count"/> likeliest tokens at each place.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 0 or more than <see cref="Most"/>.</exception>
    public LogProbs(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Most);
        _count = count;
    }

    /// <summary>One for each token so far.</summary>
    public IReadOnlyList<AnswerToken> Tokens => _tokens;

    /// <summary>The token <paramref name="id"/> was chosen by the logits [V].</summary>
    public void Add(ReadOnlySpan<float> logits, int id)
    {
        (float max, double log) = Likelihood.Normalizer(logits);
        float normalizer = max + (float)log;
        _tokens.Add(new AnswerToken(new TokenLogProb(id, logits[id] - normalizer), Likeliest(logits, normalizer)));
    }

    private TokenLogProb[] Likeliest(ReadOnlySpan<float> logits, float normalizer)
    {
        var best = new TokenLogProb[Math.Min(_count, logits.Length)];
        int count = 0;
        for (int i = 0; i < logits.Length && best.Length > 0; i++)
        {
            float value = logits[i] - normalizer;
            if (count == best.Length && value <= best[^1].LogProb)
                continue;
            int at = count < best.Length ? count++ : count - 1;
            for (; at > 0 && best[at - 1].LogProb < value; at--)
                best[at] = best[at - 1];
            best[at] = new TokenLogProb(i, value);
        }

        return best;
    }
}

namespace Polymath.Cli;

/// <summary>
/// Perplexity from the log-likelihoods of single tokens, with the standard error as llama.cpp's tool gives it:
/// that of the mean, carried through the exponential.
/// </summary>
internal sealed class Perplexity
{
    private double _sum;
    private double _squares;

    /// <summary>Tokens scored.</summary>
    public long Count { get; private set; }

    /// <summary>exp of the mean negative log-likelihood; NaN before the first token.</summary>
    public double Value => Count == 0 ? double.NaN : Math.Exp(_sum / Count);

    /// <summary>Standard error of <see cref="Value"/>; 0 with fewer than two tokens.</summary>
    public double Error
    {
        get
        {
            if (Count < 2)
                return 0;
            double mean = _sum / Count, variance = (_squares / Count) - (mean * mean);
            return variance > 0 ? Math.Sqrt(variance / (Count - 1)) * Value : 0;
        }
    }

    /// <summary>Scores the token that came after <paramref name="logits"/> [V].</summary>
    public void Add(ReadOnlySpan<float> logits, int next) => Add(NegativeLogLikelihood(logits, next));

    /// <summary>Adds a token's negative log-likelihood.</summary>
    public void Add(double nll)
    {
        _sum += nll;
        _squares += nll * nll;
        Count++;
    }

    /// <summary>−log softmax(<paramref name="logits"/>)[<paramref name="next"/>], summed in double.</summary>
    public static double NegativeLogLikelihood(ReadOnlySpan<float> logits, int next)
    {
        float most = float.NegativeInfinity;
        foreach (float logit in logits)
            most = Math.Max(most, logit);
        double sum = 0;
        foreach (float logit in logits)
            sum += MathF.Exp(logit - most);
        return Math.Log(sum) - (logits[next] - most);
    }
}

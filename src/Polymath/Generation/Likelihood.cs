using Polymath.Models;

namespace Polymath.Generation;

/// <summary>How likely a model finds given texts, in the place of writing one.</summary>
public static class Likelihood
{
    /// <summary>
    /// For each continuation the natural logarithm of its probability behind <paramref name="prompt"/>: the sum over its
    /// tokens. The session is left empty.
    /// </summary>
    /// <param name="session">Room for the prompt and the longest continuation; what it holds is forgotten.</param>
    /// <param name="prompt">At least one id.</param>
    /// <param name="continuations">Each at least one id.</param>
    /// <param name="cancellation">Ends the work between layers.</param>
    /// <exception cref="InvalidOperationException">Prompt and continuation do not fit the session's context.</exception>
    /// <exception cref="ArgumentException">One of them is empty, or an id is not in the vocabulary.</exception>
    public static double[] Of(
        Session session, ReadOnlySpan<int> prompt, IReadOnlyList<int[]> continuations, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(continuations);
        session.Rewind(0);
        float[] first = session.Forward(prompt, cancellation).ToArray();   // [V]
        var sums = new double[continuations.Count];
        for (int i = 0; i < sums.Length; i++)
        {
            int[] ids = continuations[i];
            if (ids.Length == 0)
                throw new ArgumentException("a continuation without tokens", nameof(continuations));
            int left = session.Rewind(prompt.Length);
            if (left < prompt.Length)
                session.Forward(prompt[left..], cancellation);   // a layer had forgotten more than it should
            sums[i] = LogProb(first, ids[0]);
            for (int t = 1; t < ids.Length; t++)
                sums[i] += LogProb(session.Forward(ids.AsSpan(t - 1, 1), cancellation), ids[t]);
        }

        session.Rewind(0);
        return sums;
    }

    /// <summary>The largest of the logits, and log Σ e^(logit − largest): a logit less both is the logarithm of a probability.</summary>
    internal static (float Max, double LogSum) Normalizer(ReadOnlySpan<float> logits)
    {
        float max = float.NegativeInfinity;
        foreach (float logit in logits)
            max = Math.Max(max, logit);
        double sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp(logit - max);
        return (max, Math.Log(sum));
    }

    private static double LogProb(ReadOnlySpan<float> logits, int id)
    {
        if ((uint)id >= (uint)logits.Length)
            throw new ArgumentException($"id {id} is not in the vocabulary of {logits.Length}", nameof(id));
        (float max, double log) = Normalizer(logits);
        return logits[id] - max - log;
    }
}

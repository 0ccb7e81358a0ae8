using System.Numerics;
using Polymath.Generation.Samplers;

namespace Polymath.Generation;

/// <summary>
/// Chooses tokens: the samplers in their order, then one random draw. The order is llama.cpp's: bias, penalties, top-k,
/// top-p, min-p, temperature. One thread at a time; a token costs no allocation.
/// </summary>
public sealed class SamplerChain
{
    private readonly List<Sampler> _samplers = [];
    private readonly int _vocabulary;
    private Candidates? _candidates;   // made with the first token: who waits for his turn needs none
    private readonly bool _greedy;
    private RandomSource _random;

    /// <summary>Builds the chain of <paramref name="options"/> for a vocabulary of <paramref name="vocabulary"/> ids.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public SamplerChain(SamplingOptions options, int vocabulary)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Temperature);
        ArgumentOutOfRangeException.ThrowIfNegative(options.TopK);
        ArgumentOutOfRangeException.ThrowIfNegative(options.RepeatWindow);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabulary);
        _vocabulary = vocabulary;
        _greedy = options.Temperature == 0;
        Seed = options.Seed ?? (ulong)Random.Shared.NextInt64();
        _random = new RandomSource(Seed);
        if (options.LogitBias.Count > 0)
            _samplers.Add(new LogitBias(options.LogitBias));
        if (options.FrequencyPenalty != 0 || options.PresencePenalty != 0)
            _samplers.Add(new CountPenalty(options.FrequencyPenalty, options.PresencePenalty));
        if (options.RepeatPenalty != 1 && options.RepeatWindow > 0)
            _samplers.Add(new RepeatPenalty(options.RepeatPenalty, options.RepeatWindow));
        if (_greedy)
            return;
        if (options.TopK > 0)
            _samplers.Add(new TopK(options.TopK));
        if (options.TopP != 1)
            _samplers.Add(new TopP(options.TopP));
        if (options.MinP != 0)
            _samplers.Add(new MinP(options.MinP));
        _samplers.Add(new Temperature(options.Temperature));
    }

    /// <summary>The seed in use; gives the same choices again.</summary>
    public ulong Seed { get; }

    /// <summary>Tells the samplers of the tokens of the prompt.</summary>
    public void AcceptPrompt(ReadOnlySpan<int> ids)
    {
        foreach (Sampler sampler in _samplers)
        {
            foreach (int id in ids)
                sampler.Accept(id, isPrompt: true);
        }
    }

    /// <summary>The next token for <paramref name="logits"/> [V]; the samplers are told of it.</summary>
    /// <param name="logits">Of all tokens.</param>
    /// <param name="allowed">One bit for each token that may be chosen, at least one of them set; empty for all.</param>
    public int Next(ReadOnlySpan<float> logits, ReadOnlySpan<ulong> allowed = default)
    {
        int id = Choose(logits, allowed);
        foreach (Sampler sampler in _samplers)
            sampler.Accept(id, isPrompt: false);
        return id;
    }

    private int Choose(ReadOnlySpan<float> logits, ReadOnlySpan<ulong> allowed)
    {
        if (_greedy && _samplers.Count == 0)
            return allowed.IsEmpty ? ArgMax(logits) : ArgMax(logits, allowed);
        _candidates ??= new Candidates(_vocabulary);
        if (allowed.IsEmpty)
            _candidates.Fill(logits);
        else
            _candidates.Fill(logits, allowed);
        foreach (Sampler sampler in _samplers)
            sampler.Apply(_candidates);
        if (_greedy)
        {
            _candidates.KeepTop(1);
            return _candidates.Id(0);
        }

        // Sorted, so that the same draw means the same token whatever order the samplers left.
        _candidates.Sort();
        ReadOnlySpan<float> probabilities = _candidates.Softmax();
        double draw = _random.NextDouble();
        for (int i = 0; i < probabilities.Length; i++)
        {
            draw -= probabilities[i];
            if (draw < 0)
                return _candidates.Id(i);
        }

        return _candidates.Id(0);
    }

    private static int ArgMax(ReadOnlySpan<float> logits, ReadOnlySpan<ulong> allowed)
    {
        int best = -1;
        for (int word = 0; word < allowed.Length; word++)
        {
            for (ulong bits = allowed[word]; bits != 0; bits &= bits - 1)
            {
                int id = (word * 64) + BitOperations.TrailingZeroCount(bits);
                if (best < 0 || logits[id] > logits[best])
                    best = id;
            }
        }

        return best >= 0 ? best : throw new ArgumentException("no token is allowed", nameof(allowed));
    }

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
                best = i;
        }

        return best;
    }
}

using CsCheck;
using Polymath.Generation;
using Polymath.Generation.Samplers;
using Xunit;

namespace Polymath.Tests.Generation;

public sealed class SamplerChainTests
{
    private static readonly Gen<float[]> Logits = Gen.Float[-30, 30].Array[1, 300];

    [Fact]
    public void Greedy_takes_the_first_of_the_largest_logits()
    {
        var chain = new SamplerChain(new SamplingOptions { Temperature = 0 }, 5);
        Assert.Equal(1, chain.Next([0, 3, -1, 3, 2]));
    }

    [Fact]
    public void The_same_seed_gives_the_same_choices_and_another_seed_others()
    {
        float[] logits = [.. Enumerable.Range(0, 100).Select(i => MathF.Sin(i))];
        int[] Draw(ulong seed)
        {
            var chain = new SamplerChain(new SamplingOptions { Seed = seed, TopK = 0, TopP = 1, MinP = 0 }, 100);
            return [.. Enumerable.Range(0, 50).Select(_ => chain.Next(logits))];
        }

        Assert.Equal(Draw(7), Draw(7));
        Assert.NotEqual(Draw(7), Draw(8));
    }

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        float[] logits = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.2f)];
        var options = new SamplingOptions { Seed = 1, Temperature = 1, TopK = 0, TopP = 1, MinP = 0 };
        var chain = new SamplerChain(options, 3);
        int[] hits = new int[3];
        for (int i = 0; i < 30_000; i++)
            hits[chain.Next(logits)]++;
        Assert.InRange(hits[0] / 30_000.0, 0.485, 0.515);
        Assert.InRange(hits[1] / 30_000.0, 0.285, 0.315);
        Assert.InRange(hits[2] / 30_000.0, 0.185, 0.215);
    }

    [Fact]
    public void Top_k_keeps_the_k_largest_in_order_whatever_way_it_selects()
    {
        Gen.Select(Logits, Gen.Int[1, 320]).Sample((logits, k) =>
        {
            var candidates = new Candidates(300);
            candidates.Fill(logits);
            new TopK(k).Apply(candidates);
            int[] expected = [.. Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).ThenBy(i => i).Take(k)];
            Assert.Equal(expected, Enumerable.Range(0, candidates.Count).Select(candidates.Id));
        });
    }

    [Fact]
    public void Candidates_give_back_the_logits_they_were_filled_with()
    {
        Logits.Sample(logits =>
        {
            var candidates = new Candidates(logits.Length);
            candidates.Fill(logits);
            Assert.Equal(logits, Enumerable.Range(0, candidates.Count).Select(candidates.Logit));
        });
    }

    [Fact]
    public void Top_p_keeps_the_fewest_tokens_that_reach_p()
    {
        Gen.Select(Logits, Gen.Float[0, 1]).Sample((logits, p) =>
        {
            var candidates = new Candidates(300);
            candidates.Fill(logits);
            candidates.Sort();
            double[] probabilities = [.. candidates.Softmax().ToArray().Select(x => (double)x)];
            new TopP(p).Apply(candidates);
            int kept = candidates.Count;
            Assert.True(kept == logits.Length || probabilities.Take(kept).Sum() >= p - 1e-6);
            Assert.True(kept == 1 || probabilities.Take(kept - 1).Sum() < p + 1e-6);
        });
    }

    [Fact]
    public void Min_p_keeps_what_is_at_least_that_share_of_the_best()
    {
        var candidates = new Candidates(4);
        candidates.Fill([MathF.Log(0.6f), MathF.Log(0.05f), MathF.Log(0.31f), MathF.Log(0.04f)]);
        new MinP(0.5f).Apply(candidates);
        Assert.Equal([0, 2], Enumerable.Range(0, candidates.Count).Select(candidates.Id));
    }

    [Fact]
    public void The_repeat_penalty_reaches_back_as_far_as_its_window()
    {
        var penalty = new RepeatPenalty(2, 2);
        foreach (int id in new[] { 0, 1, 2, 1 })
            penalty.Accept(id, isPrompt: true);
        var candidates = new Candidates(4);
        candidates.Fill([4, 4, -4, 4]);
        penalty.Apply(candidates);
        Assert.Equal([4f, 2f, -8f, 4f], Enumerable.Range(0, 4).Select(candidates.Logit));
    }

    [Fact]
    public void A_token_costs_no_allocation()
    {
        var options = new SamplingOptions { Seed = 3, RepeatPenalty = 1.1f };
        var chain = new SamplerChain(options, 1000);
        float[] logits = [.. Enumerable.Range(0, 1000).Select(i => MathF.Cos(i) * 5)];
        Assert.Equal(0, Allocations.Of(() => chain.Next(logits)));
    }

    [Theory]
    [InlineData(-0.1f, 1f)]
    [InlineData(0.5f, 1.5f)]
    [InlineData(float.NaN, 1f)]
    public void Options_out_of_range_are_refused(float temperature, float topP) =>
        Assert.ThrowsAny<ArgumentException>(() =>
            new SamplerChain(new SamplingOptions { Temperature = temperature, TopP = topP }, 10));
}

using System.Globalization;
using CsCheck;
using Polymath.Cli;
using Polymath.Models;
using Xunit;

namespace Polymath.Tests.Cli;

public sealed class PerplexityTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>
{
    [Fact]
    public void Equal_logits_give_the_size_of_the_vocabulary_with_no_error()
    {
        var perplexity = new Perplexity();
        for (int i = 0; i < 10; i++)
            perplexity.Add(new float[50], i);
        Assert.Equal(50, perplexity.Value, 1e-6);
        Assert.Equal(0, perplexity.Error, 1e-4);
        Assert.Equal(10, perplexity.Count);
    }

    [Fact]
    public void The_error_is_that_of_the_mean_carried_through_the_exponential()
    {
        double[] nlls = [1, 2, 4];
        var perplexity = new Perplexity();
        foreach (double nll in nlls)
            perplexity.Add(nll);
        double mean = 7.0 / 3, variance = (21.0 / 3) - (mean * mean);
        Assert.Equal(Math.Exp(mean), perplexity.Value, 1e-9);
        Assert.Equal(Math.Sqrt(variance / 2) * Math.Exp(mean), perplexity.Error, 1e-9);
    }

    [Fact]
    public void Likelihoods_of_all_tokens_add_up_to_one() =>
        Gen.Float[-80, 80].Array[1, 40].Sample(logits =>
            Math.Abs(Enumerable.Range(0, logits.Length).Sum(i => Math.Exp(-Perplexity.NegativeLogLikelihood(logits, i))) - 1) < 1e-5);

    [Theory]
    [InlineData("32")]
    [InlineData("64")]
    public void The_command_scores_the_second_half_of_each_chunk_after_a_begin_token(string context)
    {
        string text = string.Concat(Enumerable.Range(0, 60).Select(i => $"line {i * 37} "));
        string file = tiny.Beside("text.txt");
        File.WriteAllText(file, text);
        CliRun run = CliRun.Of("perplexity", tiny.Path, file, "-c", context, "-t", "1");
        Assert.Equal(0, run.Code);
        Perplexity expected = Expected(text, int.Parse(context, CultureInfo.InvariantCulture));
        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"perplexity = {expected.Value:0.0000} ± {expected.Error:0.0000} ({expected.Count} tokens)\n"),
            run.Text);
        Assert.Contains("chunk 1 of ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_shorter_than_one_chunk_is_an_error()
    {
        string file = tiny.Beside("short.txt");
        File.WriteAllText(file, "short");
        CliRun run = CliRun.Of("perplexity", tiny.Path, file);
        Assert.Equal(1, run.Code);
        Assert.Contains("short.txt", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    /// <summary>The same, one token at a time.</summary>
    private Perplexity Expected(string text, int context)
    {
        using var model = Model.Load(tiny.Path, new ModelOptions { Threads = 1 });
        int[] ids = model.Tokenizer.Encode(text);
        var perplexity = new Perplexity();
        for (int start = 0; start + context <= ids.Length; start += context)
        {
            using Session session = model.NewSession(context);
            for (int i = 0; i < context - 1; i++)
            {
                ReadOnlySpan<float> logits = session.Forward([i == 0 ? model.Tokenizer.BeginId!.Value : ids[start + i]]);
                if (i >= context / 2)
                    perplexity.Add(logits, ids[start + i + 1]);
            }
        }

        return perplexity;
    }
}

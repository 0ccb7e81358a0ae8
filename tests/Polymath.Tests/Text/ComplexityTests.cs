using System.Diagnostics;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Text;

/// <summary>No text makes a tokenizer slow: eight times the text takes at most some ten times as long.</summary>
public sealed class ComplexityTests
{
    private const int Small = 256 << 10;
    private const int Factor = 8;

    public static TheoryData<string> Runs => ["a", " ", "_", "7", "漢", "😀", "\u0301", "'", "\n", "ab", "a ", "random"];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Time_grows_like_the_length_for_a_run_of(string part)
    {
        foreach (string name in (string[])["gpt-2", "llama-bpe", "deepseek-llm", "llama"])
        {
            Tokenizer tokenizer = Vocabularies.All[name];
            string small = Text(part, Small);
            string large = Text(part, Small * Factor);
            tokenizer.Encode(small);

            // A busy machine may disturb one measurement, hardly the best of several. What is quadratic gives 64.
            double best = double.MaxValue;
            for (int attempt = 0; attempt < 5 && best > 10; attempt++)
                best = Math.Min(best, Seconds(tokenizer, large) / Seconds(tokenizer, small));
            Assert.True(best <= 16, $"{name}: {Factor} times the text takes {best:F1} times as long");
        }
    }

    private static double Seconds(Tokenizer tokenizer, string text)
    {
        double best = double.MaxValue;
        for (int i = 0; i < 2; i++)
        {
            long start = Stopwatch.GetTimestamp();
            tokenizer.Encode(text);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    private static string Text(string part, int length)
    {
        if (part != "random")
            return string.Concat(Enumerable.Repeat(part, length / part.Length));
        var random = new Random(1);
        return string.Create(length, random, (chars, source) =>
        {
            for (int i = 0; i < chars.Length; i++)
                chars[i] = (char)source.Next(256);
        });
    }
}

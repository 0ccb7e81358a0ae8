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

            // The best of several on each side, for a busy machine. What is linear gives 8 and what is quadratic 64.
            double smallSeconds = double.MaxValue;
            double largeSeconds = double.MaxValue;
            for (int attempt = 0; attempt < 6 && !(largeSeconds <= 10 * smallSeconds); attempt++)
            {
                smallSeconds = Math.Min(smallSeconds, Seconds(tokenizer, small));
                largeSeconds = Math.Min(largeSeconds, Seconds(tokenizer, large));
            }

            double ratio = largeSeconds / smallSeconds;
            Assert.True(ratio <= 16, $"{name}: {Factor} times the text takes {ratio:F1} times as long");
        }
    }

    private static double Seconds(Tokenizer tokenizer, string text)
    {
        long start = Stopwatch.GetTimestamp();
        tokenizer.Encode(text);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
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

using System.Diagnostics;
using Polymath.Text;
using Polymath.Text.PreTokenizers;
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
            Check(name, () => tokenizer.Encode(small), () => tokenizer.Encode(large));
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    [InlineData("A\u0301")]
    [InlineData("aB")]
    [InlineData("<")]
    [InlineData("/\r\n")]
    [InlineData("1a")]
    [InlineData(" \u200d")]
    public void Every_splitter_is_linear_for_a_run_of(string part)
    {
        string small = Text(part, Small);
        string large = Text(part, Small * Factor);
        var ends = new IntList();
        void Split(PreTokenizer splitter, string text)
        {
            ends.Clear();
            splitter.Split(text, ends);
            Assert.Equal(text.Length, ends.Span[^1]);
        }

        // One of each kind: the other names are for the same.
        foreach (string name in (string[])["default", "smollm", "qwen35", "jais-2", "minicpm5", "laguna", "exaone-moe", "tekken",
            "granite-embed-multi-97m", "tiny_aya", "kimi-k2", "deepseek-llm", "deepseek-coder", "spark2_5", "youtu", "falcon", "viking",
            "superbpe", "afmoe", "chameleon"])
        {
            PreTokenizer splitter = PreTokenizerTable.Find(name)!.Value.Splitter;
            Check(name, () => Split(splitter, small), () => Split(splitter, large));
        }
    }

    /// <summary>The best of several on each side, for a busy machine. What is linear gives 8 and what is quadratic 64.</summary>
    private static void Check(string name, Action small, Action large)
    {
        small();
        double smallSeconds = double.MaxValue;
        double largeSeconds = double.MaxValue;
        for (int attempt = 0; attempt < 6 && !(largeSeconds <= 10 * smallSeconds); attempt++)
        {
            smallSeconds = Math.Min(smallSeconds, Seconds(small));
            largeSeconds = Math.Min(largeSeconds, Seconds(large));
        }

        double ratio = largeSeconds / smallSeconds;
        Assert.True(ratio <= 16, $"{name}: {Factor} times the text takes {ratio:F1} times as long");
    }

    private static double Seconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
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

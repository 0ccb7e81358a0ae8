using Polymath.Files;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Text;

public sealed class BpeTrainerTests
{
    private static readonly string[] Texts = ["low low low lower newest newest", "widest newest 한글 😀 low"];

    [Fact]
    public void Merges_come_in_the_order_of_frequency_then_of_ids()
    {
        // " n e w e s t" stands three times, "l o w" five times, four of them after a space.
        LearnedVocabulary learnt = BpeTrainer.Learn(Texts, 256 + 5 + 1, TestContext.Current.CancellationToken);
        Assert.Equal(["l o", "lo w", "Ġ low", "e s", "es t"], learnt.Merges);
        Assert.Equal(LearnedVocabulary.EndOfText, learnt.Tokens[learnt.EndOfTextId]);
        Assert.Equal(256 + 5 + 1, learnt.Tokens.Count);
        Assert.Equal("Ġlow", learnt.Tokens[258]);
    }

    [Fact]
    public void Ids_of_bytes_are_the_bytes()
    {
        Tokenizer tokenizer = BpeTrainer.Learn([], 257, TestContext.Current.CancellationToken).ToTokenizer();
        Assert.Equal([0xED, 0x95, 0x9C, 0x0A], tokenizer.Encode("한\n", addSpecial: false));
        Assert.Equal([256, 0x41], tokenizer.Encode("A"));
        Assert.Equal(256, tokenizer.BeginId);
        Assert.Equal(256, tokenizer.EndId);
        Assert.True(tokenizer.AddsBegin);
        Assert.False(tokenizer.AddsEnd);
        Assert.True(tokenizer.IsEndOfGeneration(256));
    }

    [Fact]
    public void The_order_of_the_texts_does_not_matter()
    {
        LearnedVocabulary one = BpeTrainer.Learn(Texts, 280, TestContext.Current.CancellationToken);
        LearnedVocabulary other = BpeTrainer.Learn(Texts.Reverse(), 280, TestContext.Current.CancellationToken);
        Assert.Equal(one.Tokens, other.Tokens);
        Assert.Equal(one.Merges, other.Merges);
    }

    [Fact]
    public void A_reader_gives_the_same_as_the_text()
    {
        string text = string.Concat(Enumerable.Repeat(string.Join('\n', Texts) + "\n", 50));
        LearnedVocabulary whole = BpeTrainer.Learn([text], 300, TestContext.Current.CancellationToken);
        using var reader = new StringReader(text);
        Assert.Equal(whole.Merges, BpeTrainer.Learn(reader, 300, TestContext.Current.CancellationToken).Merges);
    }

    [Fact]
    public void Learning_stops_when_no_pair_occurs_twice()
    {
        LearnedVocabulary learnt = BpeTrainer.Learn(["abab"], 1000, TestContext.Current.CancellationToken);
        Assert.Equal(["a b"], learnt.Merges);
        Assert.Equal(258, learnt.Tokens.Count);
    }

    [Fact]
    public void Counts_stay_right_in_runs_of_one_character()
    {
        Assert.Equal(Naive(["aaaaaaa aaaa aaa ab aab"], 12), BpeTrainer.Learn(
            ["aaaaaaa aaaa aaa ab aab"], 256 + 12 + 1, TestContext.Current.CancellationToken).Merges);
    }

    [Fact]
    public void Real_text_gives_the_merges_of_counting_anew_each_time()
    {
        string path = Shared.Require("data/SOURCES.md");
        string text = File.ReadAllText(path);
        Assert.Equal(Naive([text], 150), BpeTrainer.Learn(
            [text], 256 + 150 + 1, TestContext.Current.CancellationToken).Merges);
    }

    [Fact]
    public void What_is_learnt_survives_a_file()
    {
        LearnedVocabulary learnt = BpeTrainer.Learn(Texts, 280, TestContext.Current.CancellationToken);
        var metadata = new Metadata();
        learnt.WriteTo(metadata);
        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, "test");
        foreach (string text in Texts)
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Single(tokenizer.Encode(" low", addSpecial: false));
    }

    /// <summary>The definition: count all pairs, join the most frequent everywhere, repeat.</summary>
    private static List<string> Naive(string[] texts, int merges)
    {
        Tokenizer bytes = BpeTrainer.Learn([], 257).ToTokenizer();
        List<string> names = [.. Enumerable.Range(0, 256).Select(bytes.TokenText)];
        List<int[]> words = [];
        foreach (string text in texts)
        {
            var ends = new IntList();
            new Polymath.Text.PreTokenizers.Gpt2(digitsAlone: false).Split(text, ends);
            int start = 0;
            foreach (int end in ends.Span)
            {
                words.Add(bytes.Encode(text.AsSpan(start, end - start), addSpecial: false));
                start = end;
            }
        }

        List<string> learnt = [];
        while (learnt.Count < merges)
        {
            var counts = new Dictionary<(int, int), int>();
            foreach (int[] word in words)
            {
                for (int i = 0; i + 1 < word.Length; i++)
                    counts[(word[i], word[i + 1])] = counts.GetValueOrDefault((word[i], word[i + 1])) + 1;
            }

            var best = counts.Where(entry => entry.Value > 1).OrderBy(entry => -entry.Value).ThenBy(entry => entry.Key).ToList();
            if (best.Count == 0)
                break;
            (int left, int right) = best[0].Key;
            learnt.Add($"{names[left]} {names[right]}");
            if (!names.Contains(names[left] + names[right]))
                names.Add(names[left] + names[right]);
            int result = names.IndexOf(names[left] + names[right]);
            for (int i = 0; i < words.Count; i++)
                words[i] = Join(words[i], left, right, result);
        }

        return learnt;
    }

    private static int[] Join(int[] word, int left, int right, int result)
    {
        List<int> joined = [];
        for (int i = 0; i < word.Length; i++)
        {
            bool pair = i + 1 < word.Length && word[i] == left && word[i + 1] == right;
            joined.Add(pair ? result : word[i]);
            i += pair ? 1 : 0;
        }

        return [.. joined];
    }
}

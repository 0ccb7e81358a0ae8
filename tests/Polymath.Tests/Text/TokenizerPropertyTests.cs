using System.Text;
using CsCheck;
using Polymath.Files;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Text;

public sealed class TokenizerPropertyTests
{
    [Fact]
    public void Any_text_comes_back_from_its_ids()
    {
        foreach ((string name, Tokenizer tokenizer) in Vocabularies.All)
        {
            Vocabularies.AnyText.Sample(
                text =>
                {
                    string expected = Vocabularies.WellFormed(text);
                    if (name == "llama")
                        expected = expected.Replace('▁', ' ');
                    Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text)));
                },
                iter: 300);
        }
    }

    [Fact]
    public void A_surrogate_without_its_other_half_is_the_replacement_character()
    {
        foreach (Tokenizer tokenizer in Vocabularies.All.Values)
        {
            Assert.Equal(tokenizer.Encode("a\uFFFDb"), tokenizer.Encode("a\uD800b"));
            Assert.Equal(tokenizer.Encode("\uFFFD"), tokenizer.Encode("\uDC00"));
            Assert.Equal(tokenizer.Encode("x\uFFFD"), tokenizer.Encode("x\uD83D"));
        }
    }

    [Fact]
    public void Joining_follows_the_definition_on_short_and_long_pieces()
    {
        // Without a pre-tokenizer's cuts in the way: texts without spaces are one piece.
        Metadata metadata = Vocabularies.ByteLevel();
        string[] merges = metadata.GetArray<string>("tokenizer.ggml.merges")!;
        var ranks = merges.Select((merge, rank) => (merge, rank)).ToDictionary(entry => entry.merge, entry => entry.rank);
        Tokenizer tokenizer = Vocabularies.All["gpt-2"];
        Vocabularies.OneOf("a", "t", "h", "e", "er", "o", "the", "quick", "한", "글", "aaaa").Array[1, 120].Select(string.Concat).Sample(
            text => Assert.Equal(
                NaiveRanked(text, ranks), tokenizer.Encode(text, addSpecial: false).Select(tokenizer.TokenText)),
            iter: 300);
    }

    [Fact]
    public void The_highest_score_joins_first_and_the_leftmost_among_equals()
    {
        Metadata metadata = Vocabularies.SentencePiece();
        string[] tokens = metadata.GetArray<string>("tokenizer.ggml.tokens")!;
        float[] scores = metadata.GetArray<float>("tokenizer.ggml.scores")!;
        Dictionary<string, int> ids = Enumerable.Range(259, tokens.Length - 259).ToDictionary(id => tokens[id]);
        Tokenizer tokenizer = Vocabularies.All["llama"];
        Vocabularies.AnyText.Sample(
            text =>
            {
                string written = "▁" + Vocabularies.WellFormed(text).Replace(' ', '▁');
                int[] expected = text.Length == 0 ? [] : NaiveScored(written, ids, scores);
                Assert.Equal(expected, tokenizer.Encode(text, addSpecial: false));
            },
            iter: 500);
    }

    [Fact]
    public void Encoding_is_the_same_on_many_threads()
    {
        Tokenizer tokenizer = Tokenizer.FromMetadata(Vocabularies.ByteLevel(), "test");
        string[] texts = [.. Enumerable.Range(0, 200).Select(i => Vocabularies.Sample[(i % 100)..])];
        string[] expected = [.. texts.Select(text => string.Join(' ', Vocabularies.All["gpt-2"].Encode(text)))];
        Parallel.For(0, texts.Length, i => Assert.Equal(expected[i], string.Join(' ', tokenizer.Encode(texts[i]))));
    }

    private static List<string> NaiveRanked(string text, Dictionary<string, int> ranks)
    {
        List<string> symbols = [.. Encoding.UTF8.GetBytes(text).Select(value => ByteAlphabet.ToChar(value).ToString())];
        while (true)
        {
            int best = int.MaxValue;
            int at = -1;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                if (ranks.TryGetValue($"{symbols[i]} {symbols[i + 1]}", out int rank) && rank < best)
                    (best, at) = (rank, i);
            }

            if (at < 0)
                return symbols;
            symbols[at] += symbols[at + 1];
            symbols.RemoveAt(at + 1);
        }
    }

    private static int[] NaiveScored(string text, Dictionary<string, int> ids, float[] scores)
    {
        List<string> symbols = [.. text.EnumerateRunes().Select(rune => rune.ToString())];
        while (true)
        {
            float best = float.NegativeInfinity;
            int at = -1;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                if (ids.TryGetValue(symbols[i] + symbols[i + 1], out int id) && scores[id] > best)
                    (best, at) = (scores[id], i);
            }

            if (at < 0)
                break;
            symbols[at] += symbols[at + 1];
            symbols.RemoveAt(at + 1);
        }

        return [.. symbols.SelectMany(symbol => ids.TryGetValue(symbol, out int id)
            ? [id]
            : Encoding.UTF8.GetBytes(symbol).Select(value => value + 3))];
    }
}

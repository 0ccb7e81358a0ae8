using Polymath.Files;
using Polymath.Models;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Models;

public sealed class TextEncoderTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Vectors_have_length_one_unless_asked_otherwise_and_point_the_same_way()
    {
        using TextEncoder normal = Open("bert-mean");
        using TextEncoder raw = Open("bert-mean", new TextEncoderOptions { Normalize = false });
        float[] one = normal.Embed([3, 4, 5]), other = raw.Embed([3, 4, 5]);
        Assert.Equal(64, normal.Dimensions);
        Assert.Equal(64, one.Length);
        Assert.Equal(1, one.Sum(v => (double)v * v), 1e-6);
        double length = Math.Sqrt(other.Sum(v => (double)v * v));
        Assert.NotEqual(1, length, 1e-2);
        for (int i = 0; i < one.Length; i++)
            Assert.Equal(other[i] / length, one[i], 1e-6);
    }

    [Theory]
    [InlineData(Pooling.Cls, 0)]
    [InlineData(Pooling.Last, 4)]
    public void Pooling_takes_the_token_it_names(Pooling pooling, int token)
    {
        using TextEncoder encoder = Open("bert-mean", new TextEncoderOptions { Pooling = pooling });
        int[] ids = [9, 8, 7, 6, 5];
        Assert.Equal(encoder.EmbedTokens(ids)[token], encoder.Embed(ids));
    }

    [Fact]
    public void Texts_that_do_not_fit_are_refused_with_their_length()
    {
        using TextEncoder encoder = Open("bert-mean");
        Assert.Equal(256, encoder.MaxTokens);
        Assert.Equal(64, encoder.Embed(new int[256]).Length);
        Assert.Contains("257", Assert.Throws<ArgumentException>(() => encoder.Embed([[1], new int[257]])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => encoder.Embed([[1], []]));
        Assert.Throws<ArgumentException>(() => encoder.Embed([96]));
        Assert.Throws<ArgumentException>(() => encoder.Embed([-1]));
        Assert.Empty(encoder.Embed(new List<int[]>()));
    }

    [Fact]
    public void What_a_model_cannot_do_is_said()
    {
        using TextEncoder embeds = Open("bert-cls");
        Assert.False(embeds.CanRank);
        Assert.Throws<InvalidOperationException>(() => embeds.Rank([[1, 2]]));
        using TextEncoder ranks = Open("bert-labels");
        Assert.Equal(["no", "yes", "maybe"], ranks.Labels);
        Assert.Throws<InvalidOperationException>(() => ranks.Embed([1, 2]));
        Assert.Equal(ranks.Classify([[1, 2], [3]])[1][0], ranks.Rank([[1, 2], [3]])[1]);
        ModelFormatException e = Assert.Throws<ModelFormatException>(() => Model.Load(_path));
        Assert.Contains("encoder", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bert-mean")]
    [InlineData("qwen3-last")]
    public async Task Concurrent_callers_get_what_a_single_one_gets(string name)
    {
        using TextEncoder encoder = Open(name, new TextEncoderOptions { BatchTokens = 20 });
        int[][] texts = [.. Enumerable.Range(1, 24).Select(length => Enumerable.Range(length, length).Select(i => i % 96).ToArray())];
        float[][] expected = encoder.Embed(texts);
        float[][] actual = await Task.WhenAll(texts.Select(text => Task.Run(() => encoder.Embed(text))));
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData("bert-mean")]
    [InlineData("qwen3-last")]
    public void A_cancelled_call_leaves_the_encoder_as_it_was(string name)
    {
        using TextEncoder encoder = Open(name);
        float[] expected = encoder.Embed([1, 2, 3]);
        Assert.Throws<OperationCanceledException>(() => encoder.Embed([4, 5], new CancellationToken(canceled: true)));
        Assert.Equal(expected, encoder.Embed([1, 2, 3]));
    }

    [Fact]
    public void Weights_that_are_no_numbers_give_an_error_and_no_vector()
    {
        using TextEncoder encoder = Open("gemma-embedding", change: file => file
            .Set("dense_2_feat_out", 2u).Set("dense_3_feat_in", 2u).Add("dense_2.weight", [64, 2], float.NaN).Add("dense_3.weight", [2, 64]));
        Assert.Throws<ModelFormatException>(() => encoder.Embed([1, 2]));
    }

    [Fact]
    public void A_long_text_is_refused_or_cut_and_keeps_its_end_token()
    {
        using TextEncoder refusing = Open("bert-mean", new TextEncoderOptions { MaxTokens = 8 }, Characters);
        Assert.Equal([0, 2 + 'a' - 32, 2 + 'b' - 32, 1], refusing.Encode("ab").Ids);
        Assert.Equal(8, refusing.Encode("abcdef").Ids.Length);
        Assert.Contains("9 tokens", Assert.Throws<ArgumentException>(() => refusing.Encode("abcdefg")).Message, StringComparison.Ordinal);

        using TextEncoder cutting = Open("bert-mean", new TextEncoderOptions { MaxTokens = 8, LongText = LongText.Cut }, Characters);
        EncodedText cut = cutting.Encode("abcdefghi");
        Assert.Equal(3, cut.Dropped);
        Assert.Equal(refusing.Encode("abcdef").Ids, cut.Ids);
        Assert.Equal(0, cutting.Encode("abcdef").Dropped);
    }

    [Fact]
    public void A_pair_stands_between_the_tokens_of_its_family()
    {
        int a = 2 + 'a' - 32, b = 2 + 'b' - 32, c = 2 + 'c' - 32;
        using TextEncoder bert = Open("bert-rank", new TextEncoderOptions { MaxTokens = 7, LongText = LongText.Cut }, Characters);
        Assert.Equal([0, a, 1, b, c, 1], bert.EncodePair("a", "bc").Ids);
        EncodedText cut = bert.EncodePair("a", "bcabc");
        Assert.Equal(2, cut.Dropped);
        Assert.Equal([0, a, 1, b, c, a, 1], cut.Ids);
        Assert.Throws<ArgumentException>(() => bert.EncodePair("aaaaaaa", "b"));
        bert.Dispose();

        using TextEncoder roberta = Open("bert-rank", change: file => Characters(file, "<s>", "</s>"));
        Assert.Equal([0, a, 1, 1, b, 1], roberta.EncodePair("a", "b").Ids);
    }

    [Fact]
    public void A_template_in_the_file_makes_the_pair_and_texts_cannot_speak_its_tokens()
    {
        using TextEncoder encoder = Open(
            "qwen3-rank", change: file => Characters(file).SetGlobal("tokenizer.chat_template.rerank", "[CLS]q:{query}[SEP]{document}[SEP]"));
        int[] Chars(string text) => [.. text.Select(c => 2 + c - 32)];
        Assert.Equal([0, .. Chars("q:ab"), 1, .. Chars("cd"), 1], encoder.EncodePair("ab", "cd").Ids);
        Assert.Equal([0, .. Chars("q:a"), 1, .. Chars("x[SEP]y"), 1], encoder.EncodePair("a", "x[SEP]y").Ids);
        Assert.Equal([0, .. Chars("q:{document}"), 1, .. Chars("{query}"), 1], encoder.EncodePair("{document}", "{query}").Ids);
    }

    private static TinyFile Characters(TinyFile file) => Characters(file, "[CLS]", "[SEP]");

    /// <summary>A vocabulary of a begin token, an end token and the characters from space to }.</summary>
    private static TinyFile Characters(TinyFile file, string begin, string end) => file
        .SetGlobal("tokenizer.ggml.model", "gpt2").SetGlobal("tokenizer.ggml.pre", "gpt-2")
        .SetGlobal("tokenizer.ggml.tokens", Enumerable.Range(32, 94).Select(c => c == 32 ? "Ġ" : $"{(char)c}").Prepend(end).Prepend(begin).ToArray())
        .SetGlobal("tokenizer.ggml.token_type", Enumerable.Repeat(1, 94).Prepend(3).Prepend(3).ToArray())
        .SetGlobal("tokenizer.ggml.merges", Array.Empty<string>())
        .SetGlobal("tokenizer.ggml.unknown_token_id", 1u)
        .SetGlobal("tokenizer.ggml.bos_token_id", 0u).SetGlobal("tokenizer.ggml.eos_token_id", 1u)
        .SetGlobal("tokenizer.ggml.add_bos_token", true).SetGlobal("tokenizer.ggml.add_eos_token", true);

    private TextEncoder Open(string name, TextEncoderOptions? options = null, Func<TinyFile, TinyFile>? change = null)
    {
        TinyFile file = TinyArchitectures.Encoders[name]();
        (change?.Invoke(file) ?? file).Write(_path);
        return TextEncoder.Load(_path, (options ?? new TextEncoderOptions()) with { Threads = 2 });
    }
}

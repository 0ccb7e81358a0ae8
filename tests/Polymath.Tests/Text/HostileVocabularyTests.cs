using Polymath.Files;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Text;

/// <summary>Vocabularies that lie: a clear error that names the key, never another exception.</summary>
public sealed class HostileVocabularyTests
{
    public static TheoryData<string, string, Action<Metadata>> Damages => new()
    {
        { "no model", "tokenizer.ggml.model", m => m.Remove("tokenizer.ggml.model") },
        { "unknown model", "'rwkv'", m => m.Set("tokenizer.ggml.model", "rwkv") },
        { "none by its own word", "no vocabulary", m => m.Set("tokenizer.ggml.model", "no_vocab") },
        { "model of another type", "tokenizer.ggml.model", m => m.Set("tokenizer.ggml.model", 1) },
        { "no tokens", "tokenizer.ggml.tokens", m => m.Remove("tokenizer.ggml.tokens") },
        { "empty tokens", "0 tokens", m => { m.Set("tokenizer.ggml.tokens", Array.Empty<string>()); m.Remove("tokenizer.ggml.token_type"); } },
        { "tokens of another type", "tokenizer.ggml.tokens", m => m.Set("tokenizer.ggml.tokens", new int[300]) },
        { "types of another length", "token_type", m => m.Set("tokenizer.ggml.token_type", new int[7]) },
        { "types of another type", "token_type", m => m.Set("tokenizer.ggml.token_type", new float[600]) },
        { "begin out of range", "bos_token_id", m => m.Set("tokenizer.ggml.bos_token_id", 1_000_000u) },
        { "end out of range", "eos_token_id", m => m.Set("tokenizer.ggml.eos_token_id", 1_000_000u) },
        { "end negative", "eos_token_id", m => m.Set("tokenizer.ggml.eos_token_id", -5) },
        { "end of turn out of range", "eot_token_id", m => m.Set("tokenizer.ggml.eot_token_id", ulong.MaxValue - 1) },
        { "unknown out of range", "unknown_token_id", m => m.Set("tokenizer.ggml.unknown_token_id", int.MaxValue) },
        { "end of text as text", "eos_token_id", m => m.Set("tokenizer.ggml.eos_token_id", "2") },
        { "begin wanted but none", "add_bos_token", m => { m.Remove("tokenizer.ggml.bos_token_id"); m.Set("tokenizer.ggml.bos_token_id", uint.MaxValue); m.Set("tokenizer.ggml.add_bos_token", true); m.Set("tokenizer.ggml.model", "gpt2"); } },
        { "two tokens of one text", "same text", m => Change(m, "tokenizer.ggml.tokens", (string[] t) => t[400] = t[401]) },
        { "special token too long", "characters long", m => { Change(m, "tokenizer.ggml.tokens", (string[] t) => t[400] = new string('x', 5000)); Change(m, "tokenizer.ggml.token_type", (int[] t) => t[400] = 4); m.Set("tokenizer.ggml.merges", Array.Empty<string>()); } },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_vocabulary_is_refused(string what, string named, Action<Metadata> damage)
    {
        Assert.NotEmpty(what);
        foreach (Metadata metadata in (Metadata[])[Vocabularies.ByteLevel(), Vocabularies.SentencePiece()])
        {
            if (what.StartsWith("begin wanted", StringComparison.Ordinal) && metadata.GetString("tokenizer.ggml.model") == "llama")
                continue;
            damage(metadata);
            ModelFormatException error = Assert.Throws<ModelFormatException>(() => Tokenizer.FromMetadata(metadata, "file.gguf"));
            Assert.Contains(named, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Theory]
    [InlineData("zz yy")]
    [InlineData("a zz")]
    [InlineData("nospace")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a ")]
    [InlineData("a b c")]
    public void A_merge_of_absent_tokens_is_refused(string merge)
    {
        Metadata metadata = Vocabularies.ByteLevel();
        Change(metadata, "tokenizer.ggml.merges", (string[] merges) => merges[3] = merge);
        ModelFormatException error = Assert.Throws<ModelFormatException>(() => Tokenizer.FromMetadata(metadata, "file.gguf"));
        Assert.Contains("merge 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_pre_tokenizer_is_refused_by_name()
    {
        Metadata metadata = Vocabularies.ByteLevel("something-new");
        ModelFormatException error = Assert.Throws<ModelFormatException>(() => Tokenizer.FromMetadata(metadata, "file.gguf"));
        Assert.Contains("'something-new'", error.Message, StringComparison.Ordinal);
        Assert.Contains("supported are", error.Message, StringComparison.Ordinal);
        Assert.Contains("qwen2", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_missing_byte_is_refused_unless_there_is_an_unknown_token()
    {
        Metadata metadata = Vocabularies.ByteLevel();
        metadata.Set("tokenizer.ggml.merges", Array.Empty<string>());
        Change(metadata, "tokenizer.ggml.tokens", (string[] tokens) => tokens['a'] = "<nothing>");
        ModelFormatException error = Assert.Throws<ModelFormatException>(() => Tokenizer.FromMetadata(metadata, "file.gguf"));
        Assert.Contains("0x61", error.Message, StringComparison.Ordinal);
        metadata.Set("tokenizer.ggml.unknown_token_id", 'a' + 0);
        Assert.Equal(['b', 'a', 'b'], Tokenizer.FromMetadata(metadata, "file.gguf").Encode("bab", addSpecial: false));
    }

    [Fact]
    public void Scores_that_are_no_numbers_or_too_few_are_refused()
    {
        Metadata metadata = Vocabularies.SentencePiece();
        Change(metadata, "tokenizer.ggml.scores", (float[] scores) => scores[300] = float.NaN);
        Assert.Contains("token 300", Refusal(metadata), StringComparison.Ordinal);
        metadata.Set("tokenizer.ggml.scores", new float[5]);
        Assert.Contains("5 entries", Refusal(metadata), StringComparison.Ordinal);
        metadata.Set("tokenizer.ggml.scores", new string[5]);
        Assert.Contains("tokenizer.ggml.scores", Refusal(metadata), StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_token_that_spells_no_byte_is_refused()
    {
        Metadata metadata = Vocabularies.SentencePiece();
        Change(metadata, "tokenizer.ggml.tokens", (string[] tokens) => tokens[10] = "<0xZZ>");
        Assert.Contains("token 10", Refusal(metadata), StringComparison.Ordinal);
    }

    [Fact]
    public void Merges_cannot_spell_a_control_token()
    {
        Metadata metadata = Vocabularies.ByteLevel();
        int id = SpecialTokenTests.Add(metadata, ("th", 3));
        Change(metadata, "tokenizer.ggml.tokens", (string[] tokens) =>
        {
            for (int i = 0; i < id; i++)
                tokens[i] = tokens[i] == "th" ? "unused" : tokens[i];
        });
        metadata.Set("tokenizer.ggml.merges", new[] { "t h" });
        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, "test");
        Assert.Equal(['t', 'h'], tokenizer.Encode("th", addSpecial: false));
        Assert.Equal([id], tokenizer.Encode("th", addSpecial: false, parseSpecial: true));
    }

    [Fact]
    public void Very_many_long_special_tokens_are_refused()
    {
        Metadata metadata = Vocabularies.ByteLevel();
        SpecialTokenTests.Add(metadata, [.. Enumerable.Range(0, 1200).Select(i => ($"{i}" + new string('x', 1000), 4))]);
        Assert.Contains("characters together", Refusal(metadata), StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_beyond_the_vocabulary_are_refused_when_decoding()
    {
        foreach (Tokenizer tokenizer in Vocabularies.All.Values)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([tokenizer.VocabularySize]));
            Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([-1]));
            Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.TokenText(int.MaxValue));
        }
    }

    private static string Refusal(Metadata metadata) =>
        Assert.Throws<ModelFormatException>(() => Tokenizer.FromMetadata(metadata, "file.gguf")).Message;

    private static void Change<T>(Metadata metadata, string key, Action<T[]> change)
    {
        var copy = (T[])metadata.GetArray<T>(key)!.Clone();
        change(copy);
        metadata.Set(key, copy);
    }
}

using Polymath.Files;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Text;

public sealed class SentencePieceModelTests
{
    [Fact]
    public void The_model_of_Llama_2_is_its_GGUF_vocabulary()
    {
        Metadata metadata = SentencePieceModel.Load(Shared.Require("data/tokenizers/llama2.tokenizer.model"));
        using GgufFile file = GgufFile.Open(Shared.Require("data/tokenizers/ggml-vocab-llama-spm.gguf"));
        foreach (string key in (string[])["tokens", "scores", "token_type"])
        {
            Assert.True(metadata.TryGet("tokenizer.ggml." + key, out MetadataValue? found));
            Assert.True(file.Metadata.TryGet("tokenizer.ggml." + key, out MetadataValue? expected));
            Assert.Equal(expected!.Value, found!.Value);
        }

        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, "tokenizer.model");
        Assert.Equal(Tokenizer.Load(file).Encode(Vocabularies.Sample), tokenizer.Encode(Vocabularies.Sample));
        Assert.True(tokenizer.AddsBegin);
    }

    [Fact]
    public void A_unigram_model_is_read_with_its_settings()
    {
        Metadata metadata = SentencePieceModel.Parse(Small(), "tokenizer.model");
        Assert.Equal("t5", metadata.GetString("tokenizer.ggml.model"));
        Assert.False(metadata.GetBool("tokenizer.ggml.add_space_prefix", true));
        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, "tokenizer.model");
        Assert.Equal([3, 0, 2], tokenizer.Encode("abc"));
    }

    [Fact]
    public void Ten_thousand_small_changes_give_a_tokenizer_or_a_clear_error()
    {
        byte[] valid = Small();
        var random = new Random(1);
        int refused = 0;
        const int Rounds = 10_000;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] changed = (byte[])valid.Clone();
            for (int left = random.Next(1, 4); left > 0; left--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            if (round % 5 == 0)
                changed = changed[..random.Next(changed.Length)];
            try
            {
                Tokenizer tokenizer = Tokenizer.FromMetadata(SentencePieceModel.Parse(changed, "tokenizer.model"), "tokenizer.model");
                Assert.All(tokenizer.Encode("ab abc </s>", parseSpecial: true), id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
            }
            catch (ModelFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Rounds / 10, Rounds - 100); // both outcomes are really met
    }

    /// <summary>Four pieces and the two messages of settings.</summary>
    private static byte[] Small()
    {
        var bytes = new List<byte>();
        void Message(int field, byte[] content) => bytes.AddRange([(byte)((field << 3) | 2), (byte)content.Length, .. content]);
        void Piece(string text, float score, int kind) => Message(
            1, [10, (byte)text.Length, .. text.Select(c => (byte)c), 21, .. BitConverter.GetBytes(score), 24, (byte)kind]);
        Piece("<unk>", 0, 2);
        Piece("<s>", 0, 3);
        Piece("</s>", 0, 3);
        Piece("ab", -1, 1);
        Message(2, [24, 1]); // unigram
        Message(3, [24, 0, 32, 0]); // no space in front, none merged
        return [.. bytes];
    }
}

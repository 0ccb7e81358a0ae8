using System.Text.Json;
using Polymath.Files;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Text;

/// <summary>The reference engine's own vectors for real vocabularies.</summary>
public sealed class VectorTests
{
    [Theory]
    [InlineData("gpt-2")]
    [InlineData("mpt")]
    [InlineData("starcoder")]
    [InlineData("deepseek-llm")]
    [InlineData("llama-spm")]
    public void All_vectors_of_a_real_vocabulary_come_out(string name)
    {
        string path = Shared.Require($"data/tokenizers/ggml-vocab-{name}.gguf");
        Tokenizer tokenizer = Load(path);
        string[] texts = File.ReadAllText(path + ".inp").Split("\n__ggml_vocab_test__\n");
        string[] ids = File.ReadAllLines(path + ".out");
        Assert.Equal(46, ids.Length);
        for (int i = 0; i < ids.Length; i++)
        {
            int[] found = tokenizer.Encode(texts[i], addSpecial: false);
            Assert.Equal(ids[i].Trim(), string.Join(' ', found));
            Assert.Equal(texts[i], tokenizer.Decode(found));
        }
    }

    [Fact]
    public void All_vectors_of_the_words_of_BERT_come_out()
    {
        string path = Shared.Require("data/tokenizers/ggml-vocab-bert-bge.gguf");
        Tokenizer tokenizer = Load(path);
        string[] texts = File.ReadAllText(path + ".inp").Split("\n__ggml_vocab_test__\n");
        string[] ids = File.ReadAllLines(path + ".out");
        Assert.Equal(46, ids.Length);
        for (int i = 0; i < ids.Length; i++)
            Assert.Equal(ids[i].Trim(), string.Join(' ', tokenizer.Encode(texts[i], addSpecial: false)));
        Assert.Equal([101, .. tokenizer.Encode("a", addSpecial: false), 102], tokenizer.Encode("a"));
    }

    [Fact]
    public void A_source_file_gives_the_ids_of_another_engine()
    {
        Tokenizer tokenizer = Load(Shared.Require("data/tokenizers/ggml-vocab-gpt-2.gguf"));
        string text = File.ReadAllText(Shared.Require("data/tokenizers/ml-net/lib.rs.txt"));
        int[] expected = JsonSerializer.Deserialize<int[]>(
            File.ReadAllBytes(Shared.Require("data/tokenizers/ml-net/tokens_gpt2.json")))!;
        Assert.Equal(expected, tokenizer.Encode(text.ReplaceLineEndings("\n")));
    }

    [Fact]
    public void A_Hugging_Face_folder_brings_its_tokenizer()
    {
        using WeightSource folder = WeightSource.Open(Shared.Require("data/models/stories656k"));
        Tokenizer tokenizer = Tokenizer.Load(folder);
        Assert.Equal([1, 80, 147, 201, 282, 57], tokenizer.Encode("Once upon a time"));
        Assert.Equal("<|end_story|>", tokenizer.TokenText(tokenizer.EndId!.Value));
        Assert.True(tokenizer.IsEndOfGeneration(2));
    }

    private static Tokenizer Load(string path)
    {
        using GgufFile file = GgufFile.Open(path);
        return Tokenizer.Load(file);
    }
}

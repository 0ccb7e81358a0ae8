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

    internal static Tokenizer Load(string path)
    {
        using GgufFile file = GgufFile.Open(path);
        return Tokenizer.Load(file);
    }
}

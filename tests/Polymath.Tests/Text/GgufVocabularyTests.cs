using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polymath.Files;
using Polymath.Text;
using Polymath.Text.HuggingFace;
using Xunit;

namespace Polymath.Tests.Text;

/// <summary>A tokenizer.json carried into the keys of a GGUF file gives the same ids, or is refused.</summary>
public sealed class GgufVocabularyTests
{
    private const string WordPiece = """
        {"added_tokens": [{"id": 0, "content": "[UNK]", "special": true}, {"id": 1, "content": "[SEP]", "special": true}, {"id": 2, "content": "[CLS]", "special": true}],
         "normalizer": {"type": "BertNormalizer", "lowercase": true}, "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[CLS]", 2]},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "[SEP]": 1, "[CLS]": 2, "the": 3, "d": 4, "##og": 5, "##o": 6, ",": 7}}}
        """;

    private const string SentencePiece = """
        {"added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
         "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]},
         "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": false, "byte_fallback": false,
            "vocab": {"<unk>": 0, "<s>": 1, "▁": 2, "t": 3, "h": 4, "e": 5, "d": 6, "he": 7, "th": 8, "the": 9, "▁the": 10},
            "merges": ["t h", "th e", "h e", "▁ the"]}}
        """;

    [Theory]
    [InlineData(WordPiece, "bert", "the dog, THE doo x")]
    [InlineData(SentencePiece, "llama", "the he thd the")]
    public void The_ids_stay(string json, string model, string text)
    {
        Tokenizer tokenizer = TokenizerJson.Parse(Encoding.UTF8.GetBytes(json), null, "tokenizer.json");
        var metadata = new Metadata();
        GgufVocabulary.Write(Encoding.UTF8.GetBytes(json), null, "tokenizer.json", metadata, tokenizer.VocabularySize);
        Assert.Equal(model, metadata.GetString("tokenizer.ggml.model"));
        Assert.Equal(tokenizer.Encode(text), Tokenizer.FromMetadata(metadata, "file.gguf").Encode(text));
    }

    [Fact]
    public void Rows_of_the_embedding_without_a_token_get_one_that_is_not_used()
    {
        var metadata = new Metadata();
        GgufVocabulary.Write(Encoding.UTF8.GetBytes(WordPiece), null, "tokenizer.json", metadata, 10);
        Assert.Equal("[PAD9]", metadata.GetArray<string>("tokenizer.ggml.tokens")![9]);
        Assert.Equal(5, metadata.GetArray<int>("tokenizer.ggml.token_type")![9]);
        Assert.Equal(10, metadata.GetArray<int>("tokenizer.ggml.token_type")!.Length);
    }

    [Fact]
    public void Steps_without_a_name_in_GGUF_files_are_refused_and_nothing_is_set()
    {
        var root = (JsonObject)JsonNode.Parse(SentencePiece)!;
        root["normalizer"]!["normalizers"]!.AsArray().Add(new JsonObject { ["type"] = "NFKC" });
        var metadata = new Metadata();
        ModelFormatException error = Assert.Throws<ModelFormatException>(
            () => GgufVocabulary.Write(JsonSerializer.SerializeToUtf8Bytes(root), null, "tokenizer.json", metadata, 11));
        Assert.Contains("no name", error.Message, StringComparison.Ordinal);
        Assert.False(metadata.Contains("tokenizer.ggml.model"));
    }
}

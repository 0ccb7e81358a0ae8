using System.Text.Json;
using Polymath.Files;
using Polymath.Text;
using Polymath.Text.PreTokenizers;
using Xunit;

namespace Polymath.Golden.Text;

/// <summary>
/// Every name that tokenizer.ggml.pre may have against llama.cpp, over a vocabulary whose merges cross every border; made by
/// tools/reference/pre-tokenizers.mjs.
/// </summary>
public sealed class PreTokenizerGoldenTests
{
    private const int Count = 2000;

    private static readonly Lazy<string[]> Texts = new(() => HardTexts.Make(Count));
    private static readonly JsonElement Expected = Read("pre-tokenizers.json");
    private static readonly JsonElement Crossing = Read("crossing-bpe.json");

    public static TheoryData<string> Names => [.. PreTokenizerTable.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Two_thousand_texts_are_cut_as_by_llama_cpp(string pre)
    {
        string[] tokens = [.. Crossing.GetProperty("tokens").Deserialize<string[]>()!, "<|the end|>"];
        var metadata = new Metadata();
        metadata.Set("tokenizer.ggml.model", "gpt2");
        metadata.Set("tokenizer.ggml.pre", pre);
        metadata.Set("tokenizer.ggml.tokens", tokens);
        metadata.Set("tokenizer.ggml.merges", Crossing.GetProperty("merges").Deserialize<string[]>()!);
        metadata.Set("tokenizer.ggml.bos_token_id", (uint)tokens.Length - 1);
        Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, pre);
        string[] found = HardTexts.Hashes([.. Texts.Value.Select(text => tokenizer.Encode(text, addSpecial: false))]);
        string[] expected = Expected.GetProperty(pre).Deserialize<string[]>()!;
        Assert.Equal(Count / 100, expected.Length);
        Assert.Equal(expected, found);
    }

    private static JsonElement Read(string name)
    {
        using JsonDocument document = JsonDocument.Parse(
            File.ReadAllBytes(Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", name)));
        return document.RootElement.Clone();
    }
}

using Polymath.Hub;
using Xunit;

namespace Polymath.Tests.Hub;

public sealed class ModelVariantTests
{
    [Theory]
    [InlineData("SmolLM2-360M-Instruct-Q4_K_M.gguf", "Q4_K_M")]
    [InlineData("llama-2-7b.Q5_K_S.gguf", "Q5_K_S")]
    [InlineData("gemma-3-1b-it-q4_0.gguf", "Q4_0")]
    [InlineData("Qwen3-0.6B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL")]
    [InlineData("gpt-oss-20b-mxfp4.gguf", "MXFP4")]
    [InlineData("model-IQ4_XS.gguf", "IQ4_XS")]
    [InlineData("ggml-model-f16.gguf", "F16")]
    [InlineData("phi-fp16.gguf", "F16")]
    [InlineData("BF16/x-00001-of-00001.gguf", "BF16")]
    [InlineData("stories15M.gguf", "stories15M")]
    [InlineData("Q8-is-not-a-quant.gguf", "Q8-is-not-a-quant")]
    [InlineData("a b+c.gguf", "a_b_c")]
    public void The_quant_is_read_from_the_name(string path, string quant) => Assert.Equal(quant, Assert.Single(All(path)).Quant);

    [Theory]
    [InlineData("mmproj-model-f16.gguf")]
    [InlineData("x-mmproj-Q8_0.gguf")]
    [InlineData("imatrix.gguf")]
    [InlineData("x-Q4_0-00001-of-00002.gguf")]
    [InlineData("model.safetensors")]
    [InlineData("notes.txt")]
    public void What_is_no_model_by_itself_is_none(string path) => Assert.Empty(All(path));

    [Fact]
    public void Two_files_of_the_same_quant_are_told_apart_by_their_names() =>
        Assert.Equal(["Q8_0", "a-Q4_0", "b-Q4_0"], All("b-Q4_0.gguf", "a-Q4_0.gguf", "a-Q8_0.gguf").Select(v => v.Quant));

    [Theory]
    [InlineData("user/repo", "user/repo", null)]
    [InlineData("user/repo-1.0_GGUF:Q4_K_M", "user/repo-1.0_GGUF", "Q4_K_M")]
    public void A_name_is_read(string text, string repository, string? quant)
    {
        Assert.True(ModelName.TryParse(text, out ModelName? name));
        Assert.Equal((repository, quant), (name.Repository, name.Quant));
        Assert.Equal(text, name.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("repo")]
    [InlineData("a/b/c")]
    [InlineData("/a")]
    [InlineData("./b")]
    [InlineData("../b")]
    [InlineData("a/..")]
    [InlineData("a/b:")]
    [InlineData("a/b:..")]
    [InlineData("a/b:c:d")]
    [InlineData("C:/x")]
    [InlineData("a\\b/c")]
    [InlineData("a/b?x")]
    [InlineData("a/b#x")]
    [InlineData("a/b%2f")]
    [InlineData("a/b c")]
    [InlineData("a/nul")]
    [InlineData("-a/b")]
    public void What_is_no_name_is_none(string text) => Assert.False(ModelName.TryParse(text, out _));

    [Theory]
    [InlineData(0, "Q4_0")]
    [InlineData(10_000, "Q4_0")]
    [InlineData(2_000, "Q2_K")]    // 1,750 may be used
    [InlineData(100, "Q2_K")]      // none fits: the smallest
    public void The_choice_is_the_preferred_one_that_fits_the_memory(long memory, string quant)
    {
        using var hub = new FakeHub();
        hub.Files["x-Q2_K.gguf"] = FakeHub.Bytes(1500);
        hub.Files["x-Q4_0.gguf"] = FakeHub.Bytes(4000);
        hub.Files["x-Q8_0.gguf"] = FakeHub.Bytes(8000);
        Assert.Equal(quant, hub.Pull(options: hub.Options with { Memory = memory }).Quant);
        Assert.Contains(hub.Said, line => line.Contains("there are also", StringComparison.Ordinal) && line.Contains("Q8_0", StringComparison.Ordinal));
    }

    private static IReadOnlyList<ModelVariant> All(params string[] paths) =>
        ModelVariant.All([.. paths.Select((path, i) => new HubFile(path, 1 + i, new string('0', 64), null))]);
}

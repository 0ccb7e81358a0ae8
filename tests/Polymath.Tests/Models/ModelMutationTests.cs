using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Tests.Files;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Models;

/// <summary>Whole models out of mutated files: loaded, a text encoded, tokens computed. Only clear errors or valid loads.</summary>
public sealed class ModelMutationTests
{
    private const int Seed = 7;

    [Theory]
    [InlineData(TensorFormat.F32, 4_000)]
    [InlineData(TensorFormat.F16, 2_000)]
    [InlineData(TensorFormat.Q8_0, 2_000)]
    [InlineData(TensorFormat.Q4_0, 2_000)]
    public void Ten_thousand_mutated_models_are_refused_clearly_or_run(TensorFormat format, int rounds)
    {
        Specimen specimen = Tiny(format);
        new HostileRun($"model {format}", Seed, [specimen], Use).Check(rounds);
    }

    [Theory]
    [InlineData("bert-rank", 2_500)]
    [InlineData("nomic-bert-moe", 2_500)]
    [InlineData("modern-bert-rank", 2_500)]
    [InlineData("gemma-embedding-dense", 2_500)]
    public void Ten_thousand_mutated_encoders_are_refused_clearly_or_run(string name, int rounds)
    {
        new HostileRun(name, Seed, [Tiny(name, TinyArchitectures.Encoders[name]())], Encode).Check(rounds);
    }

    [Theory]
    [InlineData("qwen3next")]
    [InlineData("qwen3next-joined")]
    [InlineData("qwen35-odd")]
    [InlineData("qwen35moe")]
    public void Mutated_hybrids_are_refused_clearly_or_run(string name)
    {
        Specimen specimen = Tiny(name, TinyArchitectures.Decoders[name]());
        new HostileRun(name, Seed, [specimen], bytes => Use(bytes, _ => [3, 14, 15])).Check(700);
    }

    [Fact]
    public void A_loader_that_crashes_on_a_wrong_shape_is_found_out()
    {
        var run = new HostileRun("model", Seed, [Tiny(TensorFormat.F32)], file =>
        {
            try
            {
                Use(file);
            }
            catch (ModelFormatException e) when (e.Message.Contains("attn_q", StringComparison.Ordinal))
            {
                throw new InvalidOperationException("planted");
            }
        });
        Assert.Contains("planted", run.FirstBad(10_000) ?? "nothing found", StringComparison.Ordinal);
    }

    private static void Use(byte[] bytes) => Use(bytes, model => model.Tokenizer.Encode("Hi é"));

    private static void Use(byte[] bytes, Func<Model, int[]> encode)
    {
        using Model model = Model.Load(GgufFile.Open(FileImage.FromBytes("test.gguf", bytes)), new ModelOptions { Threads = 1 });
        int[] ids = encode(model);
        using Session session = model.NewSession(16);
        session.Forward(ids.AsSpan(0, Math.Min(ids.Length, 8)));
        session.Forward([0]);
    }

    private static void Encode(byte[] bytes)
    {
        using TextEncoder encoder = TextEncoder.Load(
            GgufFile.Open(FileImage.FromBytes("test.gguf", bytes)), new TextEncoderOptions { Threads = 1 });
        int[] ids = [.. Enumerable.Range(0, Math.Min(12, encoder.MaxTokens)).Select(i => i * 7 % encoder.Settings.Vocabulary)];
        if (encoder.CanRank)
            encoder.Classify([ids]);
        if (encoder.Pooling is not (Pooling.None or Pooling.Rank))
            encoder.Embed([ids, ids[..1]]);
        else
            encoder.EmbedTokens(ids);
    }

    private static Specimen Tiny(TensorFormat format)
    {
        using var folder = new TemporaryFolder();
        string path = folder["tiny.gguf"];
        TinyModel.Write(path, format);
        using GgufFile file = GgufFile.Open(path);
        return new Specimen($"tiny {format}", File.ReadAllBytes(path), [], (int)file.DataOffset);
    }

    private static Specimen Tiny(string name, TinyFile tiny)
    {
        using var folder = new TemporaryFolder();
        string path = folder["tiny.gguf"];
        tiny.Write(path);
        using GgufFile file = GgufFile.Open(path);
        return new Specimen(name, File.ReadAllBytes(path), [], (int)file.DataOffset);
    }
}

using Microsoft.Extensions.AI;
using Polymath.Extensions.AI;
using Polymath.Models;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.ExtensionsAI;

/// <summary>The contract of an embedding generator, seen from a caller.</summary>
public sealed class EmbeddingGeneratorTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");
    private readonly PolymathEmbeddingGenerator _generator;

    public EmbeddingGeneratorTests()
    {
        TinyArchitectures.Encoders["llama-mean"]().WithVocabulary(addsBegin: true).Write(_path);
        _generator = PolymathEmbeddingGenerator.Load(_path, new TextEncoderOptions { Threads = 2 }, "tiny");
    }

    private TextEncoder Encoder => _generator.GetService<TextEncoder>()!;

    public static TheoryData<string> Options => [.. typeof(EmbeddingGenerationOptions).GetProperties().Select(property => property.Name)];

    public void Dispose()
    {
        _generator.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public async Task Vectors_come_in_the_order_of_the_texts_and_are_those_of_the_encoder()
    {
        string[] texts = ["one", "two", "something longer"];
        GeneratedEmbeddings<Embedding<float>> vectors = await _generator.GenerateAsync(texts, new() { ModelId = "tiny", Dimensions = Encoder.Dimensions });
        int[][] ids = [.. texts.Select(text => Encoder.Encode(text).Ids)];
        Assert.Equal(ids.Select(text => Encoder.Embed(text)), vectors.Select(vector => vector.Vector.ToArray()));
        Assert.Equal(ids.Sum(text => text.Length), vectors.Usage!.InputTokenCount);
        Assert.All(vectors, vector => Assert.Equal("tiny", vector.ModelId));
        Assert.Empty(await _generator.GenerateAsync([]));
    }

    [Fact]
    public async Task Callers_at_once_get_what_each_gets_alone()
    {
        string[][] asked = [.. Enumerable.Range(1, 32).Select(i => Enumerable.Range(0, i % 4).Select(n => new string((char)('a' + n), i)).ToArray())];
        GeneratedEmbeddings<Embedding<float>>[] together = await Task.WhenAll(asked.Select(texts => _generator.GenerateAsync(texts)));
        for (int i = 0; i < asked.Length; i++)
            Assert.Equal(asked[i].Select(text => Encoder.Embed(Encoder.Encode(text).Ids)), together[i].Select(vector => vector.Vector.ToArray()));
    }

    [Fact]
    public async Task Who_is_cancelled_or_wrong_does_not_disturb_others()
    {
        using var cancelled = new CancellationTokenSource();
        string[] many = [.. Enumerable.Repeat(new string('a', 200), 300)];
        Task<GeneratedEmbeddings<Embedding<float>>> ended = _generator.GenerateAsync(many, cancellationToken: cancelled.Token);
        Task<GeneratedEmbeddings<Embedding<float>>> wrong = _generator.GenerateAsync(["b", new string('a', 5000)]);
        Task<GeneratedEmbeddings<Embedding<float>>> right = _generator.GenerateAsync(["b"]);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ended);
        await Assert.ThrowsAnyAsync<ArgumentException>(() => wrong);
        Assert.Equal(Encoder.Embed(Encoder.Encode("b").Ids), (await right)[0].Vector.ToArray());
    }

    [Fact]
    public async Task A_model_that_is_told_what_a_text_is_gets_told()
    {
        string path = _path.Replace(".gguf", "-told.gguf", StringComparison.Ordinal);
        TinyArchitectures.Encoders["llama-mean"]().WithVocabulary(addsBegin: true)
            .Set("prompt.names", new[] { "query", "title" }).Set("prompt.texts", new[] { "q:", "t:" }).Set("prompt.default", "title").Write(path);
        try
        {
            using var generator = PolymathEmbeddingGenerator.Load(path, new TextEncoderOptions { Threads = 2, Dimensions = 8 });
            foreach ((string? name, string prompt) in new[] { ("query", "q:"), ("title", "t:"), ("document", "t:"), (null, "t:") })
            {
                ReadOnlyMemory<float> vector = await generator.GenerateVectorAsync("a", name is null ? null : Told(name));
                TextEncoder encoder = generator.GetService<TextEncoder>()!;
                Assert.Equal(encoder.Embed(encoder.Encode(prompt + "a").Ids), vector.ToArray());
                Assert.Equal(8, vector.Length);
            }

            await Assert.ThrowsAsync<NotSupportedException>(() => generator.GenerateAsync(["a"], Told("other")));
            await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(["a"], Told(1)));
        }
        finally
        {
            File.Delete(path);
        }

        static EmbeddingGenerationOptions Told(object prompt) => new() { AdditionalProperties = new() { ["prompt"] = prompt } };
    }

    [Theory]
    [MemberData(nameof(Options))]
    public async Task Every_option_is_honoured_or_refused_by_name(string option)
    {
        EmbeddingGenerationOptions options = option switch
        {
            nameof(EmbeddingGenerationOptions.Dimensions) => new() { Dimensions = 5 },
            nameof(EmbeddingGenerationOptions.ModelId) => new() { ModelId = "another" },
            nameof(EmbeddingGenerationOptions.AdditionalProperties) => new() { AdditionalProperties = new() { ["task"] = "query" } },
            nameof(EmbeddingGenerationOptions.RawRepresentationFactory) => new() { RawRepresentationFactory = _ => new() },
            _ => throw new InvalidOperationException($"{option} is new: honour or refuse it"),
        };
        NotSupportedException refused = await Assert.ThrowsAsync<NotSupportedException>(() => _generator.GenerateAsync(["a"], options));
        Assert.Contains(option, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_it_stands_on_can_be_asked_for_until_it_is_disposed()
    {
        var metadata = _generator.GetService<EmbeddingGeneratorMetadata>()!;
        Assert.Equal(("polymath", "tiny", Encoder.Dimensions), (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions));
        Assert.Same(_generator, _generator.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Null(_generator.GetService<string>());
        using (var other = new PolymathEmbeddingGenerator(Encoder))
            Assert.Single(await other.GenerateAsync(["a"]));
        Assert.Single(await _generator.GenerateAsync(["a"]));
        _generator.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _generator.GenerateAsync(["a"]));
    }
}

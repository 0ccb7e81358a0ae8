using Microsoft.Extensions.AI;
using Polymath.Models;

namespace Polymath.Extensions.AI;

/// <summary>
/// A text encoder as an <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/>. Safe for concurrent callers: texts that
/// come while others are being computed go through the layers together, and the vector of each is the one it gets alone.
/// The property <c>prompt</c> of a request's options says what its texts are, for models that are told: query, document
/// or a name of <see cref="EmbeddingPrompts"/>; the model's default where it is not there.
/// </summary>
public sealed class PolymathEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private const string PromptKey = "prompt";

    private readonly TextEncoder _encoder;
    private readonly EmbeddingQueue _queue;
    private readonly EmbeddingGeneratorMetadata _metadata;
    private readonly bool _ownsEncoder;
    private bool _disposed;

    /// <summary>A generator over <paramref name="encoder"/>, which must outlive it.</summary>
    /// <param name="encoder">The encoder; others may use it too.</param>
    /// <param name="modelId">Its name for the callers; null for the name of its file.</param>
    public PolymathEmbeddingGenerator(TextEncoder encoder, string? modelId = null)
        : this(encoder, modelId, ownsEncoder: false)
    {
    }

    private PolymathEmbeddingGenerator(TextEncoder encoder, string? modelId, bool ownsEncoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        _encoder = encoder;
        _ownsEncoder = ownsEncoder;
        _queue = new EmbeddingQueue(encoder);
        string id = modelId ?? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(encoder.Source.Path));
        _metadata = new EmbeddingGeneratorMetadata("polymath", null, id, encoder.Dimensions);
    }

    /// <summary>Loads an encoder, which the generator then owns.</summary>
    /// <exception cref="Files.ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    /// <exception cref="FileNotFoundException">Nothing at <paramref name="path"/>.</exception>
    public static PolymathEmbeddingGenerator Load(string path, TextEncoderOptions? options = null, string? modelId = null) =>
        new(TextEncoder.Load(path, options), modelId, ownsEncoder: true);

    /// <summary>The vector of each text, in their order, and the tokens of all of them as usage.</summary>
    /// <param name="values">The texts.</param>
    /// <param name="options">What is asked for.</param>
    /// <param name="cancellationToken">Ends the waiting at once, and the work between layers where nobody else waits for it.</param>
    /// <exception cref="NotSupportedException">An option that cannot be honoured; the message names it.</exception>
    /// <exception cref="ArgumentException">A text without tokens, or longer than the model takes where long ones are not cut.</exception>
    /// <exception cref="InvalidOperationException">The model names no pooling that makes one vector.</exception>
    /// <exception cref="Files.ModelFormatException">The weights are damaged.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        ObjectDisposedException.ThrowIf(_disposed, this);
        string prompt = Prompt(options);
        cancellationToken.ThrowIfCancellationRequested();
        int[][] ids = await Task.Run(() => Encode(prompt, values), cancellationToken).ConfigureAwait(false);
        var embeddings = new GeneratedEmbeddings<Embedding<float>>(ids.Length);
        if (ids.Length > 0)
        {
            float[][] vectors = await _queue.EmbedAsync(ids, cancellationToken).ConfigureAwait(false);
            DateTimeOffset created = DateTimeOffset.UtcNow;
            embeddings.AddRange(vectors.Select(
                vector => new Embedding<float>(vector) { CreatedAt = created, ModelId = _metadata.DefaultModelId }));
        }

        long tokens = ids.Sum(text => (long)text.Length);
        embeddings.Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        return embeddings;
    }

    /// <summary>This generator, its <see cref="EmbeddingGeneratorMetadata"/>, or the <see cref="TextEncoder"/>.</summary>
    /// <param name="serviceType">Which of them.</param>
    /// <param name="serviceKey">Null; there are none under keys.</param>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType == typeof(TextEncoder) ? _encoder
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Waits for the batch that runs, and closes the encoder where <see cref="Load"/> opened it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        _queue.Dispose();
        if (_ownsEncoder)
            _encoder.Dispose();
    }

    /// <summary>What stands before the texts of a request.</summary>
    private string Prompt(EmbeddingGenerationOptions? options)
    {
        string prompt = _encoder.Prompts.Default;
        if (options is null)
            return prompt;
        string? id = _metadata.DefaultModelId;
        if (options.ModelId is { } asked && asked != id)
            throw new NotSupportedException($"ModelId {asked}: this generator has the model {id}");
        if (options.Dimensions is { } dimensions && dimensions != _encoder.Dimensions)
            throw new NotSupportedException($"Dimensions {dimensions}: vectors of {id} have {_encoder.Dimensions}, which is chosen when it is loaded");
        if (options.RawRepresentationFactory is not null)
            throw new NotSupportedException("RawRepresentationFactory: there are no other options than these");
        foreach ((string key, object? value) in options.AdditionalProperties ?? new AdditionalPropertiesDictionary())
        {
            if (key != PromptKey)
                throw new NotSupportedException($"AdditionalProperties: {key} is not known; {PromptKey} is");
            prompt = value switch
            {
                "query" => _encoder.Prompts.Query,
                "document" => _encoder.Prompts.Document,
                string name => _encoder.Prompts.Find(name) ?? throw new NotSupportedException($"AdditionalProperties: {id} has no {PromptKey} {name}"),
                _ => throw new ArgumentException($"AdditionalProperties: {PromptKey} is no text", nameof(options)),
            };
        }

        return prompt;
    }

    private int[][] Encode(string prompt, IEnumerable<string> values)
    {
        var ids = new List<int[]>();
        foreach (string text in values)
        {
            ArgumentNullException.ThrowIfNull(text, nameof(values));
            ids.Add(_encoder.Encode(prompt + text).Ids);
            if (ids[^1].Length == 0)
                throw new ArgumentException($"text {ids.Count} has no tokens", nameof(values));
        }

        return [.. ids];
    }
}

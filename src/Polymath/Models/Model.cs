using Polymath.Files;
using Polymath.Tensors;
using Polymath.Text;

namespace Polymath.Models;

/// <summary>How a model is loaded.</summary>
public sealed record ModelOptions
{
    /// <summary>Threads to compute with; 0 for one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>Prompt tokens that go through the layers together.</summary>
    public int BatchSize { get; init; } = 512;
}

/// <summary>
/// A loaded model: weights, vocabulary and the threads that compute with them. Sessions hold the state of a text;
/// dispose them before the model. Sessions of one model may be used from different threads at once.
/// </summary>
public sealed class Model : IDisposable
{
    /// <summary>Context of a session when none is asked for and the model was trained for more.</summary>
    public const int DefaultContext = 4096;

    private readonly Lazy<Tokenizer> _tokenizer;
    private readonly Lock _ropeLock = new();
    private readonly Dictionary<bool, RopeTable[]> _ropes = [];   // those of long contexts may have other frequencies

    private Model(WeightSource source, ModelOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchSize);
        Source = source;
        BatchSize = options.BatchSize;
        Team = new ThreadTeam(options.Threads == 0 ? Environment.ProcessorCount : options.Threads);
        try
        {
            Decoder = Decoder.Load(source, Team);
        }
        catch
        {
            Team.Dispose();
            throw;
        }

        _tokenizer = new Lazy<Tokenizer>(() => LoadTokenizer(source, Settings));
    }

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings => Decoder.Settings;

    /// <summary>The vocabulary, loaded at first use.</summary>
    /// <exception cref="ModelFormatException">None in the file, a damaged one, or one larger than the embedding.</exception>
    public Tokenizer Tokenizer => _tokenizer.Value;

    /// <summary>The file behind the weights.</summary>
    public WeightSource Source { get; }

    /// <summary>The threads.</summary>
    public ThreadTeam Team { get; }

    /// <summary>Prompt tokens that go through the layers together.</summary>
    public int BatchSize { get; }

    internal Decoder Decoder { get; }

    /// <summary>Opens a GGUF file or a Hugging Face folder.</summary>
    /// <exception cref="ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    /// <exception cref="FileNotFoundException">Nothing at <paramref name="path"/>.</exception>
    public static Model Load(string path, ModelOptions? options = null) => Load(WeightSource.Open(path), options);

    /// <summary>Loads from an open source, which the model then owns; it is closed if loading fails.</summary>
    /// <exception cref="ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    public static Model Load(WeightSource source, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            return new Model(source, options ?? new ModelOptions());
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A new, empty text of at most <paramref name="contextLength"/> tokens; 0 for the length the model was trained
    /// for, but no more than <see cref="DefaultContext"/>.
    /// </summary>
    public Session NewSession(int contextLength = 0) => NewSession(new SessionOptions { ContextLength = contextLength });

    /// <summary>A new, empty text.</summary>
    /// <exception cref="ArgumentException">The model's heads do not fill whole blocks of a cache format.</exception>
    public Session NewSession(SessionOptions options)
    {
        int context = Decoder.ContextOf(options);
        return new Session(this, context, options);
    }

    /// <summary>A batch for at most <paramref name="texts"/> texts and <paramref name="tokens"/> tokens in a pass.</summary>
    public Batch NewBatch(int tokens, int texts)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(texts);
        return new Batch(this, tokens, texts);
    }

    /// <summary>Bytes of keys, values and states that a session of that kind reserves; memory is taken as tokens come.</summary>
    /// <exception cref="ArgumentException">The model's heads do not fill whole blocks of a cache format, or it has no such positions.</exception>
    public long CacheBytes(SessionOptions options) => NeedOf(options).Cache;

    /// <summary>What a session of that kind takes besides the weights.</summary>
    /// <exception cref="ArgumentException">The model's heads do not fill whole blocks of a cache format, or it has no such positions.</exception>
    public MemoryNeed NeedOf(SessionOptions options) => MemoryNeed.OfSession(Decoder, BatchSize, options);

    /// <inheritdoc/>
    public void Dispose()
    {
        Team.Dispose();
        foreach (RopeTable table in _ropes.Values.SelectMany(tables => tables))
            table.Dispose();
        foreach (InterleavedMatrix weights in Decoder.Interleaved)
            weights.Free();
        Source.Dispose();
    }

    /// <summary>Rotations for at least <paramref name="positions"/> positions, shared by the sessions.</summary>
    internal RopeTable[] RopesFor(int positions)
    {
        lock (_ropeLock)
        {
            bool isLong = Decoder.IsLong(positions);
            if (!_ropes.TryGetValue(isLong, out RopeTable[]? tables) || tables[0].Positions < positions)
                _ropes[isLong] = tables = Decoder.BuildRopes(positions);
            return tables;
        }
    }

    /// <summary>The vocabulary of <paramref name="source"/>.</summary>
    /// <exception cref="ModelFormatException">None in the file, a damaged one, or one larger than the embedding.</exception>
    internal static Tokenizer LoadTokenizer(WeightSource source, ModelSettings settings)
    {
        Tokenizer tokenizer = Tokenizer.Load(source);
        return tokenizer.VocabularySize <= settings.Vocabulary
            ? tokenizer
            : throw new ModelFormatException(
                $"{source.Path}: {tokenizer.VocabularySize} tokens for an embedding of {settings.Vocabulary} rows");
    }
}

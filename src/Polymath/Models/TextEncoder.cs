using Polymath.Files;
using Polymath.Models.Layers;
using Polymath.Tensors;
using Polymath.Text;

namespace Polymath.Models;

/// <summary>
/// A model that turns texts into vectors or ranks documents for a query: an encoder such as BERT, or a decoder such as
/// Qwen 3 Embedding. The bits of a text's vector depend neither on the texts beside it nor on the threads. Safe for
/// concurrent callers; they take turns.
/// </summary>
public sealed class TextEncoder : IDisposable
{
    private readonly HiddenStates _states;
    private readonly TextEncoderOptions _options;
    private readonly WeightReader _weights;    // of what comes behind the pooling
    private readonly RankHead? _rankHead;
    private readonly Linear[] _projections;   // behind the pooled vector (EmbeddingGemma)
    private readonly Arena _arena = new(1 << 16);
    private readonly Pass _pass;              // of what comes behind the pooling
    private readonly Lock _oneAtATime = new();
    private readonly Lazy<TextPreparation> _preparation;

    private TextEncoder(HiddenStates states, TextEncoderOptions options)
    {
        _states = states;
        _options = options;
        _weights = new WeightReader(states.Source, states.Team);
        int stored = _weights.Int32("pooling_type", (int)(states.IsCausal ? Pooling.Last : Pooling.Mean));
        Pooling = options.Pooling ?? (Pooling)stored;
        if (!Enum.IsDefined(Pooling))
            throw _weights.Bad("pooling_type", stored);
        _rankHead = RankHead.TryRead(_weights);
        _projections = ReadProjections(_weights);
        int width = _projections.Length > 0 ? _projections[^1].Outputs : Settings.Width;
        if (options.Dimensions > width)
            throw new ArgumentException($"vectors of {options.Dimensions} numbers; the model's have {width}", nameof(options));
        Dimensions = options.Dimensions > 0 ? options.Dimensions : width;
        Prompts = EmbeddingPrompts.Read(states.Source);
        _pass = new Pass(states.Team, _arena, states.Settings);
        MaxTokens = options.MaxTokens == 0 ? states.MaxTokens : Math.Min(options.MaxTokens, states.MaxTokens);
        _preparation = new Lazy<TextPreparation>(() => new TextPreparation(states, MaxTokens, options.LongText == LongText.Cut));
    }

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings => _states.Settings;

    /// <summary>The file behind the weights.</summary>
    public WeightSource Source => _states.Source;

    /// <summary>The vocabulary, loaded at first use.</summary>
    /// <exception cref="ModelFormatException">None in the file, a damaged one, or one larger than the embedding.</exception>
    public Tokenizer Tokenizer => _states.Tokenizer;

    /// <summary>How the vectors of a text's tokens become one: as asked, else as the file says, else the mean, in decoders the last.</summary>
    public Pooling Pooling { get; }

    /// <summary>Length of a vector.</summary>
    public int Dimensions { get; }

    /// <summary>The texts the model wants before queries, documents and the like.</summary>
    public EmbeddingPrompts Prompts { get; }

    /// <summary>Most tokens of a text, special ones included.</summary>
    public int MaxTokens { get; }

    /// <summary>True where the model has a ranking head.</summary>
    public bool CanRank => _rankHead is not null;

    /// <summary>Names of what <see cref="Classify"/> returns, where the file gives them.</summary>
    public IReadOnlyList<string> Labels => _rankHead?.Labels ?? [];

    /// <summary>Opens a GGUF file or a Hugging Face folder.</summary>
    /// <exception cref="ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    /// <exception cref="FileNotFoundException">Nothing at <paramref name="path"/>.</exception>
    public static TextEncoder Load(string path, TextEncoderOptions? options = null) => Load(WeightSource.Open(path), options);

    /// <summary>Loads from an open source, which the encoder then owns; it is closed if loading fails.</summary>
    /// <exception cref="ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    public static TextEncoder Load(WeightSource source, TextEncoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        options ??= new TextEncoderOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxTokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchTokens);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Dimensions);
        HiddenStates states = HiddenStates.Load(source, options);
        try
        {
            return new TextEncoder(states, options);
        }
        catch
        {
            states.Dispose();
            throw;
        }
    }

    /// <summary>The ids of a text, with the special tokens the model wants around it.</summary>
    /// <exception cref="ArgumentException">Longer than <see cref="MaxTokens"/>, and <see cref="LongText.Refuse"/> is chosen.</exception>
    public EncodedText Encode(string text) => _preparation.Value.Encode(text);

    /// <summary>The ids of a query and a document, with the special tokens the model wants around and between them.</summary>
    /// <exception cref="ArgumentException">Longer than <see cref="MaxTokens"/>, and <see cref="LongText.Refuse"/> is chosen or the query alone is.</exception>
    public EncodedText EncodePair(string query, string document) => _preparation.Value.EncodePair(query, document);

    /// <summary>The vector of one text: <see cref="Dimensions"/> numbers.</summary>
    /// <inheritdoc cref="Embed(IReadOnlyList{int[]}, CancellationToken)"/>
    public float[] Embed(ReadOnlySpan<int> ids, CancellationToken cancellation = default) => Embed([ids.ToArray()], cancellation)[0];

    /// <summary>The vector of each text: <see cref="Dimensions"/> numbers, of length one unless the options say otherwise.</summary>
    /// <param name="texts">The ids of each text, of any lengths.</param>
    /// <param name="cancellation">Ends the work between layers.</param>
    /// <exception cref="ArgumentException">A text without ids, too long, or with an id that is not in the vocabulary.</exception>
    /// <exception cref="InvalidOperationException">The model names no pooling that makes one vector, and the options neither.</exception>
    /// <exception cref="ModelFormatException">A vector is not finite: the weights are damaged.</exception>
    public float[][] Embed(IReadOnlyList<int[]> texts, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (Pooling is Pooling.None or Pooling.Rank)
        {
            throw new InvalidOperationException(Pooling == Pooling.Rank
                ? $"{Source.Path}: this model ranks documents; for vectors choose a pooling: mean, cls or last"
                : $"{Source.Path}: this model makes a vector for each token; choose a pooling: mean, cls or last");
        }

        Check(texts);
        lock (_oneAtATime)
        {
            _pass.Begin([], cancellation);
            return Rows(Project(Pool(texts, Pooling, cancellation)), Dimensions, _options.Normalize);
        }
    }

    /// <summary>A vector for each token of a text, before any pooling.</summary>
    /// <inheritdoc cref="Embed(IReadOnlyList{int[]}, CancellationToken)"/>
    public float[][] EmbedTokens(int[] ids, CancellationToken cancellation = default)
    {
        int[][] texts = [ids];
        Check(texts);
        lock (_oneAtATime)
        {
            _pass.Begin([], cancellation);
            Tensor all = _pass.Rent(ids.Length, Settings.Width);       // [T, D]
            _states.Run(texts, (_, first, states) => states.AsFloats().CopyTo(all.Slice(first, states.Rows).AsFloats()), cancellation);
            return Rows(Project(all), Dimensions, _options.Normalize);
        }
    }

    /// <summary>The score of each pair of query and document, as the model gives it: the higher, the better the document fits.</summary>
    /// <inheritdoc cref="Classify"/>
    public float[] Rank(IReadOnlyList<int[]> pairs, CancellationToken cancellation = default) =>
        Array.ConvertAll(Classify(pairs, cancellation), outputs => outputs[0]);

    /// <summary>All outputs of the ranking head for each text, in the order of <see cref="Labels"/>.</summary>
    /// <param name="texts">The ids of each text, as <see cref="EncodePair"/> makes them.</param>
    /// <param name="cancellation">Ends the work between layers.</param>
    /// <exception cref="ArgumentException">A text without ids, too long, or with an id that is not in the vocabulary.</exception>
    /// <exception cref="InvalidOperationException">The model has no ranking head.</exception>
    /// <exception cref="ModelFormatException">A score is not finite: the weights are damaged.</exception>
    public float[][] Classify(IReadOnlyList<int[]> texts, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (_rankHead is null)
            throw new InvalidOperationException($"{Source.Path}: this model has no ranking head");
        Check(texts);
        Pooling pooling = _states.IsCausal ? Pooling.Last : Settings.Architecture == "modern-bert" ? Pooling.Mean : Pooling.Cls;
        lock (_oneAtATime)
        {
            _pass.Begin([], cancellation);
            return Rows(_rankHead.Run(_pass, Pool(texts, pooling, cancellation)), int.MaxValue, normalize: false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (InterleavedMatrix weights in _weights.Interleaved)
            weights.Free();
        _states.Dispose();
        _arena.Dispose();
    }

    private static Linear[] ReadProjections(WeightReader w)
    {
        if (!w.Contains("dense_2.weight") || !w.Contains("dense_3.weight"))
            return [];
        int width = w.Settings.Width, between = w.Int32("dense_2_feat_out");
        if (w.Int32("dense_3_feat_in") != between)
            throw w.Bad("dense_3_feat_in", w.Int32("dense_3_feat_in"));
        return [w.Linear("dense_2", between, width), w.Linear("dense_3", width, between)];
    }

    /// <summary>One vector for each text: [texts, D].</summary>
    private Tensor Pool(IReadOnlyList<int[]> texts, Pooling pooling, CancellationToken cancellation)
    {
        Tensor pooled = _pass.Rent(texts.Count, Settings.Width);
        pooled.AsFloats().Clear();
        _states.Run(texts, Take, cancellation);
        return pooled;

        void Take(int text, int first, Tensor states)
        {
            Tensor row = pooled.Slice(text, 1);
            int length = texts[text].Length;
            for (int t = 0; t < states.Rows; t++)
            {
                if (pooling == Pooling.Mean)
                    Elementwise.AddScaled(states.Slice(t, 1), 1f / length, row);
                else if (first + t == (pooling == Pooling.Cls ? 0 : length - 1))
                    states.Row(t).CopyTo(row.AsFloats());
            }
        }
    }

    private Tensor Project(Tensor x)
    {
        foreach (Linear projection in _projections)
            x = _pass.Linear(x, projection);
        return x;
    }

    /// <summary>The rows, cut to <paramref name="most"/> numbers, then scaled to length one where asked.</summary>
    private float[][] Rows(Tensor x, int most, bool normalize)
    {
        var rows = new float[x.Rows][];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = x.Row(i)[..Math.Min(most, x.Columns)].ToArray();
            double squares = 0;
            foreach (float value in rows[i])
                squares += (double)value * value;
            if (!double.IsFinite(squares))
                throw new ModelFormatException($"{Source.Path}: a result is not finite; the weights are damaged");
            double factor = !normalize ? 1 : squares > 0 ? 1 / Math.Sqrt(squares) : 0;
            for (int c = 0; c < rows[i].Length && normalize; c++)
                rows[i][c] = (float)(rows[i][c] * factor);
        }

        return rows;
    }

    private void Check(IReadOnlyList<int[]> texts)
    {
        for (int i = 0; i < texts.Count; i++)
        {
            ArgumentNullException.ThrowIfNull(texts[i], nameof(texts));
            if (texts[i].Length == 0)
                throw new ArgumentException($"text {i + 1} has no tokens", nameof(texts));
            if (texts[i].Length > MaxTokens)
                throw new ArgumentException($"text {i + 1} has {texts[i].Length} tokens; the model takes {MaxTokens}", nameof(texts));
            foreach (int id in texts[i])
            {
                if ((uint)id >= (uint)Settings.Vocabulary)
                    throw new ArgumentException($"text {i + 1}: id {id} is not in the vocabulary of {Settings.Vocabulary}", nameof(texts));
            }
        }
    }
}

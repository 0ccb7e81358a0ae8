using System.Numerics;
using Polymath.Files;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>
/// Sums up the squares of what goes into each matrix of a model, column by column, while texts run through it: how much
/// a column's rounding errors will matter. As llama-imatrix does it: every matrix of the blocks under its tensor's name, and
/// the head if asked, where it is a tensor of its own; an expert's sums are those of the tokens that were routed to it.
/// </summary>
public sealed class ImportanceCollector : ILinearObserver
{
    private const string Blocks = "blk.";

    private readonly Session _session;
    private readonly bool _withHead;
    private readonly Dictionary<string, Inputs> _inputs = new(StringComparer.Ordinal);

    /// <summary>Collects what goes through <paramref name="session"/>, which is from now on only to be used by this collector.</summary>
    /// <param name="session">A session of the model, long enough for a chunk.</param>
    /// <param name="withHead">Collect the input of the head too.</param>
    public ImportanceCollector(Session session, bool withHead = false)
    {
        ArgumentNullException.ThrowIfNull(session);
        _session = session;
        _withHead = withHead;
        session.Observer = this;
    }

    /// <summary>What went into one tensor.</summary>
    /// <param name="Sums">Σ x² of each column, of all experts one after the other.</param>
    /// <param name="Counts">Rows that went in: one number, or one for each expert.</param>
    private sealed record Inputs(double[] Sums, long[] Counts);

    /// <summary>Chunks that went in.</summary>
    public int Chunks { get; private set; }

    /// <summary>Tokens in a chunk; 0 before the first.</summary>
    public int ChunkLength { get; private set; }

    /// <summary>Runs a text of its own through the model. If that fails, the sums are no longer those of whole chunks.</summary>
    /// <param name="chunk">Ids, as many as in the chunks before.</param>
    /// <param name="cancellation">Ends it between layers.</param>
    /// <exception cref="ArgumentException">Another length than that of the chunks before, or an id that is not in the vocabulary.</exception>
    /// <exception cref="ModelFormatException">A sum is not finite: the weights are damaged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Add(ReadOnlySpan<int> chunk, CancellationToken cancellation = default)
    {
        if (chunk.IsEmpty || (Chunks > 0 && chunk.Length != ChunkLength))
            throw new ArgumentException($"a chunk of {chunk.Length} tokens after chunks of {ChunkLength}", nameof(chunk));
        ChunkLength = chunk.Length;
        _session.Rewind(0);
        for (int start = 0; start < chunk.Length;)
        {
            int count = Math.Min(_session.Model.BatchSize, chunk.Length - start);
            Tensor hidden = _session.ForwardHidden(chunk.Slice(start, count), cancellation);   // [count, D]
            if (_withHead)
                Collect(hidden, _session.Model.Decoder.Output);   // its input alone; the logits are not needed
            start += count;
        }

        RequireFinite();
        Chunks++;
    }

    /// <summary>What was collected.</summary>
    /// <param name="dataset">Name of the text.</param>
    /// <exception cref="InvalidOperationException">No chunk went in.</exception>
    public ImportanceMatrix ToMatrix(string dataset)
    {
        if (Chunks == 0)
            throw new InvalidOperationException("no chunk of text went in");
        var matrix = new ImportanceMatrix { Datasets = [dataset], Chunks = Chunks, ChunkLength = ChunkLength };
        foreach ((string name, Inputs inputs) in _inputs)
        {
            matrix.Add(name, new ImportanceMatrix.Entry(
                Array.ConvertAll(inputs.Sums, sum => (float)sum), Array.ConvertAll(inputs.Counts, count => (float)count)));
        }

        return matrix;
    }

    /// <inheritdoc/>
    void ILinearObserver.Observe(Tensor x, Linear layer)
    {
        if (layer.Name is { } name && name.StartsWith(Blocks, StringComparison.Ordinal))
            Collect(x, layer);
    }

    private void Collect(Tensor x, Linear layer)
    {
        if (layer.Name is not { } name)
            return;   // a head that is the embedding
        if (!_inputs.TryGetValue(name, out Inputs? inputs))
        {
            int matrices = layer.Expert is null ? 1 : _session.Model.Settings.Experts;
            _inputs[name] = inputs = new Inputs(new double[(long)matrices * x.Columns], new long[matrices]);
        }

        int matrix = layer.Expert ?? 0;
        Span<double> sums = inputs.Sums.AsSpan(matrix * x.Columns, x.Columns);
        for (int row = 0; row < x.Rows; row++)
            AddSquares(x.Row(row), sums);
        inputs.Counts[matrix] += x.Rows;
    }

    /// <summary>sums += x², in F64: over a long text an F32 sum stops growing long before the end.</summary>
    private static void AddSquares(ReadOnlySpan<float> x, Span<double> sums)
    {
        int i = 0;
        for (; i <= x.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(x[i..]), out Vector<double> low, out Vector<double> high);
            Span<double> first = sums.Slice(i, Vector<double>.Count), second = sums.Slice(i + Vector<double>.Count, Vector<double>.Count);
            (new Vector<double>(first) + (low * low)).CopyTo(first);
            (new Vector<double>(second) + (high * high)).CopyTo(second);
        }

        for (; i < x.Length; i++)
            sums[i] += (double)x[i] * x[i];
    }

    private void RequireFinite()
    {
        foreach ((string name, Inputs inputs) in _inputs)
        {
            if (!Array.TrueForAll(inputs.Sums, sum => float.IsFinite((float)sum)))
                throw new ModelFormatException($"{_session.Model.Source.Path}: what goes into {name} is not finite; the weights are damaged");
        }
    }
}

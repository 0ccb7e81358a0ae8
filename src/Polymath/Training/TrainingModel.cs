using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Training;

/// <summary>
/// The Llama architecture with everything the backward pass needs kept in memory: the forward here, the backward in
/// the other part. Rows are N = B · T tokens, sequence after sequence. All memory is taken in the constructor.
/// The bits of the result do not depend on the number of threads.
/// </summary>
public sealed partial class TrainingModel : IDisposable
{
    private const int LogitBytes = 4 << 20;   // logits held at one time: enough rows for a good product, few enough for the cache

    private readonly ThreadTeam _team;
    private readonly ModelSettings _s;
    private readonly RopeTable _rope;
    private readonly float _scale;       // of attention scores
    private readonly Kept[] _kept;
    private readonly Tensor _logits;     // [rows at a time, V]
    private readonly Tensor _losses;     // [1, rows at a time]
    private readonly Tensor _last;       // [N, D] after the last block
    private readonly Tensor _lastNormed; // [N, D]
    private int _batch, _length;         // sequences and tokens of each in the forward pass at hand

    /// <summary>Takes the memory for batches of up to <paramref name="batch"/> sequences of <paramref name="length"/> tokens.</summary>
    /// <param name="team">Threads to compute with; the caller keeps them.</param>
    /// <param name="settings">Sizes.</param>
    /// <param name="tied">True when the output head is the embedding.</param>
    /// <param name="batch">B.</param>
    /// <param name="length">T.</param>
    /// <exception cref="ArgumentException">Sizes that do not fit each other or are too large.</exception>
    public TrainingModel(ThreadTeam team, ModelSettings settings, bool tied, int batch, int length)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        Weights = new TrainingWeights(settings, tied);
        Gradients = new TrainingWeights(settings, tied);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, settings.ContextLength);
        if ((long)batch * length * Math.Max(settings.Vocabulary, settings.Heads * (long)length) > int.MaxValue)
            throw new ArgumentException($"a batch of {batch} sequences of {length} tokens is too large", nameof(batch));
        _team = team;
        _s = settings;
        MaxBatch = batch;
        MaxLength = length;
        _scale = 1f / MathF.Sqrt(settings.HeadSize);
        _rope = new RopeTable(length, settings.RopeSize, settings.RopeBase, settings.RopeScale);
        int rows = batch * length;
        _kept = new Kept[settings.Layers];
        for (int i = 0; i < _kept.Length; i++)
            _kept[i] = new Kept(settings, batch, length);
        _last = Tensor.Zeros(rows, settings.Width);
        _lastNormed = Tensor.Zeros(rows, settings.Width);
        int rowsAtOnce = Math.Clamp(LogitBytes / sizeof(float) / settings.Vocabulary, Math.Min(rows, 64), rows);
        _logits = Tensor.Zeros(rowsAtOnce, settings.Vocabulary);
        _losses = Tensor.Zeros(1, rowsAtOnce);
        _back = new Scratch(settings, batch, length);
    }

    /// <summary>The parameters.</summary>
    public TrainingWeights Weights { get; }

    /// <summary>Sums of the gradients since <see cref="ClearGradients"/>.</summary>
    public TrainingWeights Gradients { get; }

    /// <summary>Most sequences at once.</summary>
    public int MaxBatch { get; }

    /// <summary>Most tokens of each.</summary>
    public int MaxLength { get; }

    /// <summary>Mean cross-entropy in nats of predicting <paramref name="targets"/>; no gradients.</summary>
    /// <param name="ids">B · T ids, sequence after sequence.</param>
    /// <param name="targets">The id that follows each.</param>
    /// <param name="batch">B.</param>
    public double Evaluate(ReadOnlySpan<int> ids, ReadOnlySpan<int> targets, int batch)
    {
        Forward(ids, batch);
        return Head(targets, backward: false);
    }

    /// <summary>Logits [V] after the last of <paramref name="ids"/>, valid until the next call.</summary>
    public Span<float> Logits(ReadOnlySpan<int> ids)
    {
        Forward(ids, 1);
        Tensor logits = _logits.Slice(0, 1);
        Gemm.Run(_team, _lastNormed.Slice(ids.Length - 1, 1), false, Weights.Output, true, logits);
        return logits.AsFloats();
    }

    /// <inheritdoc/>
    public void Dispose() => _rope.Dispose();

    /// <summary>Fills <see cref="_lastNormed"/> and all that is kept on the way.</summary>
    private void Forward(ReadOnlySpan<int> ids, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(batch, MaxBatch);
        if (ids.IsEmpty || ids.Length % batch != 0 || ids.Length / batch > MaxLength)
            throw new ArgumentException($"{ids.Length} ids are not {batch} sequences of 1 to {MaxLength}", nameof(ids));
        _batch = batch;
        _length = ids.Length / batch;
        int rows = ids.Length;
        Embedding.Gather(Weights.Embedding, ids, _kept[0].Input.Slice(0, rows));
        for (int i = 0; i < _kept.Length; i++)
        {
            Tensor output = i + 1 < _kept.Length ? _kept[i + 1].Input : _last;
            Block(Weights.Blocks[i], _kept[i].Cut(_s, batch, _length), output.Slice(0, rows));
        }

        RmsNorm.Run(_team, _last.Slice(0, rows), Weights.OutputNorm, _lastNormed.Slice(0, rows), _s.NormEpsilon);
    }

    /// <param name="w">Weights.</param>
    /// <param name="a">What is kept of this block; its input [N, D] is filled in.</param>
    /// <param name="y">[N, D] residual stream after the block.</param>
    private void Block(in BlockWeights w, in Kept a, Tensor y)
    {
        RmsNorm.Run(_team, a.Input, w.AttnNorm, a.AttnNormed, _s.NormEpsilon);
        Gemm.Run(_team, a.AttnNormed, false, w.AttnQueryKey, true, a.QueryKey);   // [N, Q + K]
        Gemm.Run(_team, a.AttnNormed, false, w.AttnV, true, a.Value);             // [N, K]
        Rope.Run(_team, a.QueryKey, _s.HeadSize, _rope, 0, RopeLayout.Adjacent, _length);
        Attention(a);
        a.Input.AsFloats().CopyTo(a.Middle.AsFloats());
        Gemm.Run(_team, a.Attended, false, w.AttnOutput, true, a.Middle, accumulate: true);

        RmsNorm.Run(_team, a.Middle, w.FfnNorm, a.FfnNormed, _s.NormEpsilon);
        Gemm.Run(_team, a.FfnNormed, false, w.FfnGate, true, a.Gate);             // [N, F]
        Gemm.Run(_team, a.FfnNormed, false, w.FfnUp, true, a.Up);                 // [N, F]
        Activations.Run(_team, Activation.Silu, a.Gate, a.Up, a.Hidden);
        a.Middle.AsFloats().CopyTo(y.AsFloats());
        Gemm.Run(_team, a.Hidden, false, w.FfnDown, true, y, accumulate: true);
    }

    private void Attention(in Kept a)
    {
        GemmView scores = GemmView.OfScores(a.Scores, _batch, _s.Heads);
        Gemm.RunBatch(_team, QueryOf(a.QueryKey), false, KeyOf(a.QueryKey), true, scores, triangle: GemmTriangle.LowerC);
        CausalSoftmax.Forward(_team, a.Scores, _length, _scale);
        Gemm.RunBatch(
            _team, scores, false, ValueOf(a.Value), false, GemmView.OfHeads(a.Attended, _batch, _s.Heads),
            triangle: GemmTriangle.LowerA);
    }

    /// <summary>Sums the losses of all rows, and with <paramref name="backward"/> the gradients of head and last norm input.</summary>
    private double Head(ReadOnlySpan<int> targets, bool backward)
    {
        int rows = _batch * _length;
        if (targets.Length != rows)
            throw new ArgumentException($"{targets.Length} targets for {rows} ids", nameof(targets));
        double sum = 0;
        for (int row = 0; row < rows; row += _logits.Rows)
        {
            int count = Math.Min(_logits.Rows, rows - row);
            Tensor x = _lastNormed.Slice(row, count), logits = _logits.Slice(0, count);
            Span<float> losses = _losses.AsFloats()[..count];
            Gemm.Run(_team, x, false, Weights.Output, true, logits);
            CrossEntropy.Run(_team, logits, targets.Slice(row, count), backward ? logits : default, losses, 1f / rows);
            foreach (float loss in losses)
                sum += loss;
            if (backward)
            {
                Gemm.Run(_team, logits, false, Weights.Output, false, _back.Normed.Slice(row, count));
                Gemm.Run(_team, logits, true, x, false, Gradients.Output, accumulate: true);
            }
        }

        return sum / rows;
    }

    // Queries and keys stand side by side in one tensor; heads of it are seen through strides.
    private GemmView QueryOf(Tensor queryKey) => new(
        queryKey, 0, _length, _s.HeadSize, queryKey.Columns,
        _batch, (long)_length * queryKey.Columns, _s.Heads, _s.HeadSize);

    private GemmView KeyOf(Tensor queryKey) => new(
        queryKey, _s.QueryWidth, _length, _s.HeadSize, queryKey.Columns,
        _batch, (long)_length * queryKey.Columns, _s.Heads, _s.HeadSize, _s.Heads / _s.KeyValueHeads);

    private GemmView ValueOf(Tensor value) =>
        GemmView.OfHeads(value, _batch, _s.KeyValueHeads, _s.Heads / _s.KeyValueHeads);

    /// <summary>The leading elements of <paramref name="x"/> as [rows, columns].</summary>
    private static Tensor Part(Tensor x, int rows, int columns) =>
        x.Elements(0, rows * columns).Reshape(rows, columns);

    /// <summary>What the forward pass of one block leaves for the backward pass.</summary>
    private readonly struct Kept
    {
        public Kept(ModelSettings s, int batch, int length)
        {
            int rows = batch * length;
            Input = Tensor.Zeros(rows, s.Width);
            AttnNormed = Tensor.Zeros(rows, s.Width);
            QueryKey = Tensor.Zeros(rows, s.QueryWidth + s.KeyValueWidth);
            Value = Tensor.Zeros(rows, s.KeyValueWidth);
            Scores = Tensor.Zeros(checked(s.Heads * rows), length);
            Attended = Tensor.Zeros(rows, s.QueryWidth);
            Middle = Tensor.Zeros(rows, s.Width);
            FfnNormed = Tensor.Zeros(rows, s.Width);
            Gate = Tensor.Zeros(rows, s.FeedForward);
            Up = Tensor.Zeros(rows, s.FeedForward);
            Hidden = Tensor.Zeros(rows, s.FeedForward);
        }

        public Tensor Input { get; private init; }       // [N, D]

        public Tensor AttnNormed { get; private init; }  // [N, D]

        public Tensor QueryKey { get; private init; }    // [N, Q + K], rotated

        public Tensor Value { get; private init; }       // [N, K]

        public Tensor Scores { get; private init; }      // [B · H · T, T], after the softmax

        public Tensor Attended { get; private init; }    // [N, Q]

        public Tensor Middle { get; private init; }      // [N, D], after attention

        public Tensor FfnNormed { get; private init; }   // [N, D]

        public Tensor Gate { get; private init; }        // [N, F]

        public Tensor Up { get; private init; }          // [N, F]

        public Tensor Hidden { get; private init; }      // [N, F]

        /// <summary>The same memory for a smaller batch.</summary>
        public Kept Cut(ModelSettings s, int batch, int length)
        {
            int rows = batch * length;
            return new Kept
            {
                Input = Input.Slice(0, rows),
                AttnNormed = AttnNormed.Slice(0, rows),
                QueryKey = QueryKey.Slice(0, rows),
                Value = Value.Slice(0, rows),
                Scores = Part(Scores, s.Heads * rows, length),
                Attended = Attended.Slice(0, rows),
                Middle = Middle.Slice(0, rows),
                FfnNormed = FfnNormed.Slice(0, rows),
                Gate = Gate.Slice(0, rows),
                Up = Up.Slice(0, rows),
                Hidden = Hidden.Slice(0, rows),
            };
        }
    }
}

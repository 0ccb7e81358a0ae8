using Polymath.Files;
using Polymath.Models.Layers;
using Polymath.Tensors;
using Polymath.Text;

namespace Polymath.Models;

/// <summary>An encoder's states: texts go through the layers behind one another, attention stays within each.</summary>
internal sealed class EncoderStates : HiddenStates
{
    private const int FewestPositions = 512;

    private readonly Encoder _encoder;
    private readonly Arena _arena;
    private readonly int _batchTokens;
    private readonly Lazy<Tokenizer> _tokenizer;
    private RopeTable[] _ropes = [];
    private int _positions;   // that the ropes reach

    public EncoderStates(WeightSource source, Encoder encoder, TextEncoderOptions options)
    {
        Source = source;
        _encoder = encoder;
        _batchTokens = options.BatchTokens;
        _arena = new Arena(encoder.ScratchBytes(Math.Min(_batchTokens, FewestPositions)));
        Team = new ThreadTeam(options.Threads == 0 ? Environment.ProcessorCount : options.Threads);
        _tokenizer = new Lazy<Tokenizer>(() => Model.LoadTokenizer(source, Settings));
    }

    /// <inheritdoc/>
    public override ModelSettings Settings => _encoder.Settings;

    /// <inheritdoc/>
    public override WeightSource Source { get; }

    /// <inheritdoc/>
    public override ThreadTeam Team { get; }

    /// <inheritdoc/>
    public override Tokenizer Tokenizer => _tokenizer.Value;

    /// <inheritdoc/>
    public override int MaxTokens => Settings.ContextLength;

    /// <inheritdoc/>
    public override bool IsCausal => false;

    /// <inheritdoc/>
    public override void Run(IReadOnlyList<int[]> texts, TakeStates take, CancellationToken cancellation)
    {
        for (int from = 0, count; from < texts.Count; from += count)
        {
            count = CountFitting(texts, from);
            RopeTable[] ropes = RopesFor(texts, from, count);
            var stretches = new Pass.Stretch[count];
            for (int i = 0, end = 0; i < count; i++)
                stretches[i] = new Pass.Stretch(end += texts[from + i].Length, 0, null, ropes);
            var ids = new int[stretches[^1].End];
            for (int i = 0; i < count; i++)
                texts[from + i].CopyTo(ids, stretches[i].End - texts[from + i].Length);
            var pass = new Pass(Team, _arena, Settings);
            pass.Begin(stretches, cancellation);
            Tensor states = _encoder.Forward(pass, ids);               // [T, D]
            for (int i = 0; i < count; i++)
                take(from + i, 0, pass.RowsOf(i, states));
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Team.Dispose();
        _arena.Dispose();
        foreach (RopeTable table in _ropes)
            table.Dispose();
        Source.Dispose();
    }

    /// <summary>How many of the texts from <paramref name="from"/> on go through together: at least one.</summary>
    private int CountFitting(IReadOnlyList<int[]> texts, int from)
    {
        long total = 0;
        int count = 0;
        while (from + count < texts.Count && (count == 0 || total + texts[from + count].Length <= _batchTokens))
            total += texts[from + count++].Length;
        return count;
    }

    private RopeTable[] RopesFor(IReadOnlyList<int[]> texts, int from, int count)
    {
        int longest = 0;
        for (int i = from; i < from + count; i++)
            longest = Math.Max(longest, texts[i].Length);
        if (longest <= _positions)
            return _ropes;
        foreach (RopeTable table in _ropes)
            table.Dispose();
        _positions = Math.Min(MaxTokens, (int)Math.Min(1 << 30, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(longest, FewestPositions))));
        return _ropes = _encoder.BuildRopes(_positions);
    }
}

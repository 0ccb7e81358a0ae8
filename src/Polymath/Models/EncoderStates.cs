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

    private EncoderStates(WeightSource source, Encoder encoder, ThreadTeam team, TextEncoderOptions options)
    {
        Source = source;
        Team = team;
        _encoder = encoder;
        _batchTokens = options.BatchTokens;
        _arena = new Arena(encoder.ScratchBytes(Math.Min(_batchTokens, FewestPositions)));
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

    /// <summary>Loads an encoder; null where the architecture is none. The source is then owned, and left open if loading fails.</summary>
    /// <exception cref="ModelFormatException">Weights are missing or misshapen.</exception>
    public static EncoderStates? TryLoad(WeightSource source, TextEncoderOptions options)
    {
        if (!Encoder.Supported.Contains(source.Architecture))
            return null;
        var team = new ThreadTeam(options.Threads == 0 ? Environment.ProcessorCount : options.Threads);
        try
        {
            return new EncoderStates(source, Encoder.TryLoad(source, team)!, team, options);
        }
        catch
        {
            team.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Run(IReadOnlyList<int[]> texts, TakeStates take, CancellationToken cancellation)
    {
        // The longest first: the rotations and the scratch then have their final size from the first pass on.
        int[] order = [.. Enumerable.Range(0, texts.Count).OrderByDescending(i => texts[i].Length)];
        for (int from = 0, count; from < order.Length; from += count)
        {
            count = CountFitting(texts, order, from);
            RopeTable[] ropes = RopesFor(texts[order[from]].Length);
            var stretches = new Pass.Stretch[count];
            for (int i = 0, end = 0; i < count; i++)
                stretches[i] = new Pass.Stretch(end += texts[order[from + i]].Length, 0, null, ropes);
            var ids = new int[stretches[^1].End];
            for (int i = 0; i < count; i++)
                texts[order[from + i]].CopyTo(ids, i == 0 ? 0 : stretches[i - 1].End);
            var pass = new Pass(Team, _arena, Settings);
            pass.Begin(stretches, cancellation);
            Tensor states = _encoder.Forward(pass, ids);               // [T, D]
            for (int i = 0; i < count; i++)
                take(order[from + i], 0, pass.RowsOf(i, states));
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Team.Dispose();
        _arena.Dispose();
        foreach (RopeTable table in _ropes)
            table.Dispose();
        foreach (InterleavedMatrix weights in _encoder.Interleaved)
            weights.Free();
        Source.Dispose();
    }

    /// <summary>How many texts of the order from <paramref name="from"/> on go through together: at least one.</summary>
    private int CountFitting(IReadOnlyList<int[]> texts, int[] order, int from)
    {
        long total = 0;
        int count = 0;
        while (from + count < order.Length && (count == 0 || total + texts[order[from + count]].Length <= _batchTokens))
            total += texts[order[from + count++]].Length;
        return count;
    }

    private RopeTable[] RopesFor(int longest)
    {
        if (longest <= _positions)
            return _ropes;
        foreach (RopeTable table in _ropes)
            table.Dispose();
        _positions = Math.Min(MaxTokens, (int)Math.Min(1 << 30, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(longest, FewestPositions))));
        return _ropes = _encoder.BuildRopes(_positions);
    }
}

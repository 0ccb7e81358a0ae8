using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// The operations a model is written in, over one session's scratch memory, cache and threads. Every operation that
/// returns a tensor cuts it off the scratch; it lives until the scratch is given back. Nothing is allocated on the
/// managed heap. T is the number of tokens in this pass.
/// </summary>
public sealed class Pass
{
    private readonly ThreadTeam _team;
    private readonly Arena _arena;
    private readonly KvCache _cache;
    private readonly ModelSettings _settings;
    private readonly RopeTable _rope;
    private CancellationToken _cancellation;

    internal Pass(ThreadTeam team, Arena arena, KvCache cache, ModelSettings settings, RopeTable rope)
    {
        _team = team;
        _arena = arena;
        _cache = cache;
        _settings = settings;
        _rope = rope;
    }

    /// <summary>Tokens in the cache before this pass.</summary>
    public int Position { get; private set; }

    /// <summary>Marks the scratch, to be handed to <see cref="Release"/>.</summary>
    public long Mark => _arena.Mark;

    /// <summary>Gives back what was cut off since <paramref name="mark"/>.</summary>
    public void Release(long mark) => _arena.Release(mark);

    /// <summary>Ends the pass with an exception if the caller asked for it; called between layers.</summary>
    public void ThrowIfCancelled() => _cancellation.ThrowIfCancellationRequested();

    /// <summary>Rows of <paramref name="weight"/> [V, D] for <paramref name="ids"/>: [T, D].</summary>
    public Tensor Embed(ReadOnlySpan<int> ids, Tensor weight)
    {
        Tensor y = _arena.Rent(ids.Length, weight.Columns);
        Embedding.Gather(weight, ids, y);
        return y;
    }

    /// <summary>x / rms(x) × weight, row by row: [T, D].</summary>
    public Tensor RmsNorm(Tensor x, Tensor weight)
    {
        Tensor y = _arena.Rent(x.Rows, x.Columns);
        Tensors.RmsNorm.Run(_team, x, weight, y, _settings.NormEpsilon);
        return y;
    }

    /// <summary>x · weightᵀ + bias: [T, K] to [T, N].</summary>
    public Tensor Linear(Tensor x, Linear layer)
    {
        Tensor y = _arena.Rent(x.Rows, layer.Outputs);
        LinearInto(x, layer, y);
        return y;
    }

    /// <summary>Two layers over the same x in one loop: [T, N₁] and [T, N₂].</summary>
    public (Tensor First, Tensor Second) Linear(Tensor x, Linear first, Linear second)
    {
        Tensor y1 = _arena.Rent(x.Rows, first.Outputs), y2 = _arena.Rent(x.Rows, second.Outputs);
        long mark = _arena.Mark;
        MatMul.Run(_team, x, [new MatMulTarget(first.Weight, y1), new MatMulTarget(second.Weight, y2)], _arena);
        _arena.Release(mark);
        AddBias(first, y1);
        AddBias(second, y2);
        return (y1, y2);
    }

    /// <summary>
    /// Queries, keys and values of x in one loop, queries and keys rotated by their positions. Keys and values go into the
    /// cache of <paramref name="layer"/>; the queries [T, H·S] are returned.
    /// </summary>
    public Tensor Project(int layer, Tensor x, Linear queries, Linear keys, Linear values)
    {
        Tensor q = _arena.Rent(x.Rows, queries.Outputs);
        Tensor k = _cache.Keys(layer).Slice(Position, x.Rows), v = _cache.Values(layer).Slice(Position, x.Rows);
        long mark = _arena.Mark;
        MatMul.Run(
            _team, x, [new MatMulTarget(queries.Weight, q), new MatMulTarget(keys.Weight, k), new MatMulTarget(values.Weight, v)], _arena);
        _arena.Release(mark);
        AddBias(queries, q);
        AddBias(keys, k);
        AddBias(values, v);
        Rope.Run(_team, q, _settings.HeadSize, _rope, Position, RopeLayout.Adjacent);
        Rope.Run(_team, k, _settings.HeadSize, _rope, Position, RopeLayout.Adjacent);
        return q;
    }

    /// <summary>Causal attention of the queries [T, H·S] over the cache of <paramref name="layer"/>: [T, H·S].</summary>
    public Tensor Attend(Tensor q, int layer, float scale)
    {
        Tensor y = _arena.Rent(q.Rows, q.Columns);
        long mark = _arena.Mark;
        Attention.Run(
            _team, q, _cache.Keys(layer), _cache.Values(layer), Position, y, _settings.Heads, _settings.KeyValueHeads, scale, _arena);
        _arena.Release(mark);
        return y;
    }

    /// <summary>silu(gate) × up, into gate: [T, F].</summary>
    public Tensor SwiGlu(Tensor gate, Tensor up)
    {
        Tensors.SwiGlu.Run(_team, gate, up, gate);
        return gate;
    }

    /// <summary>x += y, and returns x.</summary>
    public Tensor Add(Tensor x, Tensor y)
    {
        Elementwise.Add(x, y, x);
        return x;
    }

    internal void Begin(int position, CancellationToken cancellation)
    {
        Position = position;
        _cancellation = cancellation;
        _arena.Release();
    }

    internal void LinearInto(Tensor x, Linear layer, Tensor y)
    {
        long mark = _arena.Mark;
        MatMul.Run(_team, layer.Weight, x, y, _arena);
        _arena.Release(mark);
        AddBias(layer, y);
    }

    private static void AddBias(Linear layer, Tensor y)
    {
        for (int t = 0; t < y.Rows && !layer.Bias.IsEmpty; t++)
            Elementwise.Add(y.Slice(t, 1), layer.Bias, y.Slice(t, 1));
    }
}

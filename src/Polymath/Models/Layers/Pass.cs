using System.Runtime.InteropServices;
using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// The operations a model is written in, over scratch memory, threads, and the caches of the texts whose tokens go through
/// the layers together, one text's behind another's. Every operation that returns a tensor cuts it off the scratch; it
/// lives until the scratch is given back. Nothing is allocated on the managed heap. T is the number of tokens in this pass.
/// </summary>
public sealed class Pass
{
    private readonly Arena _arena;
    private readonly ModelSettings _settings;
    private CancellationToken _cancellation;
    private Stretch[] _texts = [];

    internal Pass(ThreadTeam team, Arena arena, ModelSettings settings)
    {
        Team = team;
        _arena = arena;
        _settings = settings;
    }

    /// <summary>Marks the scratch, to be handed to <see cref="Release"/>.</summary>
    public long Mark => _arena.Mark;

    /// <summary>The threads, for kernels that only one architecture calls.</summary>
    internal ThreadTeam Team { get; }

    /// <summary>Texts in this pass.</summary>
    internal int Texts { get; private set; }

    /// <summary>Sees what goes into the linear layers; null unless something is measured.</summary>
    internal ILinearObserver? Observer { get; set; }

    /// <summary>Gives back what was cut off since <paramref name="mark"/>.</summary>
    public void Release(long mark) => _arena.Release(mark);

    /// <summary>Ends the pass with an exception if the caller asked for it; called between layers.</summary>
    public void ThrowIfCancelled() => _cancellation.ThrowIfCancellationRequested();

    /// <summary>An F32 tensor [rows, columns] of scratch; its elements hold whatever was there before.</summary>
    public Tensor Rent(int rows, int columns) => _arena.Rent(rows, columns);

    /// <summary>Integers of scratch; they hold whatever was there before.</summary>
    public Span<int> RentIntegers(int count) => MemoryMarshal.Cast<float, int>(_arena.Rent(1, count).AsFloats());

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
        Tensors.RmsNorm.Run(Team, x, weight, y, _settings.NormEpsilon);
        return y;
    }

    /// <summary>The same in place, each row taken as pieces as wide as the weight: queries or keys [T, H·S] by head.</summary>
    public void RmsNormPieces(Tensor x, Tensor weight)
    {
        Tensor pieces = x.Reshape(checked((int)(x.ElementCount / weight.Columns)), weight.Columns);
        Tensors.RmsNorm.Run(Team, pieces, weight, pieces, _settings.NormEpsilon);
    }

    /// <summary>(x − mean) / deviation × weight + bias, row by row: [T, D].</summary>
    public Tensor LayerNorm(Tensor x, Tensor weight, Tensor bias)
    {
        Tensor y = _arena.Rent(x.Rows, x.Columns);
        Tensors.LayerNorm.Run(Team, x, weight, bias, y, _settings.NormEpsilon);
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
        MatMul.Run(Team, x, [first.Into(y1), second.Into(y2)], _arena);
        _arena.Release(mark);
        Observer?.Observe(x, first);
        Observer?.Observe(x, second);
        AddBias(first, y1);
        AddBias(second, y2);
        return (y1, y2);
    }

    /// <summary>Three layers over the same x in one loop: [T, N₁], [T, N₂] and [T, N₃].</summary>
    public (Tensor First, Tensor Second, Tensor Third) Linear(Tensor x, Linear first, Linear second, Linear third)
    {
        Tensor y1 = _arena.Rent(x.Rows, first.Outputs), y2 = _arena.Rent(x.Rows, second.Outputs);
        Tensor y3 = _arena.Rent(x.Rows, third.Outputs);
        long mark = _arena.Mark;
        MatMul.Run(Team, x, [first.Into(y1), second.Into(y2), third.Into(y3)], _arena);
        _arena.Release(mark);
        Observer?.Observe(x, first);
        Observer?.Observe(x, second);
        Observer?.Observe(x, third);
        AddBias(first, y1);
        AddBias(second, y2);
        AddBias(third, y3);
        return (y1, y2, y3);
    }

    /// <summary>Rotates queries or keys [T, heads · S] by their positions, in place.</summary>
    /// <param name="x">[T, heads · S].</param>
    /// <param name="headSize">S.</param>
    /// <param name="rope">Which of the model's tables.</param>
    /// <param name="layout">Which elements form a pair.</param>
    public void Rotate(Tensor x, int headSize, int rope, RopeLayout layout)
    {
        for (int i = 0; i < Texts; i++)
            Rope.Run(Team, RowsOf(i, x), headSize, _texts[i].Ropes[rope], _texts[i].Position, layout);
    }

    /// <summary>The position of each of the pass's tokens in its text: T numbers of scratch.</summary>
    public Span<int> Positions(int tokens)
    {
        Span<int> positions = RentIntegers(tokens);
        for (int i = 0; i < Texts; i++)
        {
            int start = StartOf(i);
            for (int t = start; t < _texts[i].End; t++)
                positions[t] = _texts[i].Position + t - start;
        }

        return positions;
    }

    /// <summary>Puts this pass's keys and values [T, K·S] into the texts' caches of <paramref name="layer"/>.</summary>
    public void Store(int layer, Tensor keys, Tensor values)
    {
        for (int i = 0; i < Texts; i++)
            CacheOf(i).Store(layer, _texts[i].Position, RowsOf(i, keys), RowsOf(i, values));
    }

    /// <summary>Attention of the queries [T, H·S] over the texts' caches of <paramref name="layer"/>, this pass in them: [T, H·S].</summary>
    public Tensor Attend(Tensor q, int layer, int heads, int keyValueHeads, in AttentionRule rule)
    {
        Tensor y = _arena.Rent(q.Rows, q.Columns);
        for (int i = 0; i < Texts; i++)
        {
            KvCache cache = CacheOf(i);
            Attention.Run(
                Team, RowsOf(i, q), cache.Keys(layer), cache.Values(layer), cache.Pages(layer), _texts[i].Position, RowsOf(i, y), heads,
                keyValueHeads, rule, _arena);
        }

        return y;
    }

    /// <summary>
    /// Attention of the queries [T, H·S] to the keys and values [T, K·S] of the same text, both ways: [T, H·S]. Texts that
    /// lie behind one another in a pass do not see each other.
    /// </summary>
    public Tensor AttendBothWays(Tensor q, Tensor keys, Tensor values, int heads, int keyValueHeads, in AttentionRule rule)
    {
        AttentionRule bothWays = rule with { Bidirectional = true };
        Tensor y = _arena.Rent(q.Rows, q.Columns);
        for (int i = 0; i < Texts; i++)
        {
            Attention.Run(
                Team, RowsOf(i, q), RowsOf(i, keys), RowsOf(i, values), 0, RowsOf(i, y), heads, keyValueHeads, bothWays, _arena);
        }

        return y;
    }

    /// <summary>A text's rows of x [T, …].</summary>
    internal Tensor RowsOf(int text, Tensor x) => x.Slice(StartOf(text), _texts[text].End - StartOf(text));

    /// <summary>The state of a text's recurrent layer before this pass, and where the one after it is to be written: [1, StateLength].</summary>
    internal (Tensor Current, Tensor Next) State(int text, int layer) => CacheOf(text).State(layer);

    /// <summary>Of each row's equal groups the elements start … start + size − 1, side by side: [T, groups · size].</summary>
    public Tensor TakePieces(Tensor x, int groups, int start, int size)
    {
        Tensor y = _arena.Rent(x.Rows, checked(groups * size));
        CopyPieces(x, groups, start, size, y, 0);
        return y;
    }

    /// <summary>The same into the columns of <paramref name="into"/> from <paramref name="column"/> on.</summary>
    public static void CopyPieces(Tensor x, int groups, int start, int size, Tensor into, int column)
    {
        int width = x.Columns / groups;
        for (int t = 0; t < x.Rows; t++)
        {
            ReadOnlySpan<float> row = x.Row(t);
            Span<float> target = into.Row(t)[column..];
            for (int group = 0; group < groups; group++)
                row.Slice((group * width) + start, size).CopyTo(target[(group * size)..]);
        }
    }

    /// <summary>f(gate) × up, into gate: [T, F].</summary>
    public Tensor Gate(Activation function, Tensor gate, Tensor up)
    {
        Activations.Run(Team, function, gate, up, gate);
        return gate;
    }

    /// <summary>f(x), into x.</summary>
    public Tensor Activate(Activation function, Tensor x)
    {
        Activations.Run(Team, function, x);
        return x;
    }

    /// <summary>x += y, and returns x.</summary>
    public Tensor Add(Tensor x, Tensor y)
    {
        Elementwise.Add(x, y, x);
        return x;
    }

    /// <summary>x × factor, into x.</summary>
    public Tensor Scale(Tensor x, float factor)
    {
        if (factor != 1)
            Elementwise.Scale(x, factor);
        return x;
    }

    /// <summary>Begins a pass over the next tokens of some texts, one's behind another's; none: over rows that are no text's.</summary>
    internal void Begin(ReadOnlySpan<Stretch> texts, CancellationToken cancellation)
    {
        if (_texts.Length < texts.Length)
            _texts = new Stretch[texts.Length];
        texts.CopyTo(_texts);
        Texts = texts.Length;
        _cancellation = cancellation;
        _arena.Release();
    }

    internal void LinearInto(Tensor x, Linear layer, Tensor y)
    {
        long mark = _arena.Mark;
        MatMul.Run(Team, x, [layer.Into(y)], _arena);
        _arena.Release(mark);
        Observer?.Observe(x, layer);
        AddBias(layer, y);
    }

    private int StartOf(int text) => text == 0 ? 0 : _texts[text - 1].End;

    private KvCache CacheOf(int text) => _texts[text].Cache ?? throw new InvalidOperationException("an encoder has no cache");

    private static void AddBias(Linear layer, Tensor y)
    {
        for (int t = 0; t < y.Rows && !layer.Bias.IsEmpty; t++)
            Elementwise.Add(y.Slice(t, 1), layer.Bias, y.Slice(t, 1));
    }

    /// <summary>The tokens of one text in a pass.</summary>
    /// <param name="End">Row behind its last token; its first is where the text before it ends.</param>
    /// <param name="Position">Position of its first token.</param>
    /// <param name="Cache">What is kept of its earlier tokens; null in an encoder.</param>
    /// <param name="Ropes">The rotations of its layers.</param>
    internal readonly record struct Stretch(int End, int Position, KvCache? Cache, RopeTable[] Ropes);
}

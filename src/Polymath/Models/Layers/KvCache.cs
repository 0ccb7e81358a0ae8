using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// Keys and values of the tokens seen, for each layer a pair of tensors [rows, K·S]; position p lies in row p mod rows.
/// A layer with a sliding window keeps its window and one batch. A recurrent layer has two states, the one after
/// the tokens seen and the one being written, so that a pass that fails changes nothing, and copies of those at the end
/// of the last prompts, to which it can go back.
/// </summary>
public sealed class KvCache : IDisposable
{
    private const int Snapshots = 2;

    private readonly NativeBuffer _buffer;
    private readonly CacheLayer[] _layers;
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;
    private readonly Tensor[] _states;   // [2 + Snapshots, StateLength]
    private readonly int[] _snapshots = new int[Snapshots];   // tokens before each snapshot; 0 for none
    private readonly int[] _slack;       // positions that a layer's ring keeps beyond its window; int.MaxValue where nothing is lost
    private readonly bool _recurrent;
    private int _current;                // state row after the tokens seen

    /// <summary>Reserves room for <paramref name="capacity"/> tokens; memory is taken as they come.</summary>
    /// <param name="layers">What each layer keeps.</param>
    /// <param name="capacity">Most tokens.</param>
    /// <param name="batch">Most tokens stored in one pass.</param>
    /// <param name="keyFormat">Format of the keys: F32, F16, BF16, Q8_0, Q4_0 …</param>
    /// <param name="valueFormat">Format of the values.</param>
    /// <exception cref="ArgumentException">A head does not fill whole blocks of the format.</exception>
    public KvCache(IReadOnlyList<CacheLayer> layers, int capacity, int batch, TensorFormat keyFormat, TensorFormat valueFormat)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        Capacity = capacity;
        _layers = [.. layers];
        _keys = new Tensor[_layers.Length];
        _values = new Tensor[_layers.Length];
        _states = new Tensor[_layers.Length];
        _slack = new int[_layers.Length];
        _buffer = new NativeBuffer(ByteLength(layers, capacity, batch, keyFormat, valueFormat));
        long offset = 0;
        for (int i = 0; i < _layers.Length; i++)
        {
            CacheLayer layer = _layers[i];
            int rows = Rows(layer, capacity, batch);
            _slack[i] = rows == capacity ? int.MaxValue : rows - layer.Window;
            _keys[i] = Cut(keyFormat, rows, layer.Width);
            _values[i] = Cut(valueFormat, rows, layer.Width);
            _states[i] = Cut(TensorFormat.F32, 2 + Snapshots, layer.StateLength);
            _recurrent |= layer.StateLength > 0;
        }

        Tensor Cut(TensorFormat format, int rows, int columns)
        {
            Tensor tensor = Tensor.View(_buffer, offset, format, rows, columns);
            offset += Arena.SizeOf(rows, columns, format);
            return tensor;
        }
    }

    /// <summary>Tokens there is room for.</summary>
    public int Capacity { get; }

    /// <summary>Bytes of this cache.</summary>
    internal long Bytes => _buffer.Length;

    /// <summary>Bytes of a cache of this kind.</summary>
    /// <exception cref="ArgumentException">A head does not fill whole blocks of the format.</exception>
    public static long ByteLength(
        IReadOnlyList<CacheLayer> layers, int capacity, int batch, TensorFormat keyFormat, TensorFormat valueFormat)
    {
        ArgumentNullException.ThrowIfNull(layers);
        long sum = 0;
        foreach (CacheLayer layer in layers)
        {
            RequireFit(layer, keyFormat);
            RequireFit(layer, valueFormat);
            int rows = Rows(layer, capacity, batch);
            sum = checked(sum + Arena.SizeOf(rows, layer.Width, keyFormat) + Arena.SizeOf(rows, layer.Width, valueFormat)
                + Arena.SizeOf(2 + Snapshots, layer.StateLength));
        }

        return sum;
    }

    /// <summary>Bytes that are read for one token after <paramref name="position"/> others.</summary>
    internal static long BytesRead(IReadOnlyList<CacheLayer> layers, int position, TensorFormat keyFormat, TensorFormat valueFormat)
    {
        long sum = 0;
        foreach (CacheLayer layer in layers)
        {
            int rows = layer.Window == 0 ? position : Math.Min(position, layer.Window);
            long row = FormatInfo.RowBytes(keyFormat, layer.Width) + FormatInfo.RowBytes(valueFormat, layer.Width);
            sum += (rows * row) + (layer.StateLength * (long)sizeof(float));
        }

        return sum;
    }

    /// <summary>Keys of <paramref name="layer"/>: [rows, K·S].</summary>
    public Tensor Keys(int layer) => _keys[layer];

    /// <summary>Values of <paramref name="layer"/>: [rows, K·S].</summary>
    public Tensor Values(int layer) => _values[layer];

    /// <summary>The state of a recurrent layer after the tokens seen, and where the next one is to be written: [1, StateLength].</summary>
    public (Tensor Current, Tensor Next) State(int layer) =>
        (_states[layer].Slice(_current, 1), _states[layer].Slice(1 - _current, 1));

    /// <summary>Stores the keys and values [T, K·S] of the tokens from <paramref name="position"/> on.</summary>
    /// <exception cref="ModelFormatException">A value is not finite: the weights are damaged.</exception>
    public void Store(int layer, int position, Tensor keys, Tensor values)
    {
        Store(_keys[layer], position, keys);
        Store(_values[layer], position, values);
    }

    /// <summary>A pass is complete: the states it wrote become the current ones.</summary>
    internal void Commit() => _current = 1 - _current;

    /// <summary>Remembers the states after <paramref name="position"/> tokens, in the place of the oldest that are remembered.</summary>
    internal void TakeSnapshot(int position)
    {
        if (!_recurrent)
            return;
        int oldest = Array.IndexOf(_snapshots, _snapshots.Min());
        _snapshots[oldest] = position;
        CopyStates(_current, 2 + oldest);
    }

    /// <summary>
    /// Goes back from <paramref name="from"/> tokens to <paramref name="to"/>, or, where a window or a state has forgotten
    /// what that would need, to the last snapshot before that or to 0. Returns the tokens that are left.
    /// </summary>
    internal int Rewind(int from, int to)
    {
        if (to == from)
            return to;
        int left = to;
        if (_recurrent)
        {
            left = _snapshots.Where(position => position <= to).DefaultIfEmpty().Max();
            int row = Array.IndexOf(_snapshots, left);
            if (left > 0)
                CopyStates(2 + row, _current);
        }

        for (int i = 0; i < _layers.Length && left > 0; i++)
            left = from - left <= _slack[i] ? left : 0;
        for (int i = 0; i < Snapshots; i++)
            _snapshots[i] = _snapshots[i] <= left ? _snapshots[i] : 0;   // the others are of another text
        for (int i = 0; i < _states.Length && left == 0; i++)
            _states[i].AsFloats().Clear();
        return left;
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private void CopyStates(int from, int to)
    {
        foreach (Tensor state in _states)
            state.Row(from).CopyTo(state.Row(to));
    }

    private static int Rows(CacheLayer layer, int capacity, int batch)
    {
        if (layer.Window == 0)
            return capacity;
        long rows = ((long)layer.Window + batch + Attention.TileLength - 1) / Attention.TileLength * Attention.TileLength;
        return (int)Math.Min(capacity, rows);
    }

    private static void RequireFit(CacheLayer layer, TensorFormat format)
    {
        if (format != TensorFormat.F32 && layer.Width > 0
            && (layer.HeadSize > Attention.LargestPacked || layer.HeadSize % FormatInfo.BlockLength(format) != 0))
            throw new ArgumentException($"a head of {layer.HeadSize} elements does not fit a cache in {format}");
    }

    private static void Store(Tensor target, int position, Tensor source)
    {
        try
        {
            for (int t = 0; t < source.Rows; t++)
                BlockFormat.Quantize(target.Format, source.Row(t), target.RowData((position + t) % target.Rows));
        }
        catch (ArgumentException e)
        {
            throw new ModelFormatException($"keys or values are not finite; the weights are damaged ({e.Message})", e);
        }
    }
}

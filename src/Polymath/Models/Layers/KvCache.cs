using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// Keys and values of one text's tokens, in pages of a <see cref="KvPool"/>; of a sliding window the last pages are kept.
/// A recurrent layer has two states, the one after the tokens seen and the one being written, so that a pass that fails
/// changes nothing, and copies of those at the end of the last prompts, to which it can go back.
/// </summary>
internal sealed class KvCache : IDisposable
{
    private const int Snapshots = 2;
    private const int None = -1;

    private readonly KvPool _pool;
    private readonly int[][] _pages;      // of each group: where the text's pages lie; None where one is not held
    private readonly int[] _first;        // of each group: the first page held
    private readonly int[] _end;          // of each group: behind the last page held
    private readonly NativeBuffer? _stateBuffer;
    private readonly Tensor[] _states;    // [2 + Snapshots, StateLength]
    private readonly int[] _snapshots = new int[Snapshots];   // tokens before each snapshot; 0 for none
    private int _current;                 // state row after the tokens seen

    /// <summary>An empty text of at most <paramref name="capacity"/> tokens.</summary>
    public KvCache(KvPool pool, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _pool = pool;
        Capacity = capacity;
        _pages = new int[pool.Groups.Length][];
        for (int group = 0; group < _pages.Length; group++)
        {
            _pages[group] = new int[((long)capacity + KvPool.PageLength - 1) / KvPool.PageLength];
            _pages[group].AsSpan().Fill(None);
        }

        _first = new int[_pages.Length];
        _end = new int[_pages.Length];
        _states = new Tensor[pool.Layers.Count];
        long bytes = StateBytes(pool.Layers);
        if (bytes == 0)
            return;
        _stateBuffer = new NativeBuffer(bytes);
        long offset = 0;
        for (int i = 0; i < _states.Length; i++)
        {
            int length = pool.Layers[i].StateLength;
            _states[i] = Tensor.View(_stateBuffer, offset, 2 + Snapshots, length);
            offset += Arena.SizeOf(2 + Snapshots, length);
        }
    }

    /// <summary>Tokens the text may have.</summary>
    public int Capacity { get; }

    /// <summary>A recurrent layer has states, which belong to one position only.</summary>
    public bool IsRecurrent => _stateBuffer is not null;

    /// <summary>Bytes of the states of one text.</summary>
    public static long StateBytes(IReadOnlyList<CacheLayer> layers)
    {
        long sum = 0;
        foreach (CacheLayer layer in layers)
            sum = checked(sum + Arena.SizeOf(2 + Snapshots, layer.StateLength));
        return sum;
    }

    /// <summary>Keys of <paramref name="layer"/>: [rows, K·S]; page p of the text lies in rows from PageLength · Pages[p] on.</summary>
    public Tensor Keys(int layer) => _pool.Keys(layer);

    /// <summary>Values of <paramref name="layer"/>: [rows, K·S].</summary>
    public Tensor Values(int layer) => _pool.Values(layer);

    /// <summary>Where the text's pages of <paramref name="layer"/> lie.</summary>
    public ReadOnlySpan<int> Pages(int layer) => _pages[_pool.GroupOf(layer)];

    /// <summary>Where the text's pages of <paramref name="group"/> lie; below 0 those that are not held.</summary>
    public ReadOnlySpan<int> PagesOfGroup(int group) => _pages[group];

    /// <summary>The state of a recurrent layer after the tokens seen, and where the next one is to be written: [1, StateLength].</summary>
    public (Tensor Current, Tensor Next) State(int layer) =>
        (_states[layer].Slice(_current, 1), _states[layer].Slice(1 - _current, 1));

    /// <summary>Pages that adding <paramref name="count"/> tokens after <paramref name="position"/> takes from the pool, at most.</summary>
    public int PagesToAdd(int position, int count)
    {
        int end = (position + count + KvPool.PageLength - 1) / KvPool.PageLength, most = 0;
        foreach (int have in _end)
            most = Math.Max(most, end - have);
        return position % KvPool.PageLength == 0 ? most : most + 1;   // one for the copy of a last page that is shared
    }

    /// <summary>
    /// Takes the pages for <paramref name="count"/> tokens after <paramref name="position"/>, and lets go of those that
    /// lie before the window of all of them. False, with nothing to be undone, where the pool has too few.
    /// </summary>
    public bool TryReserve(int position, int count)
    {
        int end = (position + count + KvPool.PageLength - 1) / KvPool.PageLength;
        for (int group = 0; group < _pages.Length; group++)
        {
            KvPool.Group pool = _pool.Groups[group];
            if (!TryOwnLast(group, position))
                return false;
            for (; _end[group] < end; _end[group]++)
            {
                if (_end[group] - _first[group] == pool.PerText)
                    Let(group, _first[group]++);
                int page = pool.Take();
                if (page < 0)
                    return false;
                _pages[group][_end[group]] = page;
            }
        }

        return true;
    }

    /// <summary>Stores the keys and values [T, K·S] of the tokens from <paramref name="position"/> on.</summary>
    /// <exception cref="ModelFormatException">A value is not finite: the weights are damaged.</exception>
    public void Store(int layer, int position, Tensor keys, Tensor values)
    {
        Store(_pool.Keys(layer), Pages(layer), position, keys);
        Store(_pool.Values(layer), Pages(layer), position, values);
    }

    /// <summary>A pass is complete: the states it wrote become the current ones.</summary>
    public void Commit() => _current = 1 - _current;

    /// <summary>Remembers the states after <paramref name="position"/> tokens, in the place of the oldest that are remembered.</summary>
    public void TakeSnapshot(int position)
    {
        if (!IsRecurrent)
            return;
        int oldest = Array.IndexOf(_snapshots, _snapshots.Min());
        _snapshots[oldest] = position;
        CopyStates(_current, 2 + oldest);
    }

    /// <summary>
    /// Goes back from <paramref name="from"/> tokens to <paramref name="to"/>, or, where a window or a state has forgotten
    /// what that would need, to the last snapshot before that or to 0. Returns the tokens that are left.
    /// </summary>
    public int Rewind(int from, int to)
    {
        if (to == from)
            return to;
        int left = to;
        if (IsRecurrent)
        {
            left = _snapshots.Where(position => position <= to).DefaultIfEmpty().Max();
            int row = Array.IndexOf(_snapshots, left);
            if (left > 0)
                CopyStates(2 + row, _current);
        }

        for (int group = 0; group < _pages.Length && left > 0; group++)
        {
            int window = _pool.Groups[group].Window;
            left = window == 0 || Math.Max(0, left + 1 - window) >= _first[group] * KvPool.PageLength ? left : 0;
        }

        for (int i = 0; i < Snapshots; i++)
            _snapshots[i] = _snapshots[i] <= left ? _snapshots[i] : 0;   // the others are of another text
        for (int i = 0; i < _states.Length && left == 0 && IsRecurrent; i++)
            _states[i].AsFloats().Clear();
        Truncate(left);
        return left;
    }

    /// <summary>
    /// An empty text begins with the pages of another: whole pages are shared, of the last, if it is not full, a copy is made.
    /// </summary>
    /// <param name="pages">For each group where the pages lie; below 0 those before the window.</param>
    /// <param name="tokens">Tokens in them.</param>
    /// <returns>False, with nothing taken, where the pool has no page for the copy.</returns>
    public bool TryBegin(ReadOnlySpan<int[]> pages, int tokens)
    {
        int whole = tokens / KvPool.PageLength, rest = tokens % KvPool.PageLength;
        for (int group = 0; group < _pages.Length; group++)
        {
            KvPool.Group pool = _pool.Groups[group];
            int copy = rest == 0 ? None : pool.Take();
            if (rest > 0 && copy < 0)
            {
                Truncate(0);
                return false;
            }

            int first = 0;
            for (int i = 0; i < whole; i++)
            {
                int page = pages[group][i];
                _pages[group][i] = page;
                if (page < 0)
                    first = i + 1;
                else
                    pool.Share(page);
            }

            if (rest > 0)
            {
                _pool.Copy(group, pages[group][whole], copy, rest);
                _pages[group][whole] = copy;
            }

            _first[group] = first;
            _end[group] = whole + (rest > 0 ? 1 : 0);
        }

        return true;
    }

    /// <summary>Lets go of all pages.</summary>
    public void Dispose()
    {
        Truncate(0);
        _stateBuffer?.Dispose();
    }

    private void Let(int group, int index)
    {
        _pool.Groups[group].Release(_pages[group][index]);
        _pages[group][index] = None;
    }

    /// <summary>A page that others hold too is not written on: what comes after <paramref name="position"/> goes into a copy.</summary>
    private bool TryOwnLast(int group, int position)
    {
        int index = position / KvPool.PageLength, tokens = position % KvPool.PageLength;
        KvPool.Group pool = _pool.Groups[group];
        if (tokens == 0 || pool.Uses(_pages[group][index]) == 1)
            return true;
        int copy = pool.Take();
        if (copy < 0)
            return false;
        _pool.Copy(group, _pages[group][index], copy, tokens);
        Let(group, index);
        _pages[group][index] = copy;
        return true;
    }

    /// <summary>Lets go of the pages behind the first <paramref name="tokens"/> tokens.</summary>
    private void Truncate(int tokens)
    {
        int end = (tokens + KvPool.PageLength - 1) / KvPool.PageLength;
        for (int group = 0; group < _pages.Length; group++)
        {
            while (_end[group] > Math.Max(end, _first[group]))
                Let(group, --_end[group]);
            if (_end[group] > end)
                (_first[group], _end[group]) = (end, end);
        }
    }

    private void CopyStates(int from, int to)
    {
        foreach (Tensor state in _states)
            state.Row(from).CopyTo(state.Row(to));
    }

    private static void Store(Tensor target, ReadOnlySpan<int> pages, int position, Tensor source)
    {
        try
        {
            for (int t = 0; t < source.Rows; t++)
            {
                int at = position + t, row = (pages[at / KvPool.PageLength] * KvPool.PageLength) + (at % KvPool.PageLength);
                BlockFormat.Quantize(target.Format, source.Row(t), target.RowData(row));
            }
        }
        catch (ArgumentException e)
        {
            throw new ModelFormatException($"keys or values are not finite; the weights are damaged ({e.Message})", e);
        }
    }
}

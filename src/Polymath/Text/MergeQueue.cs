using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Polymath.Text;

/// <summary>How neighbouring nodes join.</summary>
internal interface IMergeRule
{
    /// <summary>Order in which two neighbours join, the lowest first, or <see cref="MergeTable.Never"/>.</summary>
    /// <param name="left">Node on the left.</param>
    /// <param name="right">Its right neighbour.</param>
    /// <param name="end">The node after <paramref name="right"/>, or the number of nodes.</param>
    int Order(int left, int right, int end);

    /// <summary>The pair that <see cref="Order"/> was last asked about for <paramref name="left"/> is now one node there.</summary>
    void Join(int left);
}

/// <summary>
/// Joins neighbours in the order of a rule, leftmost first among equals, in O(n log n) for any text. The orders stand in
/// a tournament of 16 per knot: the leaves are the pairs by position, each knot holds the lowest order below it. Unlike a
/// heap it holds no stale pairs, and runs of one character touch memory from left to right.
/// </summary>
internal sealed class MergeQueue
{
    private const int Fan = 16;

    /// <summary>Work space for more nodes than this is not kept.</summary>
    private const int KeptNodes = 1 << 16;

    private int[] _next = [];
    private int[] _previous = [];
    private int[] _results = [];
    private int[] _orders = []; // the leaves, then each level of knots
    private int[] _levels = []; // where in _orders each level starts

    /// <summary>Joins tokens as <paramref name="table"/> says; returns how many are left in front of <paramref name="ids"/>.</summary>
    public int Merge(Span<int> ids, MergeTable table)
    {
        if (_results.Length < ids.Length)
            _results = new int[Capacity(ids.Length)];
        var rule = new TableRule(table, ids, _results);
        Run(ref rule, ids.Length);
        int count = 0;
        for (int node = 0; node < ids.Length; node = _next[node])
            ids[count++] = ids[node];
        if (ids.Length > KeptNodes)
            Release();
        return count;
    }

    /// <summary>Joins nodes 0 … <paramref name="count"/> - 1 until the rule allows no pair.</summary>
    public void Run<TRule>(ref TRule rule, int count)
        where TRule : struct, IMergeRule, allows ref struct
    {
        Start(ref rule, count);
        int[] next = _next;
        int[] previous = _previous;
        for (int left = First(); left >= 0; left = First())
        {
            int right = next[left];
            int end = next[right];
            rule.Join(left);
            next[left] = end;
            Set(right, MergeTable.Never);
            if (end < count)
            {
                previous[end] = left;
                Set(left, rule.Order(left, end, next[end]));
            }
            else
            {
                Set(left, MergeTable.Never);
            }

            int before = previous[left];
            if (before >= 0)
                Set(before, rule.Order(before, left, end));
        }
    }

    /// <summary>The node after <paramref name="node"/> when <see cref="Run"/> has returned; the number of nodes at the end.</summary>
    public int Next(int node) => _next[node];

    /// <summary>Lets go of work space that is too large to keep.</summary>
    public void Release()
    {
        if (_next.Length <= Capacity(KeptNodes))
            return;
        _next = _previous = _results = _orders = [];
    }

    private static int Capacity(int count) => (int)Math.Min((long)Array.MaxLength, Math.Max(256L, count + (count / 2)));

    private void Start<TRule>(ref TRule rule, int count)
        where TRule : struct, IMergeRule, allows ref struct
    {
        if (_next.Length < count)
        {
            _next = new int[Capacity(count)];
            _previous = new int[Capacity(count)];
        }

        Layout(count);
        for (int i = 0; i < count; i++)
        {
            _previous[i] = i - 1;
            _next[i] = i + 1;
        }

        for (int i = 0; i + 1 < count; i++)
            _orders[i] = rule.Order(i, i + 1, i + 2);
        for (int level = 1; level < _levels.Length; level++)
        {
            int below = _levels[level - 1];
            int size = (_levels[level] - below) / Fan;
            for (int i = 0; i < size; i++)
                _orders[_levels[level] + i] = Lowest(below + (i * Fan));
        }
    }

    /// <summary>Sets out the levels, each padded to whole knots, all orders Never.</summary>
    private void Layout(int count)
    {
        Span<int> starts = stackalloc int[10];
        int levels = 0;
        int total = 0;
        for (int size = count; ; size = (size + Fan - 1) / Fan)
        {
            starts[levels++] = total;
            total = checked(total + ((size + Fan - 1) / Fan * Fan));
            if (size <= Fan)
                break;
        }

        if (_levels.Length != levels)
            _levels = new int[levels];
        starts[..levels].CopyTo(_levels);
        if (_orders.Length < total)
            _orders = new int[Capacity(total)];
        Array.Fill(_orders, MergeTable.Never, 0, total);
    }

    /// <summary>The leftmost pair of the lowest order, or -1 when none is left.</summary>
    private int First()
    {
        int top = _levels.Length - 1;
        int lowest = Lowest(_levels[top]);
        if (lowest == MergeTable.Never)
            return -1;
        int index = 0;
        for (int level = top; level >= 0; level--)
        {
            int block = index * Fan;
            index = block + _orders.AsSpan(_levels[level] + block, Fan).IndexOf(lowest);
        }

        return index;
    }

    private void Set(int leaf, int order)
    {
        int[] orders = _orders;
        int index = leaf;
        for (int level = 0; ; level++)
        {
            ref int slot = ref orders[_levels[level] + index];
            if (slot == order)
                return;
            slot = order;
            if (level == _levels.Length - 1)
                return;
            order = Lowest(_levels[level] + (index & -Fan));
            index /= Fan;
        }
    }

    private int Lowest(int start)
    {
        ReadOnlySpan<Vector128<int>> four = MemoryMarshal.Cast<int, Vector128<int>>(_orders.AsSpan(start, Fan));
        Vector128<int> low = Vector128.Min(Vector128.Min(four[0], four[1]), Vector128.Min(four[2], four[3]));
        low = Vector128.Min(low, Vector128.Shuffle(low, Vector128.Create(2, 3, 0, 1)));
        return Math.Min(low[0], low[1]);
    }

    private readonly ref struct TableRule(MergeTable table, Span<int> ids, int[] results) : IMergeRule
    {
        private readonly Span<int> _ids = ids;

        public int Order(int left, int right, int end) => table.Find(_ids[left], _ids[right], out results[left]);

        public void Join(int left) => _ids[left] = results[left];
    }
}

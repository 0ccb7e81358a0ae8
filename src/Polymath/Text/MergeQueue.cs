using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Polymath.Text;

/// <summary>How neighbouring nodes join. A node is named by where its first symbol stood at the start.</summary>
internal interface IMergeRule
{
    /// <summary>Order in which two neighbours join, the lowest first, or <see cref="MergeTable.Never"/>.</summary>
    /// <param name="left">Node on the left.</param>
    /// <param name="right">Its right neighbour.</param>
    /// <param name="end">The node after <paramref name="right"/>, or the number of nodes.</param>
    int Order(int left, int right, int end);

    /// <summary>Two neighbours become one node, <paramref name="left"/>.</summary>
    void Join(int left, int right);
}

/// <summary>
/// Joins neighbours in the order of a rule, leftmost first among equals, in O(n log n) for any text. The orders stand in
/// a tournament of 16 per knot: the leaves are the pairs by position, each knot holds the lowest order below it. Unlike a
/// heap it holds no stale pairs, and in runs of one character each step finds the next pair beside the last.
/// </summary>
internal sealed class MergeQueue
{
    private const int Fan = 16;
    private const int FanBits = 4;

    /// <summary>Work space for more nodes than this is not kept.</summary>
    private const int KeptNodes = 1 << 16;

    /// <summary>
    /// At the first place of a node its end, which is the first place of the next node; at the last place of a node of
    /// several symbols its first place. Both ways through the list in one array.
    /// </summary>
    private int[] _links = [];

    private int[] _orders = []; // the leaves, then each level of knots
    private int[] _levels = []; // where in _orders each level starts

    /// <summary>Joins tokens as <paramref name="table"/> says; returns how many are left in front of <paramref name="ids"/>.</summary>
    public int Merge(Span<int> ids, MergeTable table)
    {
        var rule = new TableRule(table, ids);
        Run(ref rule, ids.Length);
        int count = 0;
        for (int node = 0; node < ids.Length; node = _links[node])
            ids[count++] = ids[node];
        return count;
    }

    /// <summary>Joins nodes 0 … <paramref name="count"/> - 1 until the rule allows no pair.</summary>
    public void Run<TRule>(ref TRule rule, int count)
        where TRule : struct, IMergeRule, allows ref struct
    {
        Start(ref rule, count);
        int[] links = _links;
        int left = First(Lowest(_levels[^1]));
        while (left >= 0)
        {
            int order = _orders[left];
            int right = links[left];
            int end = links[right];
            rule.Join(left, right);
            links[left] = end;
            links[end - 1] = left;
            Set(right, MergeTable.Never);
            Set(left, end < count ? rule.Order(left, end, links[end]) : MergeTable.Never);
            int beforeOrder = MergeTable.Never;
            if (left > 0)
            {
                int before = links[left - 1] >= left ? left - 1 : links[left - 1];
                beforeOrder = rule.Order(before, left, end);
                Set(before, beforeOrder);
            }

            int lowest = Lowest(_levels[^1]);
            bool goesOn = lowest == order && beforeOrder > order; // then the next pair is not to the left of here
            left = goesOn ? FirstFrom(left, lowest) : First(lowest);
        }
    }

    /// <summary>The node after <paramref name="node"/> when <see cref="Run"/> has returned; the number of nodes at the end.</summary>
    public int Next(int node) => _links[node];

    /// <summary>Lets go of work space that is too large to keep.</summary>
    public void Release()
    {
        if (_links.Length > Capacity(KeptNodes))
            _links = _orders = [];
    }

    private static int Capacity(int count) => (int)Math.Min(Array.MaxLength, Math.Max(256L, count + (count / 8L)));

    private void Start<TRule>(ref TRule rule, int count)
        where TRule : struct, IMergeRule, allows ref struct
    {
        if (_links.Length < count)
            _links = new int[Capacity(count)];
        Layout(count);
        for (int i = 0; i < count; i++)
            _links[i] = i + 1;
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

    /// <summary>The leftmost pair of the order <paramref name="lowest"/>, which is that of all; -1 when no pair is left.</summary>
    private int First(int lowest) => lowest == MergeTable.Never ? -1 : Descend(_levels.Length, 0, lowest);

    /// <summary>The same where it is known not to be to the left of <paramref name="leaf"/>.</summary>
    private int FirstFrom(int leaf, int lowest)
    {
        int index = leaf;
        for (int level = 0; level < _levels.Length; level++)
        {
            int rest = Fan - (index & (Fan - 1));
            int found = _orders.AsSpan(_levels[level] + index, rest).IndexOf(lowest);
            if (found >= 0)
                return Descend(level, index + found, lowest);
            index = (index >> FanBits) + 1;
        }

        return First(lowest);
    }

    /// <summary>The leftmost leaf of an order below a knot that has it.</summary>
    private int Descend(int level, int index, int order)
    {
        while (level-- > 0)
            index = (index << FanBits) + _orders.AsSpan(_levels[level] + (index << FanBits), Fan).IndexOf(order);
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
            index >>= FanBits;
        }
    }

    private int Lowest(int start)
    {
        ReadOnlySpan<Vector128<int>> four = MemoryMarshal.Cast<int, Vector128<int>>(_orders.AsSpan(start, Fan));
        Vector128<int> low = Vector128.Min(Vector128.Min(four[0], four[1]), Vector128.Min(four[2], four[3]));
        low = Vector128.Min(low, Vector128.Shuffle(low, Vector128.Create(2, 3, 0, 1)));
        return Math.Min(low[0], low[1]);
    }

    private readonly ref struct TableRule(MergeTable table, Span<int> ids) : IMergeRule
    {
        private readonly Span<int> _ids = ids;

        public int Order(int left, int right, int end) => table.Find(_ids[left], _ids[right], out _);

        public void Join(int left, int right)
        {
            table.Find(_ids[left], _ids[right], out int result);
            _ids[left] = result;
        }
    }
}

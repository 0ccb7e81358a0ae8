using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Polymath.Text;

/// <summary>Which two neighbouring tokens join, in what order, and into what: the heart of byte-pair encoding.</summary>
internal sealed class MergeTable
{
    /// <summary>Order of a pair that never joins.</summary>
    public const int Never = int.MaxValue;

    private const ulong Free = ulong.MaxValue;

    private static readonly ulong Seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) | 1;

    private readonly Slot[] _slots;
    private readonly int _shift;

    /// <summary>Makes an empty table.</summary>
    /// <param name="capacity">Most pairs that will be added.</param>
    public MergeTable(int capacity)
    {
        int bits = 64 - BitOperations.LeadingZeroCount((ulong)Math.Max(capacity, 1) * 2);
        _slots = new Slot[1 << bits];
        Array.Fill(_slots, new Slot { Pair = Free, Order = Never, Result = -1 });
        _shift = 64 - bits;
    }

    /// <summary>Adds a pair; false when it was there already, which keeps the earlier order.</summary>
    public bool Add(int left, int right, int order, int result)
    {
        ulong pair = Key(left, right);
        int at = (int)((pair * Seed) >> _shift);
        for (; _slots[at].Pair != Free; at = (at + 1) & (_slots.Length - 1))
        {
            if (_slots[at].Pair == pair)
                return false;
        }

        _slots[at] = new Slot { Pair = pair, Order = order, Result = result };
        return true;
    }

    /// <summary>Order in which the pair joins, the lowest first, or <see cref="Never"/>; and the token it becomes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int left, int right, out int result)
    {
        ulong pair = Key(left, right);
        Slot[] slots = _slots;
        for (int at = (int)((pair * Seed) >> _shift); ; at++)
        {
            // A free slot says Never, also to two symbols without a token, whose key is that of a free slot.
            ref Slot slot = ref slots[at & (slots.Length - 1)];
            if (slot.Pair == pair || slot.Pair == Free)
            {
                result = slot.Result;
                return slot.Order;
            }
        }
    }

    /// <summary>Joins pairs in <paramref name="ids"/> until none is left that may; returns how many ids remain in front.</summary>
    /// <param name="ids">Tokens in text order; -1 for what has no token, which joins nothing.</param>
    /// <param name="queue">Work space.</param>
    public int Merge(Span<int> ids, MergeQueue queue) =>
        ids.Length <= ShortLength ? MergeShort(ids) : queue.Merge(ids, this);

    /// <summary>Up to here looking through all pairs each time beats keeping them in order.</summary>
    private const int ShortLength = 48;

    [SkipLocalsInit]
    private int MergeShort(Span<int> ids)
    {
        Span<int> orders = stackalloc int[ShortLength];
        Span<int> results = stackalloc int[ShortLength];
        int count = ids.Length;
        for (int i = 0; i + 1 < count; i++)
            orders[i] = Find(ids[i], ids[i + 1], out results[i]);
        while (count > 1)
        {
            int best = Never;
            int at = 0;
            for (int i = 0; i + 1 < count; i++)
            {
                if (orders[i] < best)
                {
                    best = orders[i];
                    at = i;
                }
            }

            if (best == Never)
                break;
            ids[at] = results[at];
            count--;
            for (int i = at + 1; i < count; i++)
            {
                ids[i] = ids[i + 1];
                orders[i] = orders[i + 1];
                results[i] = results[i + 1];
            }

            if (at > 0)
                orders[at - 1] = Find(ids[at - 1], ids[at], out results[at - 1]);
            if (at + 1 < count)
                orders[at] = Find(ids[at], ids[at + 1], out results[at]);
        }

        return count;
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private struct Slot
    {
        public ulong Pair;
        public int Order;
        public int Result;
    }
}

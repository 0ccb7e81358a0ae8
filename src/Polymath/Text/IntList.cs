namespace Polymath.Text;

/// <summary>A growing list of integers whose memory is used again.</summary>
internal sealed class IntList
{
    private const int Kept = 1 << 18;

    private int[] _items = new int[256];

    /// <summary>Number of integers.</summary>
    public int Count { get; private set; }

    /// <summary>The integers; valid until the next change.</summary>
    public ReadOnlySpan<int> Span => _items.AsSpan(0, Count);

    /// <summary>Adds one.</summary>
    public void Add(int value)
    {
        if (Count == _items.Length)
            Grow(1);
        _items[Count++] = value;
    }

    /// <summary>Adds all of <paramref name="values"/>.</summary>
    public void Add(ReadOnlySpan<int> values)
    {
        if (_items.Length - Count < values.Length)
            Grow(values.Length);
        values.CopyTo(_items.AsSpan(Count));
        Count += values.Length;
    }

    /// <summary>Forgets all from a place on.</summary>
    public void Truncate(int count) => Count = Math.Min(Count, count);

    /// <summary>Forgets all; very large memory is let go.</summary>
    public void Clear()
    {
        Count = 0;
        if (_items.Length > Kept)
            _items = new int[256];
    }

    private void Grow(int by)
    {
        long wanted = Math.Max((long)_items.Length * 2, (long)Count + by);
        Array.Resize(ref _items, checked((int)Math.Min(wanted, Math.Max((long)Array.MaxLength, (long)Count + by))));
    }
}

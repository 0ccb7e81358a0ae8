namespace Polymath.Tensors;

/// <summary>
/// Scratch memory of one forward pass: tensors are cut off the front and given back to a mark. A pass that needs more
/// than was reserved adds a buffer, which then stays: once a pass of some size has run, one of that size allocates
/// nothing.
/// </summary>
public sealed unsafe class Arena : IDisposable
{
    private const int OffsetBits = 48;              // of a mark; the buffer's index is above
    private const int MostBuffers = 1 << 12;

    private readonly List<NativeBuffer> _buffers = [];
    private int _buffer;   // in use
    private long _used;    // of that buffer

    /// <summary>Reserves <paramref name="capacity"/> bytes; memory is taken as it is used.</summary>
    public Arena(long capacity) => _buffers.Add(new NativeBuffer(capacity));

    /// <summary>What is cut off so far; give it to <see cref="Release"/> to free what was rented since.</summary>
    public long Mark => ((long)_buffer << OffsetBits) | _used;

    /// <summary>Bytes in all buffers.</summary>
    public long Capacity
    {
        get
        {
            long sum = 0;
            foreach (NativeBuffer buffer in _buffers)
                sum += buffer.Length;
            return sum;
        }
    }

    /// <summary>Bytes a tensor takes from an arena, padding included.</summary>
    public static long SizeOf(int rows, int columns, TensorFormat format = TensorFormat.F32) =>
        checked((FormatInfo.RowBytes(format, columns) * rows + NativeBuffer.Alignment - 1)
            / NativeBuffer.Alignment * NativeBuffer.Alignment);

    /// <summary>An F32 tensor [rows, columns]; its elements hold whatever was there before.</summary>
    /// <exception cref="InvalidOperationException">Far too many tensors are rented at once.</exception>
    public Tensor Rent(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        long size = SizeOf(rows, columns);
        while (size > _buffers[_buffer].Length - _used)
            NextBuffer(size);
        NativeBuffer buffer = _buffers[_buffer];
        var tensor = new Tensor(buffer, buffer.Data + _used, TensorFormat.F32, rows, columns);
        _used += size;
        return tensor;
    }

    /// <summary>Gives back everything rented since <paramref name="mark"/> was read.</summary>
    public void Release(long mark = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(mark);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(mark, Mark);
        _buffer = (int)(mark >> OffsetBits);
        _used = mark & ((1L << OffsetBits) - 1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NativeBuffer buffer in _buffers)
            buffer.Dispose();
    }

    private void NextBuffer(long size)
    {
        if (_buffer == MostBuffers - 1)
            throw new InvalidOperationException($"arena full: {size} bytes asked, {Capacity} in {_buffers.Count} buffers");
        if (_buffer == _buffers.Count - 1)
            _buffers.Add(new NativeBuffer(Math.Max(size, _buffers[^1].Length)));
        _buffer++;
        _used = 0;
    }
}

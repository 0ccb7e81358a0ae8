namespace Polymath.Tensors;

/// <summary>
/// Scratch memory of one forward pass: tensors are cut off the front, and all are given back at once.
/// Nothing is allocated after the constructor.
/// </summary>
public sealed unsafe class Arena : IDisposable
{
    private readonly NativeBuffer _buffer;
    private long _used;

    /// <summary>Reserves <paramref name="capacity"/> bytes.</summary>
    public Arena(long capacity) => _buffer = new NativeBuffer(capacity);

    /// <summary>Bytes cut off so far; give it to <see cref="Release"/> to free what was rented since.</summary>
    public long Mark => _used;

    /// <summary>Bytes in all.</summary>
    public long Capacity => _buffer.Length;

    /// <summary>Bytes a tensor takes from an arena, padding included.</summary>
    public static long SizeOf(int rows, int columns, TensorFormat format = TensorFormat.F32) =>
        checked((FormatInfo.RowBytes(format, columns) * rows + NativeBuffer.Alignment - 1)
            / NativeBuffer.Alignment * NativeBuffer.Alignment);

    /// <summary>An F32 tensor [rows, columns]; its elements hold whatever was there before.</summary>
    /// <exception cref="InvalidOperationException">The arena is full: its owner reserved too little.</exception>
    public Tensor Rent(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        long size = SizeOf(rows, columns);
        if (size > _buffer.Length - _used)
            throw new InvalidOperationException($"arena full: {size} bytes asked, {_buffer.Length - _used} left");
        var tensor = new Tensor(_buffer, _buffer.Data + _used, TensorFormat.F32, rows, columns);
        _used += size;
        return tensor;
    }

    /// <summary>Gives back everything rented since <paramref name="mark"/> was read.</summary>
    public void Release(long mark = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(mark);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(mark, _used);
        _used = mark;
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();
}

using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// A view of [rows, columns] elements in one format, rows contiguous, over memory that something else owns
/// (a <see cref="NativeBuffer"/>, an <see cref="Arena"/>, a mapped file). A value type: slicing allocates nothing.
/// Bounds are proven when a view is made, so kernels need not check again.
/// </summary>
public readonly unsafe struct Tensor
{
    private readonly object? _owner;   // keeps the memory alive while the view is

    /// <summary>Makes a view over memory whose size the caller has proven.</summary>
    internal Tensor(object? owner, byte* data, TensorFormat format, int rows, int columns)
    {
        _owner = owner;
        Data = data;
        Format = format;
        Rows = rows;
        Columns = columns;
    }

    /// <summary>First byte.</summary>
    internal byte* Data { get; }

    /// <summary>First element of an F32 tensor; call <see cref="RequireF32()"/> at the door first.</summary>
    internal float* Floats => (float*)Data;

    /// <summary>What owns the memory; a kernel that works on raw pointers keeps it alive to its end.</summary>
    internal object? Owner => _owner;

    /// <summary>How the elements are stored.</summary>
    public TensorFormat Format { get; }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Elements in a row.</summary>
    public int Columns { get; }

    /// <summary>True for the default value, a tensor that is not there (an absent bias, say).</summary>
    public bool IsEmpty => Data is null;

    /// <summary>Bytes of one row.</summary>
    public long RowBytes => FormatInfo.RowBytes(Format, Columns);

    /// <summary>Bytes of all rows.</summary>
    public long ByteLength => RowBytes * Rows;

    /// <summary>Elements in all rows.</summary>
    public long ElementCount => (long)Rows * Columns;

    /// <summary>A new zeroed F32 tensor [rows, columns] with memory of its own.</summary>
    public static Tensor Zeros(int rows, int columns) => Zeros(TensorFormat.F32, rows, columns);

    /// <summary>A new zeroed tensor [rows, columns] with memory of its own.</summary>
    /// <exception cref="ArgumentException">The columns are no multiple of the format's block.</exception>
    public static Tensor Zeros(TensorFormat format, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        var buffer = new NativeBuffer(checked(FormatInfo.RowBytes(format, columns) * rows));
        return new Tensor(buffer, buffer.Data, format, rows, columns);
    }

    /// <summary>A new F32 tensor [rows, columns] holding a copy of <paramref name="values"/>.</summary>
    public static Tensor From(ReadOnlySpan<float> values, int rows, int columns)
    {
        if (values.Length != (long)rows * columns)
            throw new ArgumentException($"{values.Length} values do not fill [{rows}, {columns}]", nameof(values));
        Tensor tensor = Zeros(rows, columns);
        values.CopyTo(tensor.AsFloats());
        return tensor;
    }

    /// <summary>An F32 view [rows, columns] of <paramref name="buffer"/> from byte <paramref name="offset"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The view does not lie inside the buffer, or is not aligned to 4 bytes.</exception>
    public static Tensor View(NativeBuffer buffer, long offset, int rows, int columns) =>
        View(buffer, offset, TensorFormat.F32, rows, columns);

    /// <summary>A view [rows, columns] of <paramref name="buffer"/> from byte <paramref name="offset"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The view does not lie inside the buffer, or is not aligned to 4 bytes.</exception>
    /// <exception cref="ArgumentException">The columns are no multiple of the format's block.</exception>
    public static Tensor View(NativeBuffer buffer, long offset, TensorFormat format, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        long bytes = checked(FormatInfo.RowBytes(format, columns) * rows);
        if (offset < 0 || offset % sizeof(float) != 0 || offset > buffer.Length - bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{rows}, {columns}] at byte {offset} of {buffer.Length}");
        return new Tensor(buffer, buffer.Data + offset, format, rows, columns);
    }

    /// <summary>The whole F32 tensor as one span.</summary>
    /// <exception cref="InvalidOperationException">Not F32, or more than 2^31 − 1 elements.</exception>
    public Span<float> AsFloats()
    {
        RequireF32();
        if (ElementCount > int.MaxValue)
            throw new InvalidOperationException($"{this} is too large for one span");
        return new Span<float>(Data, (int)ElementCount);
    }

    /// <summary>Row <paramref name="row"/> of an F32 tensor.</summary>
    public Span<float> Row(int row)
    {
        RequireF32();
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new Span<float>((float*)Data + (long)row * Columns, Columns);
    }

    /// <summary>The stored bytes of row <paramref name="row"/>.</summary>
    public Span<byte> RowData(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return new Span<byte>(Data + RowBytes * row, checked((int)RowBytes));
    }

    /// <summary>A view of <paramref name="count"/> rows from <paramref name="start"/>.</summary>
    public Tensor Slice(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (start > Rows - count)
            throw new ArgumentOutOfRangeException(nameof(count), $"rows {start}..{(long)start + count} of {this}");
        return new Tensor(_owner, Data + RowBytes * start, Format, count, Columns);
    }

    /// <summary>The same F32 elements under another shape of equal size.</summary>
    public Tensor Reshape(int rows, int columns)
    {
        RequireF32();
        if ((long)rows * columns != ElementCount || rows < 0)
            throw new ArgumentException($"{this} does not reshape to [{rows}, {columns}]");
        return new Tensor(_owner, Data, Format, rows, columns);
    }

    /// <summary>Elements <paramref name="start"/> … start + count − 1 of an F32 tensor, row after row, as one row [1, count].</summary>
    public Tensor Elements(int start, int count) => Reshape(checked((int)ElementCount), 1).Slice(start, count).Reshape(1, count);

    /// <summary>Throws unless the elements are F32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void RequireF32()
    {
        if (Format != TensorFormat.F32 || Data is null)
            ThrowNotF32();
    }

    /// <summary>Throws unless this is F32 [<paramref name="rows"/>, <paramref name="columns"/>].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void RequireF32(int rows, int columns, string operation)
    {
        RequireF32();
        if (Rows != rows || Columns != columns)
            ThrowShape(rows, columns, operation);
    }

    /// <summary>Keeps the memory from being collected up to this point, after the last use of a pointer into it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void KeepAlive() => GC.KeepAlive(_owner);

    /// <inheritdoc/>
    public override string ToString() => $"{Format} [{Rows}, {Columns}]";

    private void ThrowNotF32() => throw new InvalidOperationException($"{this}: F32 elements needed");

    private void ThrowShape(int rows, int columns, string operation) =>
        throw new ArgumentException($"{operation}: [{Rows}, {Columns}] given, [{rows}, {columns}] needed");
}

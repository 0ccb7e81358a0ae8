namespace Polymath.Tensors;

/// <summary>
/// Weights [N, K] once more, so that a matmul reads them at the speed of memory: formats of integers rearranged, sixteen rows
/// side by side; halves as they are, but in memory that can have huge pages, which a mapped file has not. As large as the
/// stored weights, up to the rows that fill the last sixteen.
/// </summary>
/// <remarks>A value: slices, and all that was made one behind the other, share the memory, which <see cref="Free"/> gives back.</remarks>
public readonly unsafe struct InterleavedMatrix
{
    private readonly NativeBuffer? _buffer;
    private readonly long _offset;

    private InterleavedMatrix(NativeBuffer buffer, long offset, TensorFormat format, int rows, int columns)
    {
        _buffer = buffer;
        _offset = offset;
        Format = format;
        Rows = rows;
        Columns = columns;
    }

    /// <summary>How the elements are stored.</summary>
    public TensorFormat Format { get; }

    /// <summary>N.</summary>
    public int Rows { get; }

    /// <summary>K.</summary>
    public int Columns { get; }

    /// <summary>True for the default value: there is no interleaved form.</summary>
    public bool IsEmpty => _buffer is null;

    internal object? Owner => _buffer;

    internal byte* Data => _buffer is null ? null : _buffer.Data + _offset;

    /// <summary>True when weights of this format are faster interleaved.</summary>
    public static bool Pays(TensorFormat format) => Cpu.InstructionSet != InstructionSet.Scalar && IsPossible(format);

    /// <summary>Bytes that the interleaved form of [rows, columns] takes.</summary>
    /// <exception cref="ArgumentException">The columns fill no whole blocks.</exception>
    public static long ByteLength(TensorFormat format, int rows, int columns) =>
        checked(FormatInfo.RowBytes(format, columns) * ((rows + (long)Interleaving.Rows - 1) / Interleaving.Rows) * Interleaving.Rows);

    /// <summary>Interleaves <paramref name="weight"/>.</summary>
    /// <param name="team">Threads that do it.</param>
    /// <param name="weight">In a format for which it pays.</param>
    /// <param name="previous">Where its memory has room behind it the new one goes there: small weights alone are too small for huge pages.</param>
    /// <param name="reserve">Bytes of the memory that is taken where there is no room; what is never used of them costs nothing.</param>
    /// <exception cref="ArgumentException">A format that is not interleaved, or an empty tensor.</exception>
    /// <exception cref="OutOfMemoryException">The system has no memory left.</exception>
    public static InterleavedMatrix From(ThreadTeam team, Tensor weight, InterleavedMatrix previous = default, long reserve = 0)
    {
        ArgumentNullException.ThrowIfNull(team);
        if (weight.IsEmpty || weight.Rows == 0 || !IsPossible(weight.Format))
            throw new ArgumentException($"{weight} cannot be interleaved", nameof(weight));
        long bytes = ByteLength(weight.Format, weight.Rows, weight.Columns);
        NativeBuffer? buffer = previous._buffer;
        long offset = previous.End;
        if (buffer is null || buffer.Length - offset < bytes)
            (buffer, offset) = (new NativeBuffer(Math.Max(bytes, reserve)), 0);
        var job = new Job { Weight = weight, Target = buffer.Data + offset };
        team.Run(ref job, (weight.Rows + Interleaving.Rows - 1) / Interleaving.Rows);
        weight.KeepAlive();
        return new InterleavedMatrix(buffer, offset, weight.Format, weight.Rows, weight.Columns);
    }

    /// <summary>A view of <paramref name="count"/> rows from <paramref name="start"/>; empty where these do not begin and end with sixteen.</summary>
    public InterleavedMatrix Slice(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)start + count, Rows);
        if (_buffer is null || start % Interleaving.Rows != 0 || (count % Interleaving.Rows != 0 && start + count != Rows))
            return default;
        return new InterleavedMatrix(_buffer, _offset + (FormatInfo.RowBytes(Format, Columns) * start), Format, count, Columns);
    }

    /// <summary>Frees the memory, that of all slices and of those made behind one another.</summary>
    public void Free() => _buffer?.Dispose();

    /// <summary>Where in the buffer the next one may begin.</summary>
    private long End => _buffer is null ? 0
        : (_offset + ByteLength(Format, Rows, Columns) + NativeBuffer.Alignment - 1) / NativeBuffer.Alignment * NativeBuffer.Alignment;

    private static bool IsPossible(TensorFormat format) =>
        format is TensorFormat.F16 or TensorFormat.BF16 || MatMulInteger.IsInterleaved(format);

    private struct Job : IRangeJob
    {
        public Tensor Weight;
        public byte* Target;

        public readonly void Run(int from, int to)
        {
            nint stride = (nint)Weight.RowBytes;
            int blocks = Weight.Columns / FormatInfo.BlockLength(Weight.Format);
            for (int group = from; group < to; group++)
            {
                nint first = group * (nint)Interleaving.Rows;
                int count = (int)Math.Min(Interleaving.Rows, Weight.Rows - first);
                byte* source = Weight.Data + (first * stride), target = Target + (first * stride);
                if (FormatInfo.BlockLength(Weight.Format) == 1)
                    Buffer.MemoryCopy(source, target, count * stride, count * stride);
                else
                    FormatTable.Of(Weight.Format).Interleave(source, stride, count, blocks, target);
            }
        }
    }
}

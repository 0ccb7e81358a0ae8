namespace Polymath.Tensors;

/// <summary>
/// Weights [N, K] of a format of integers, rearranged once so that a matmul reads them at the speed of memory: sixteen
/// rows side by side. As large as the stored weights, up to the rows that fill the last sixteen.
/// </summary>
/// <remarks>A value: slices share the memory, which <see cref="Free"/> gives back.</remarks>
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

    /// <summary>Bytes of the memory, that of all slices.</summary>
    public long BufferLength => _buffer?.Length ?? 0;

    internal object? Owner => _buffer;

    internal byte* Data => _buffer is null ? null : _buffer.Data + _offset;

    /// <summary>True when weights of this format are faster interleaved.</summary>
    public static bool Pays(TensorFormat format) => Cpu.InstructionSet != InstructionSet.Scalar && MatMulInteger.IsInterleaved(format);

    /// <summary>Bytes that the interleaved form of [rows, columns] takes.</summary>
    /// <exception cref="ArgumentException">The columns fill no whole blocks.</exception>
    public static long ByteLength(TensorFormat format, int rows, int columns) =>
        checked(FormatInfo.RowBytes(format, columns) * ((rows + (long)Interleaving.Rows - 1) / Interleaving.Rows) * Interleaving.Rows);

    /// <summary>Interleaves <paramref name="weight"/>.</summary>
    /// <exception cref="ArgumentException">A format that is not interleaved, or an empty tensor.</exception>
    /// <exception cref="OutOfMemoryException">The system has no memory left.</exception>
    public static InterleavedMatrix From(ThreadTeam team, Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(team);
        if (weight.IsEmpty || weight.Rows == 0 || !MatMulInteger.IsInterleaved(weight.Format))
            throw new ArgumentException($"{weight} cannot be interleaved", nameof(weight));
        var buffer = new NativeBuffer(ByteLength(weight.Format, weight.Rows, weight.Columns));
        var job = new Job { Weight = weight, Target = buffer.Data };
        team.Run(ref job, (weight.Rows + Interleaving.Rows - 1) / Interleaving.Rows);
        weight.KeepAlive();
        return new InterleavedMatrix(buffer, 0, weight.Format, weight.Rows, weight.Columns);
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

    /// <summary>Frees the memory, that of all slices.</summary>
    public void Free() => _buffer?.Dispose();

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
                FormatTable.Of(Weight.Format).Interleave(
                    Weight.Data + (first * stride), stride, (int)Math.Min(Interleaving.Rows, Weight.Rows - first), blocks,
                    Target + (first * stride));
            }
        }
    }
}

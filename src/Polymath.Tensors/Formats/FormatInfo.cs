namespace Polymath.Tensors;

/// <summary>Sizes of each format: elements and bytes in a block.</summary>
public static class FormatInfo
{
    /// <summary>True when this engine can compute with the format.</summary>
    public static bool IsSupported(TensorFormat format) => BlockBytes(format) != 0;

    /// <summary>True when this engine can write the format.</summary>
    public static unsafe bool IsWritable(TensorFormat format) => FormatTable.Of(format).Quantize is not null;

    /// <summary>Elements that share one block, 1 for a format this engine does not know; a row holds whole blocks.</summary>
    public static int BlockLength(TensorFormat format) => Math.Max(1, FormatTable.Of(format).BlockLength);

    /// <summary>Bytes of one block; 0 for a format this engine does not know.</summary>
    public static int BlockBytes(TensorFormat format) => FormatTable.Of(format).BlockBytes;

    /// <summary>Bytes of a row of <paramref name="columns"/> elements.</summary>
    /// <exception cref="ArgumentException">Unknown format, or columns that do not fill whole blocks.</exception>
    public static long RowBytes(TensorFormat format, long columns)
    {
        int length = BlockLength(format), bytes = BlockBytes(format);
        if (bytes == 0)
            throw new ArgumentException($"unknown tensor format {(int)format}", nameof(format));
        if (columns < 0 || columns % length != 0)
            throw new ArgumentException($"{format} needs a multiple of {length} columns, not {columns}", nameof(columns));
        return checked(columns / length * bytes);
    }
}

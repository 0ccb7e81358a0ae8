namespace Polymath.Tensors;

/// <summary>Sizes of each format: elements and bytes in a block.</summary>
public static class FormatInfo
{
    /// <summary>True when this engine can compute with the format.</summary>
    public static bool IsSupported(TensorFormat format) => BlockBytes(format) != 0;

    /// <summary>Elements that share one block; a row holds whole blocks.</summary>
    public static int BlockLength(TensorFormat format) => format switch
    {
        TensorFormat.Q4_0 or TensorFormat.Q8_0 => 32,
        _ => 1,
    };

    /// <summary>Bytes of one block; 0 for a format this engine does not know.</summary>
    public static int BlockBytes(TensorFormat format) => format switch
    {
        TensorFormat.F32 => 4,
        TensorFormat.F16 or TensorFormat.BF16 => 2,
        TensorFormat.Q4_0 => 18,
        TensorFormat.Q8_0 => 34,
        _ => 0,
    };

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

namespace Polymath.Tensors;

/// <summary>Packs and unpacks rows of a format chosen at run time.</summary>
public static unsafe class BlockFormat
{
    /// <summary>Unpacks a row of <paramref name="target"/>.Length elements.</summary>
    /// <exception cref="ArgumentException">Unknown format, a length that does not fill whole blocks, or sizes that differ.</exception>
    public static void Dequantize(TensorFormat format, ReadOnlySpan<byte> source, Span<float> target)
    {
        RequireSizes("BlockFormat.Dequantize", format, target.Length, source.Length);
        int blocks = target.Length / FormatInfo.BlockLength(format);
        fixed (byte* from = source)
        fixed (float* to = target)
            Dequantize(format, from, to, blocks);
    }

    /// <summary>Packs a row of <paramref name="source"/>.Length elements; the bytes equal those of ggml's reference.</summary>
    /// <inheritdoc cref="Quantize(TensorFormat, ReadOnlySpan{float}, ReadOnlySpan{float}, Span{byte})"/>
    public static void Quantize(TensorFormat format, ReadOnlySpan<float> source, Span<byte> target) => Quantize(format, source, [], target);

    /// <summary>
    /// Packs a row of <paramref name="source"/>.Length elements, so that the errors of the more important ones are
    /// smaller; the bytes equal those of ggml's reference.
    /// </summary>
    /// <param name="format">The format.</param>
    /// <param name="source">The row.</param>
    /// <param name="importance">How much the error in each column counts, none negative; empty when nothing is known.</param>
    /// <param name="target">Takes the blocks.</param>
    /// <exception cref="ArgumentException">
    /// Unknown or read-only format, a length that does not fill whole blocks, sizes that differ, NaN or infinity where
    /// the format has none, or values too large for it.
    /// </exception>
    public static void Quantize(TensorFormat format, ReadOnlySpan<float> source, ReadOnlySpan<float> importance, Span<byte> target)
    {
        RequireSizes("BlockFormat.Quantize", format, source.Length, target.Length);
        if (!FormatInfo.IsWritable(format))
            throw new ArgumentException($"BlockFormat.Quantize: {format} is read only");
        if (!importance.IsEmpty && importance.Length != source.Length)
            throw new ArgumentException($"BlockFormat.Quantize: {importance.Length} weights for {source.Length} elements");
        if (FormatInfo.BlockLength(format) > 1)
            RequireHoldable(source, format);
        int blocks = source.Length / FormatInfo.BlockLength(format);
        fixed (float* from = source, weights = importance)
        fixed (byte* to = target)
            FormatTable.Of(format).Quantize(from, weights, to, blocks);
    }

    /// <summary>Unpacks blocks whose sizes the caller has proven.</summary>
    internal static void Dequantize(TensorFormat format, byte* source, float* target, int blocks)
    {
        ref readonly FormatTable.Entry entry = ref FormatTable.Of(format);
        if (entry.Dequantize is null)
            throw Unknown(format);
        entry.Dequantize(source, target, blocks);
    }

    internal static ArgumentException Unknown(TensorFormat format) => new($"unknown tensor format {(int)format}");

    private static void RequireSizes(string operation, TensorFormat format, int elements, int bytes)
    {
        long needed = FormatInfo.RowBytes(format, elements);
        if (needed != bytes)
            throw new ArgumentException($"{operation}: {elements} elements of {format} are {needed} bytes, {bytes} given");
    }

    /// <summary>Throws for NaN, infinity and what no scale of F16 reaches: there the search's sums would overflow.</summary>
    private static void RequireHoldable(ReadOnlySpan<float> values, TensorFormat format)
    {
        float limit = format == TensorFormat.MXFP4 ? float.MaxValue : 1e9f;
        foreach (float value in values)
        {
            if (!(Math.Abs(value) <= limit))
                throw new ArgumentException($"BlockFormat.Quantize: {format} cannot hold {value}");
        }
    }
}

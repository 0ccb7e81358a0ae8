using System.Runtime.CompilerServices;

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
    /// <exception cref="ArgumentException">
    /// Unknown format, a length that does not fill whole blocks, sizes that differ, or NaN or infinity where the format has none.
    /// </exception>
    public static void Quantize(TensorFormat format, ReadOnlySpan<float> source, Span<byte> target)
    {
        RequireSizes("BlockFormat.Quantize", format, source.Length, target.Length);
        int blocks = source.Length / FormatInfo.BlockLength(format);
        fixed (float* from = source)
        fixed (byte* to = target)
        {
            switch (format)
            {
                case TensorFormat.F32: F32.Quantize(from, to, blocks); break;
                case TensorFormat.F16: F16.Quantize(from, to, blocks); break;
                case TensorFormat.BF16: BF16.Quantize(from, to, blocks); break;
                case TensorFormat.Q8_0: Q8_0.Quantize(from, to, blocks); break;
                case TensorFormat.Q4_0: Q4_0.Quantize(from, to, blocks); break;
                default: throw Unknown(format);
            }
        }
    }

    /// <summary>Unpacks blocks whose sizes the caller has proven.</summary>
    internal static void Dequantize(TensorFormat format, byte* source, float* target, int blocks)
    {
        switch (format)
        {
            case TensorFormat.F32: F32.Dequantize(source, target, blocks); break;
            case TensorFormat.F16: F16.Dequantize(source, target, blocks); break;
            case TensorFormat.BF16: BF16.Dequantize(source, target, blocks); break;
            case TensorFormat.Q8_0: Q8_0.Dequantize(source, target, blocks); break;
            case TensorFormat.Q4_0: Q4_0.Dequantize(source, target, blocks); break;
            default: throw Unknown(format);
        }
    }

    /// <summary>Throws for NaN or infinity, which a scaled integer cannot hold.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void RequireFinite(float value, TensorFormat format)
    {
        if (!float.IsFinite(value))
            ThrowNotFinite(value, format);
    }

    internal static ArgumentException Unknown(TensorFormat format) => new($"unknown tensor format {(int)format}");

    private static void RequireSizes(string operation, TensorFormat format, int elements, int bytes)
    {
        long needed = FormatInfo.RowBytes(format, elements);
        if (needed != bytes)
            throw new ArgumentException($"{operation}: {elements} elements of {format} are {needed} bytes, {bytes} given");
    }

    private static void ThrowNotFinite(float value, TensorFormat format) =>
        throw new ArgumentException($"BlockFormat.Quantize: {format} cannot hold {value}");
}

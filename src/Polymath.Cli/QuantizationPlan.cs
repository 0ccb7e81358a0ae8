using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>
/// Which tensors change their format, and to what. Matrices take the target's format; norms, biases and everything
/// with one dimension become F32, which costs nothing and is what engines expect. With Q4_0 the token embedding and
/// the output head take Q8_0: they are read row by row or decide the last step, and the error of four bits shows there.
/// </summary>
internal sealed class QuantizationPlan(TensorFormat target)
{
    /// <summary>The formats that can be written.</summary>
    public static readonly TensorFormat[] Targets =
        [TensorFormat.F32, TensorFormat.F16, TensorFormat.BF16, TensorFormat.Q8_0, TensorFormat.Q4_0];

    /// <summary>Number of the file type under general.file_type, as in the GGUF specification.</summary>
    public uint FileType => target switch
    {
        TensorFormat.F32 => 0,
        TensorFormat.F16 => 1,
        TensorFormat.Q4_0 => 2,
        TensorFormat.Q8_0 => 7,
        _ => 32,
    };

    /// <summary>The format of a tensor in the new file.</summary>
    public TensorFormat FormatOf(TensorInfo tensor)
    {
        if (tensor.Dimensions.Count < 2 || !tensor.Name.EndsWith(".weight", StringComparison.Ordinal) || IsNorm(tensor.Name))
            return TensorFormat.F32;
        bool precise = tensor.Name is "token_embd.weight" or "output.weight";
        TensorFormat wanted = target == TensorFormat.Q4_0 && precise ? TensorFormat.Q8_0 : target;
        return tensor.Dimensions[0] % FormatInfo.BlockLength(wanted) == 0 ? wanted : TensorFormat.F16;
    }

    /// <summary>True when rows do not fill the target's blocks, so that F16 is taken instead.</summary>
    public bool FallsBack(TensorInfo tensor) =>
        FormatOf(tensor) == TensorFormat.F16 && target is not (TensorFormat.F16 or TensorFormat.F32 or TensorFormat.BF16);

    /// <summary>True for formats that have lost precision in blocks; making another format of them loses more.</summary>
    public static bool IsQuantized(TensorFormat format) => FormatInfo.BlockLength(format) > 1;

    /// <summary>The elements of <paramref name="source"/> in another format.</summary>
    public static Tensor Convert(Tensor source, TensorFormat format, CancellationToken cancellation)
    {
        if (source.Format == format)
            return source;
        var result = Tensor.Zeros(format, source.Rows, source.Columns);
        Parallel.For(
            0,
            source.Rows,
            new ParallelOptions { CancellationToken = cancellation },
            () => new float[source.Columns],
            (row, _, values) =>
            {
                BlockFormat.Dequantize(source.Format, source.RowData(row), values);
                BlockFormat.Quantize(format, values, result.RowData(row));
                return values;
            },
            _ => { });
        return result;
    }

    private static bool IsNorm(string name) => name.EndsWith("_norm.weight", StringComparison.Ordinal);
}

namespace Polymath.Tensors;

/// <summary>
/// How the elements of a tensor are stored. Names and numbers are those of the GGUF specification
/// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
/// </summary>
public enum TensorFormat
{
    /// <summary>IEEE 754 single precision.</summary>
    F32 = 0,

    /// <summary>IEEE 754 half precision.</summary>
    F16 = 1,

    /// <summary>Blocks of 32: one F16 scale, 32 × 4 bits, value = scale × (q − 8).</summary>
    Q4_0 = 2,

    /// <summary>Blocks of 32: one F16 scale, 32 × 8 bits, value = scale × q.</summary>
    Q8_0 = 8,

    /// <summary>Brain float: the upper half of a single.</summary>
    BF16 = 30,
}

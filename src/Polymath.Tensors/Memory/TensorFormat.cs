namespace Polymath.Tensors;

/// <summary>
/// How the elements of a tensor are stored. Names and numbers are those of the GGUF specification
/// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). The structs of the same names hold the layouts.
/// </summary>
public enum TensorFormat
{
    /// <summary>IEEE 754 single precision.</summary>
    F32 = 0,

    /// <summary>IEEE 754 half precision.</summary>
    F16 = 1,

    /// <summary>4 bits, blocks of 32 with a scale.</summary>
    Q4_0 = 2,

    /// <summary>4 bits, blocks of 32 with a scale and an offset.</summary>
    Q4_1 = 3,

    /// <summary>5 bits, blocks of 32 with a scale.</summary>
    Q5_0 = 6,

    /// <summary>5 bits, blocks of 32 with a scale and an offset.</summary>
    Q5_1 = 7,

    /// <summary>8 bits, blocks of 32 with a scale.</summary>
    Q8_0 = 8,

    /// <summary>2 bits, blocks of 256, groups of 16 with a scale and a minimum.</summary>
    Q2_K = 10,

    /// <summary>3 bits, blocks of 256, groups of 16 with a scale.</summary>
    Q3_K = 11,

    /// <summary>4 bits, blocks of 256, groups of 32 with a scale and a minimum.</summary>
    Q4_K = 12,

    /// <summary>5 bits, blocks of 256, groups of 32 with a scale and a minimum.</summary>
    Q5_K = 13,

    /// <summary>6 bits, blocks of 256, groups of 16 with a scale.</summary>
    Q6_K = 14,

    /// <summary>2.06 bits, entries of a codebook; read only.</summary>
    IQ2_XXS = 16,

    /// <summary>2.31 bits, entries of a codebook; read only.</summary>
    IQ2_XS = 17,

    /// <summary>3.06 bits, entries of a codebook; read only.</summary>
    IQ3_XXS = 18,

    /// <summary>1.56 bits, entries of a codebook; read only.</summary>
    IQ1_S = 19,

    /// <summary>4 bits, 16 uneven levels, blocks of 32 with a scale.</summary>
    IQ4_NL = 20,

    /// <summary>3.44 bits, entries of a codebook; read only.</summary>
    IQ3_S = 21,

    /// <summary>2.56 bits, entries of a codebook; read only.</summary>
    IQ2_S = 22,

    /// <summary>4 bits, 16 uneven levels, blocks of 256, groups of 32 with a scale.</summary>
    IQ4_XS = 23,

    /// <summary>1.75 bits, entries of a codebook; read only.</summary>
    IQ1_M = 29,

    /// <summary>Brain float: the upper half of a single.</summary>
    BF16 = 30,

    /// <summary>Three values, five in a byte; read only.</summary>
    TQ1_0 = 34,

    /// <summary>Three values in 2 bits; read only.</summary>
    TQ2_0 = 35,

    /// <summary>Floats of 4 bits, blocks of 32 with a power of two.</summary>
    MXFP4 = 39,

    /// <summary>Floats of 4 bits, groups of 16 with a scale of 8 bits; read only.</summary>
    NVFP4 = 40,
}

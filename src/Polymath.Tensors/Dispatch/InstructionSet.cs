namespace Polymath.Tensors;

/// <summary>The kernel variants. Each computes the same sums; the order of the additions, and so the last bits, differ between them.</summary>
public enum InstructionSet
{
    /// <summary>Plain loops: right everywhere, the truth that the others are tested against.</summary>
    Scalar,

    /// <summary>Arm, 128 bits.</summary>
    AdvSimd,

    /// <summary>x86, 256 bits with fused multiply-add.</summary>
    Avx2,

    /// <summary>x86, 512 bits (F, BW, VL).</summary>
    Avx512,
}

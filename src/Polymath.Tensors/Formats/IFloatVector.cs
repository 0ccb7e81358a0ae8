using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>How the skeletons read a format of single elements.</summary>
internal unsafe interface IFloatVector : IFloatFormat
{
    /// <summary>Four elements.</summary>
    static abstract Vector128<float> Load128(byte* source);

    /// <summary>Eight elements.</summary>
    static abstract Vector256<float> Load256(byte* source);

    /// <summary>Sixteen elements.</summary>
    static abstract Vector512<float> Load512(byte* source);
}

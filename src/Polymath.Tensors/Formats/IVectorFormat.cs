using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>How the 256-bit skeleton multiplies a format of integers.</summary>
internal unsafe interface IInt8Vector256 : IInt8Format
{
    /// <summary>The block's 32 integers, in the form that <see cref="Dot"/> wants.</summary>
    static abstract Vector256<sbyte> Unpack(byte* block);

    /// <summary>What Dot needs and depends on the activations alone; a tile computes it once for all its rows.</summary>
    static abstract Vector256<short> Prepare(Vector256<sbyte> activations);

    /// <summary>Eight partial sums of Σ wᵢ · aᵢ, exact for |a| ≤ 127.</summary>
    static abstract Vector256<int> Dot(Vector256<sbyte> weights, Vector256<sbyte> activations, Vector256<short> prepared);
}

/// <summary>How the 512-bit skeleton multiplies a format of integers, two blocks of a row at once.</summary>
internal unsafe interface IInt8Vector512 : IInt8Vector256
{
    /// <summary>As for 256 bits.</summary>
    static abstract Vector512<short> Prepare(Vector512<sbyte> activations);

    /// <summary>Sixteen partial sums, the lower eight of the first block.</summary>
    static abstract Vector512<int> Dot(Vector512<sbyte> weights, Vector512<sbyte> activations, Vector512<short> prepared);
}

/// <summary>How the 128-bit skeleton multiplies a format of integers.</summary>
internal unsafe interface IInt8Vector128 : IInt8Format
{
    /// <summary>The block's integers 0–15 and 16–31.</summary>
    static abstract void Unpack(byte* block, out Vector128<sbyte> low, out Vector128<sbyte> high);
}

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

using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// How the skeletons multiply a format of integers. The dots are exact, so that the sum over the blocks, one chain of
/// multiply-adds per output, is all that decides an output's bits.
/// </summary>
internal unsafe interface IInt8Vector : IInt8Format
{
    /// <summary>What is taken off the unpacked integers to get the true ones.</summary>
    static abstract int Offset { get; }

    /// <summary>The block's 32 integers, before the offset is taken off.</summary>
    static abstract Vector256<sbyte> Unpack(byte* block);

    /// <summary>Four blocks times one block of activations: Σ wᵢ · aᵢ of each, the offset not yet taken off. |a| ≤ 127.</summary>
    static abstract Vector128<int> FourDots(byte* b0, byte* b1, byte* b2, byte* b3, Vector256<sbyte> a);

    /// <summary>The same of eight blocks, which lie <paramref name="stride"/> bytes apart.</summary>
    static abstract Vector256<int> EightDots(byte* first, nint stride, sbyte* a);

    /// <summary>The same on 128-bit registers; <paramref name="low"/> holds the activations 0–15.</summary>
    static abstract Vector128<int> FourDots(byte* b0, byte* b1, byte* b2, byte* b3, Vector128<sbyte> low, Vector128<sbyte> high);

    /// <summary>
    /// One eighth of eight blocks, 4 unpacked integers of each, times 4 activations repeated. The sum is the format's
    /// own until <see cref="Finish(Vector256{int})"/>; eight additions to zero do not overflow it.
    /// </summary>
    static abstract Vector256<int> AddFours(Vector256<sbyte> weights, Vector256<sbyte> activations, Vector256<int> sum);

    /// <summary>Eight dots, the offset not yet taken off.</summary>
    static abstract Vector256<int> Finish(Vector256<int> sum);

    /// <summary>As for 256 bits, of sixteen blocks.</summary>
    static abstract Vector512<int> AddFours(Vector512<sbyte> weights, Vector512<sbyte> activations, Vector512<int> sum);

    /// <summary>Sixteen dots, the offset not yet taken off.</summary>
    static abstract Vector512<int> Finish(Vector512<int> sum);
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

using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>Brain float: the upper half of a single; packed by rounding to nearest, ties to even.</summary>
internal readonly unsafe partial struct BF16 : IFloatFormat
{
    /// <inheritdoc/>
    public static int BlockLength => 1;

    /// <inheritdoc/>
    public static int BlockBytes => sizeof(ushort);

    /// <summary>The BF16 bits nearest to <paramref name="value"/>, ties to even; NaN stays NaN and becomes quiet.</summary>
    public static ushort Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return (ushort)((bits >> 16) | 0x40);   // without the quiet bit a NaN of low bits alone would turn into infinity
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) =>
        BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(source) << 16);

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks)
    {
        for (int i = 0; i < blocks; i++)
            target[i] = Load(source + (sizeof(ushort) * (nint)i));
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        for (int i = 0; i < blocks; i++)
            Unsafe.WriteUnaligned(target + (sizeof(ushort) * (nint)i), Round(source[i]));
    }
}

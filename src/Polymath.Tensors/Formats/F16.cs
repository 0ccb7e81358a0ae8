using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>IEEE 754 half precision; packed by rounding to nearest, ties to even.</summary>
internal readonly unsafe partial struct F16 : IFloatFormat
{
    /// <inheritdoc/>
    public static int BlockLength => 1;

    /// <inheritdoc/>
    public static int BlockBytes => sizeof(ushort);

    /// <summary>The F16 bits nearest to <paramref name="value"/>, ties to even.</summary>
    public static ushort Round(float value) => BitConverter.HalfToUInt16Bits((Half)value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => HalfTable.Load(source);

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

using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>IEEE 754 single precision.</summary>
internal readonly unsafe partial struct F32 : IFloatFormat
{
    /// <inheritdoc/>
    public static int BlockLength => 1;

    /// <inheritdoc/>
    public static int BlockBytes => sizeof(float);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => Unsafe.ReadUnaligned<float>(source);

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks) =>
        Buffer.MemoryCopy(source, target, blocks * (long)sizeof(float), blocks * (long)sizeof(float));

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks) =>
        Buffer.MemoryCopy(source, target, blocks * (long)sizeof(float), blocks * (long)sizeof(float));
}

using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>
/// Blocks of 32: F16 scale d, then 16 bytes holding elements 0–15 in their low and 16–31 in their high halves;
/// value = d·(q − 8). Packed with d = m / −8 for the element m of largest magnitude, so that m itself is q = 0.
/// </summary>
internal readonly unsafe partial struct Q4_0 : IInt8Format
{
    private const int Length = 32;
    private const int Half = Length / 2;
    private const int Bytes = sizeof(ushort) + Half;

    /// <inheritdoc/>
    public static int BlockLength => Length;

    /// <inheritdoc/>
    public static int BlockBytes => Bytes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Scale(byte* block) => HalfTable.Load(block);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Dot(byte* block, sbyte* activations)
    {
        byte* q = block + sizeof(ushort);
        int sum = 0;
        for (int i = 0; i < Half; i++)
            sum += (((q[i] & 15) - 8) * activations[i]) + (((q[i] >> 4) - 8) * activations[i + Half]);
        return sum;
    }

    /// <inheritdoc/>
    public static void Dequantize(byte* source, float* target, int blocks)
    {
        for (int b = 0; b < blocks; b++, source += Bytes, target += Length)
        {
            float d = Scale(source);
            byte* q = source + sizeof(ushort);
            for (int i = 0; i < Half; i++)
            {
                target[i] = d * ((q[i] & 15) - 8);
                target[i + Half] = d * ((q[i] >> 4) - 8);
            }
        }
    }

    /// <inheritdoc/>
    public static void Quantize(float* source, float* importance, byte* target, int blocks)
    {
        byte* q = stackalloc byte[Length];
        float square = importance is null ? 0 : Groups.MeanSquare(source, blocks * Length);
        for (int b = 0; b < blocks; b++, source += Length, target += Bytes)
        {
            float d = Groups.Symmetric(source, importance, b, square, 8, q);
            Groups.StoreHalf(target, d);
            for (int i = 0; i < Half; i++)
                target[sizeof(ushort) + i] = (byte)(q[i] | (q[i + Half] << 4));
        }
    }
}

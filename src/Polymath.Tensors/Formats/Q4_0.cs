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
    public static void Quantize(float* source, byte* target, int blocks)
    {
        for (int b = 0; b < blocks; b++, source += Length, target += Bytes)
        {
            float m = 0;   // signed; the first of equals
            for (int i = 0; i < Length; i++)
            {
                BlockFormat.RequireFinite(source[i], TensorFormat.Q4_0);
                if (Math.Abs(m) < Math.Abs(source[i]))
                    m = source[i];
            }

            float d = m / -8;
            float inverse = d != 0 ? 1 / d : 0;
            Unsafe.WriteUnaligned(target, F16.Round(d));
            byte* q = target + sizeof(ushort);
            for (int i = 0; i < Half; i++)
                q[i] = (byte)(Level(source[i] * inverse) | (Level(source[i + Half] * inverse) << 4));
        }
    }

    private static int Level(float scaled) => Math.Clamp((int)(scaled + 8.5f), 0, 15);
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 63: four products of theirs, at most 4 · 63 · 127 = 32,004, add up in 16 bits.</summary>
internal readonly unsafe partial struct Q6_K : IInterleavedFormat
{
    private const int LaneScales = 192 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneD = 208 * Interleaving.Rows;

    /// <inheritdoc/>
    public static int StepsPerSum => 2;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        uint* levels = stackalloc uint[4];
        for (nint s = 0; s < 16; s++)
        {
            for (nint i = 0; i < 4; i++)
                levels[i] = Levels(block, (4 * s) + i);
            // Of four words of 6-bit levels the last one lies in the free bits of the others.
            levels[0] |= (levels[3] & 0x03030303) << 6;
            levels[1] |= (levels[3] & 0x0C0C0C0C) << 4;
            levels[2] |= (levels[3] & 0x30303030) << 2;
            Interleaving.Words((byte*)levels, group + (s * 3 * 64), row, 3);
        }

        Interleaving.Words(block + Scales, group + LaneScales, row, 4);
        Interleaving.Halves(block + D, group + LaneD, row, 1);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        byte* field = group + (stretch * 6 * 64) + (32 * half);
        FourSteps(field, out q.S0, out q.S1, out q.S2, out q.S3);
        FourSteps(field + (3 * 64), out q.S4, out q.S5, out q.S6, out q.S7);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        byte* field = group + (stretch * 6 * 64);
        FourSteps(field, out q.S0, out q.S1, out q.S2, out q.S3);
        FourSteps(field + (3 * 64), out q.S4, out q.S5, out q.S6, out q.S7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourSteps(byte* field, out Vector256<byte> q0, out Vector256<byte> q1, out Vector256<byte> q2, out Vector256<byte> q3)
    {
        Vector256<byte> six = Vector256.Create((byte)63);
        Vector256<byte> a = Vector256.Load(field), b = Vector256.Load(field + 64), c = Vector256.Load(field + 128);
        q0 = a & six;
        q1 = b & six;
        q2 = c & six;
        Vector256<byte> two = Vector256.ConditionalSelect(
            Vector256.Create((byte)3), (a.AsUInt16() >>> 6).AsByte(), (b.AsUInt16() >>> 4).AsByte());
        q3 = Vector256.ConditionalSelect(Vector256.Create((byte)15), two, (c.AsUInt16() >>> 2).AsByte()) & six;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourSteps(byte* field, out Vector512<byte> q0, out Vector512<byte> q1, out Vector512<byte> q2, out Vector512<byte> q3)
    {
        Vector512<byte> six = Vector512.Create((byte)63);
        Vector512<byte> a = Vector512.Load(field), b = Vector512.Load(field + 64), c = Vector512.Load(field + 128);
        q0 = a & six;
        q1 = b & six;
        q2 = c & six;
        Vector512<byte> two = Vector512.ConditionalSelect(
            Vector512.Create((byte)3), (a.AsUInt16() >>> 6).AsByte(), (b.AsUInt16() >>> 4).AsByte());
        q3 = Vector512.ConditionalSelect(Vector512.Create((byte)15), two, (c.AsUInt16() >>> 2).AsByte()) & six;
    }

    /// <summary>
    /// Elements 4·step … 4·step + 3 as bytes. Of each 128 elements the first 64 are the low halves of 64 bytes, and four groups
    /// of 32 share 32 bytes of high bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Levels(byte* block, nint step)
    {
        nint part = step / 32, inPart = step % 32;
        uint low = Unsafe.ReadUnaligned<uint>(block + (part * 64) + (inPart % 16 * 4)) >> (int)(inPart / 16 * 4);
        uint high = Unsafe.ReadUnaligned<uint>(block + HighBits + (part * 32) + (inPart % 8 * 4)) >> (int)(inPart / 8 * 2);
        return (low & 0x0F0F0F0F) | ((high & 0x03030303) << 4);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector256<float> d = Interleaving.Half(group + LaneD, half, 0);
        for (nint i = 0; i < 16; i++)
        {
            Vector256<float> scale = d * Interleaving.SignedByteOf(Interleaving.Word(group + LaneScales, half, i / 4), i % 4);
            scale.Store(scales + (i * Interleaving.Rows));
            (scale * Vector256.Create(-32f)).Store(offsets + (i * Interleaving.Rows));
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Vector512<float> d = Interleaving.Half(group + LaneD, 0);
        for (nint i = 0; i < 16; i++)
        {
            Vector512<float> scale = d * Interleaving.SignedByteOf(Interleaving.Word(group + LaneScales, i / 4), i % 4);
            scale.Store(scales + (i * Interleaving.Rows));
            (scale * Vector512.Create(-32f)).Store(offsets + (i * Interleaving.Rows));
        }
    }
}

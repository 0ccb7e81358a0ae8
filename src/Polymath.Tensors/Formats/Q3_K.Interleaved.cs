using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 7 before 4 is taken off.</summary>
internal readonly unsafe partial struct Q3_K : IInterleavedFormat
{
    private const int LaneScales = 96 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneD = 108 * Interleaving.Rows;

    private static Vector256<float> SixBits(byte* field, nint half, nint index)
    {
        Vector256<uint> low = Interleaving.Word(field, half, index / 4 % 2).AsUInt32() >>> (int)(index / 8 * 4);
        Vector256<uint> high = Interleaving.Word(field, half, 2).AsUInt32() >>> (int)(index / 4 * 2);
        Vector256<uint> both = (low & Vector256.Create(0x0F0F0F0Fu)) | ((high & Vector256.Create(0x03030303u)) << 4);
        return Interleaving.ByteOf(both.AsByte(), index % 4);
    }

    private static Vector512<float> SixBits(byte* field, nint index)
    {
        Vector512<uint> low = Interleaving.Word(field, index / 4 % 2).AsUInt32() >>> (int)(index / 8 * 4);
        Vector512<uint> high = Interleaving.Word(field, 2).AsUInt32() >>> (int)(index / 4 * 2);
        Vector512<uint> both = (low & Vector512.Create(0x0F0F0F0Fu)) | ((high & Vector512.Create(0x03030303u)) << 4);
        return Interleaving.ByteOf(both.AsByte(), index % 4);
    }

    /// <inheritdoc/>
    public static int StepsPerSum => 4;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        uint* levels = stackalloc uint[8];
        for (nint s = 0; s < 8; s++)
        {
            for (nint i = 0; i < 8; i++)
                levels[i] = Levels(block, s, i);
            // Eight words of 3-bit levels in three: two in each, the last two in the free bits.
            levels[0] |= (levels[1] << 3) | ((levels[6] & 0x03030303) << 6);
            levels[1] = levels[2] | (levels[3] << 3) | ((levels[7] & 0x03030303) << 6);
            levels[2] = levels[4] | (levels[5] << 3) | ((levels[6] & 0x04040404) << 4) | ((levels[7] & 0x04040404) << 5);
            Interleaving.Words((byte*)levels, group + (s * 3 * 64), row, 3);
        }

        Interleaving.Words(block + Scales, group + LaneScales, row, 3);
        Interleaving.Halves(block + D, group + LaneD, row, 1);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        byte* field = group + (stretch * 3 * 64) + (32 * half);
        Vector256<byte> a = Vector256.Load(field), b = Vector256.Load(field + 64), c = Vector256.Load(field + 128);
        Vector256<byte> seven = Vector256.Create((byte)7), three = Vector256.Create((byte)3);
        q.S0 = a & seven;
        q.S1 = (a.AsUInt16() >>> 3).AsByte() & seven;
        q.S2 = b & seven;
        q.S3 = (b.AsUInt16() >>> 3).AsByte() & seven;
        q.S4 = c & seven;
        q.S5 = (c.AsUInt16() >>> 3).AsByte() & seven;
        q.S6 = Vector256.ConditionalSelect(three, (a.AsUInt16() >>> 6).AsByte(), (c.AsUInt16() >>> 4).AsByte()) & seven;
        q.S7 = Vector256.ConditionalSelect(three, (b.AsUInt16() >>> 6).AsByte(), (c.AsUInt16() >>> 5).AsByte()) & seven;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        byte* field = group + (stretch * 3 * 64);
        Vector512<byte> a = Vector512.Load(field), b = Vector512.Load(field + 64), c = Vector512.Load(field + 128);
        Vector512<byte> seven = Vector512.Create((byte)7), three = Vector512.Create((byte)3);
        q.S0 = a & seven;
        q.S1 = (a.AsUInt16() >>> 3).AsByte() & seven;
        q.S2 = b & seven;
        q.S3 = (b.AsUInt16() >>> 3).AsByte() & seven;
        q.S4 = c & seven;
        q.S5 = (c.AsUInt16() >>> 3).AsByte() & seven;
        q.S6 = Vector512.ConditionalSelect(three, (a.AsUInt16() >>> 6).AsByte(), (c.AsUInt16() >>> 4).AsByte()) & seven;
        q.S7 = Vector512.ConditionalSelect(three, (b.AsUInt16() >>> 6).AsByte(), (c.AsUInt16() >>> 5).AsByte()) & seven;
    }

    /// <summary>Elements 4·step … 4·step + 3 of a stretch as bytes: two low bits in four stretches to a byte, the third in eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Levels(byte* block, nint stretch, nint step)
    {
        uint low = Unsafe.ReadUnaligned<uint>(block + Quants + (stretch / 4 * 32) + (4 * step)) >> (int)(stretch % 4 * 2);
        uint high = Unsafe.ReadUnaligned<uint>(block + (4 * step)) >> (int)stretch;
        return (low & 0x03030303) | ((high & 0x01010101) << 2);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector256<float> d = Interleaving.Half(group + LaneD, half, 0);
        for (nint i = 0; i < 16; i++)
        {
            Vector256<float> scale = d * (SixBits(group + LaneScales, half, i) - Vector256.Create(32f));
            scale.Store(scales + (i * Interleaving.Rows));
            (scale * Vector256.Create(-4f)).Store(offsets + (i * Interleaving.Rows));
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Vector512<float> d = Interleaving.Half(group + LaneD, 0);
        for (nint i = 0; i < 16; i++)
        {
            Vector512<float> scale = d * (SixBits(group + LaneScales, i) - Vector512.Create(32f));
            scale.Store(scales + (i * Interleaving.Rows));
            (scale * Vector512.Create(-4f)).Store(offsets + (i * Interleaving.Rows));
        }
    }
}

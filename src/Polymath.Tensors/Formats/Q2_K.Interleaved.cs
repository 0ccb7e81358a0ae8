using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Levels of 0 to 3.</summary>
internal readonly unsafe partial struct Q2_K : IInterleavedFormat
{
    private const int LaneQuants = 16 * Interleaving.Rows;   // where the field begins in a group
    private const int LaneD = 80 * Interleaving.Rows;

    /// <inheritdoc/>
    public static int StepsPerSum => 4;

    /// <inheritdoc/>
    public static bool HasOffset => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(byte* block, byte* group, int row)
    {
        Interleaving.Words(block, group, row, 4);
        for (nint s = 0; s < 8; s++)
        {
            ulong levels = 0;
            for (int i = 0; i < 8; i++)
            {
                uint four = Unsafe.ReadUnaligned<uint>(block + Quants + (s / 4 * 32) + (4 * i)) >> (int)(s % 4 * 2);
                levels |= (ulong)(four & 0x03030303) << ((i / 4 * 32) + (i % 4 * 2));
            }

            Interleaving.Words((byte*)&levels, group + LaneQuants + (s * 2 * 64), row, 2);
        }

        Interleaving.Halves(block + D, group + LaneD, row, 2);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint half, nint stretch, out EightSteps<Vector256<byte>> q)
    {
        byte* field = group + LaneQuants + (stretch * 2 * 64) + (32 * half);
        Vector256<byte> a = Vector256.Load(field), b = Vector256.Load(field + 64), three = Vector256.Create((byte)3);
        q.S0 = a & three;
        q.S1 = (a.AsUInt16() >>> 2).AsByte() & three;
        q.S2 = (a.AsUInt16() >>> 4).AsByte() & three;
        q.S3 = (a.AsUInt16() >>> 6).AsByte() & three;
        q.S4 = b & three;
        q.S5 = (b.AsUInt16() >>> 2).AsByte() & three;
        q.S6 = (b.AsUInt16() >>> 4).AsByte() & three;
        q.S7 = (b.AsUInt16() >>> 6).AsByte() & three;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Steps(byte* group, nint stretch, out EightSteps<Vector512<byte>> q)
    {
        byte* field = group + LaneQuants + (stretch * 2 * 64);
        Vector512<byte> a = Vector512.Load(field), b = Vector512.Load(field + 64), three = Vector512.Create((byte)3);
        q.S0 = a & three;
        q.S1 = (a.AsUInt16() >>> 2).AsByte() & three;
        q.S2 = (a.AsUInt16() >>> 4).AsByte() & three;
        q.S3 = (a.AsUInt16() >>> 6).AsByte() & three;
        q.S4 = b & three;
        q.S5 = (b.AsUInt16() >>> 2).AsByte() & three;
        q.S6 = (b.AsUInt16() >>> 4).AsByte() & three;
        q.S7 = (b.AsUInt16() >>> 6).AsByte() & three;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, nint half, float* scales, float* offsets)
    {
        Vector256<float> d = Interleaving.Half(group + LaneD, half, 0), m = -Interleaving.Half(group + LaneD, half, 1);
        Vector256<byte> low = Vector256.Create((byte)15);
        for (nint i = 0; i < 16; i++)
        {
            Vector256<byte> word = Interleaving.Word(group, half, i / 4);
            (d * Interleaving.ByteOf(word & low, i % 4)).Store(scales + (i * Interleaving.Rows));
            (m * Interleaving.ByteOf((word.AsUInt32() >>> 4).AsByte() & low, i % 4)).Store(offsets + (i * Interleaving.Rows));
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Factors(byte* group, float* scales, float* offsets)
    {
        Vector512<float> d = Interleaving.Half(group + LaneD, 0), m = -Interleaving.Half(group + LaneD, 1);
        Vector512<byte> low = Vector512.Create((byte)15);
        for (nint i = 0; i < 16; i++)
        {
            Vector512<byte> word = Interleaving.Word(group, i / 4);
            (d * Interleaving.ByteOf(word & low, i % 4)).Store(scales + (i * Interleaving.Rows));
            (m * Interleaving.ByteOf((word.AsUInt32() >>> 4).AsByte() & low, i % 4)).Store(offsets + (i * Interleaving.Rows));
        }
    }
}

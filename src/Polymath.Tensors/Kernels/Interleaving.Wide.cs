using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>The reading of all sixteen rows in registers of 512 bits, each as its namesake of eight rows.</summary>
internal static unsafe partial class Interleaving
{
    /// <summary>Element <paramref name="index"/> of a field of 32-bit elements, of sixteen rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Word(byte* field, nint index) => Vector512.Load(field + (64 * index));

    /// <summary>Element <paramref name="index"/> of a field of F16, of sixteen rows, as F32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Half(byte* field, nint index) => F16.Load512(field + (32 * index));

    /// <summary>Byte <paramref name="which"/> of each 32-bit element, as a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ByteOf(Vector512<byte> words, nint which) =>
        Vector512.ConvertToSingle((words.AsUInt32() >>> (int)(8 * which)).AsInt32() & Vector512.Create(255));

    /// <summary>The same of signed bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SignedByteOf(Vector512<byte> words, nint which) =>
        Vector512.ConvertToSingle((words.AsInt32() << (int)(24 - (8 * which))) >> 24);

    /// <summary>
    /// Eight scales and minima of 6 bits in a field of three words, as Q4_K and Q5_K have them: the first four in the low bits of
    /// the first and the second word, of the others the halves in the third word and two bits atop those of the first four.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SixBitFactors(byte* field, Vector512<float> d, Vector512<float> m, float* scales, float* offsets)
    {
        Vector512<uint> first = Word(field, 0).AsUInt32(), second = Word(field, 1).AsUInt32(), third = Word(field, 2).AsUInt32();
        Vector512<uint> six = Vector512.Create(0x3F3F3F3Fu), four = Vector512.Create(0x0F0F0F0Fu), two = Vector512.Create(0x30303030u);
        FourFactors((first & six).AsByte(), d, scales);
        FourFactors(((third & four) | ((first >>> 2) & two)).AsByte(), d, scales + (4 * Rows));
        FourFactors((second & six).AsByte(), m, offsets);
        FourFactors((((third >>> 4) & four) | ((second >>> 2) & two)).AsByte(), m, offsets + (4 * Rows));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourFactors(Vector512<byte> words, Vector512<float> unit, float* target)
    {
        (unit * ByteOf(words, 0)).Store(target);
        (unit * ByteOf(words, 1)).Store(target + Rows);
        (unit * ByteOf(words, 2)).Store(target + (2 * Rows));
        (unit * ByteOf(words, 3)).Store(target + (3 * Rows));
    }

    /// <summary>
    /// 32 elements of 4 bits in four 32-bit elements of a field, which hold the elements 0–15 of the stretch in the low and
    /// 16–31 in the high halves of their bytes.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SplitNibbles(byte* field, out EightSteps<Vector512<byte>> q)
    {
        Vector512<byte> low = Vector512.Create((byte)15);
        Vector512<byte> a = Vector512.Load(field), b = Vector512.Load(field + 64), c = Vector512.Load(field + 128), d = Vector512.Load(field + 192);
        q.S0 = a & low;
        q.S1 = b & low;
        q.S2 = c & low;
        q.S3 = d & low;
        q.S4 = (a.AsUInt16() >>> 4).AsByte() & low;
        q.S5 = (b.AsUInt16() >>> 4).AsByte() & low;
        q.S6 = (c.AsUInt16() >>> 4).AsByte() & low;
        q.S7 = (d.AsUInt16() >>> 4).AsByte() & low;
    }

    /// <summary>The entry of a table of 16 bytes, lying four times in <paramref name="table"/>, for each q of 0–15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LookUp(ref EightSteps<Vector512<byte>> q, Vector512<byte> table)
    {
        q.S0 = Simd.LookUp(table, q.S0);
        q.S1 = Simd.LookUp(table, q.S1);
        q.S2 = Simd.LookUp(table, q.S2);
        q.S3 = Simd.LookUp(table, q.S3);
        q.S4 = Simd.LookUp(table, q.S4);
        q.S5 = Simd.LookUp(table, q.S5);
        q.S6 = Simd.LookUp(table, q.S6);
        q.S7 = Simd.LookUp(table, q.S7);
    }

    /// <summary>The same of 5 bits: bit i of each byte of <paramref name="fifths"/> belongs to register i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SplitFives(byte* field, Vector512<byte> fifths, out EightSteps<Vector512<byte>> q)
    {
        Vector512<ushort> f = fifths.AsUInt16();
        Vector512<byte> high = Vector512.Create((byte)16);
        SplitNibbles(field, out q);
        q.S0 |= (f << 4).AsByte() & high;
        q.S1 |= (f << 3).AsByte() & high;
        q.S2 |= (f << 2).AsByte() & high;
        q.S3 |= (f << 1).AsByte() & high;
        q.S4 |= fifths & high;
        q.S5 |= (f >>> 1).AsByte() & high;
        q.S6 |= (f >>> 2).AsByte() & high;
        q.S7 |= (f >>> 3).AsByte() & high;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// Sixteen rows of blocks side by side. A field of a block, an array of 16-bit or 32-bit elements, becomes an array
/// of registers: element i of row 0, of row 1 … of row 15. The size stays what it was.
/// </summary>
internal static unsafe class Interleaving
{
    /// <summary>Rows in a group.</summary>
    public const int Rows = 16;

    /// <summary>Elements of a stretch, and of a block of activations.</summary>
    public const int Stretch = 32;

    /// <summary>Interleaves whole rows of blocks; of a last group short of rows the last one is repeated.</summary>
    /// <param name="rows">First row.</param>
    /// <param name="stride">Bytes from row to row.</param>
    /// <param name="count">Rows that exist, 1 to 16.</param>
    /// <param name="blocks">Blocks in a row.</param>
    /// <param name="target">Takes 16 rows.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TFormat>(byte* rows, nint stride, int count, int blocks, byte* target)
        where TFormat : struct, IInterleavedFormat
    {
        for (int row = 0; row < Rows; row++)
        {
            byte* block = rows + (Math.Min(row, count - 1) * stride);
            byte* group = target;
            for (int b = 0; b < blocks; b++, block += TFormat.BlockBytes, group += Rows * TFormat.BlockBytes)
                TFormat.Interleave(block, group, row);
        }
    }

    /// <summary>Bytes, one for each row: beside those of the other rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bytes(byte* source, byte* target, int row, int count)
    {
        for (int i = 0; i < count; i++)
            target[(i * Rows) + row] = source[i];
    }

    /// <summary>Elements of 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Halves(byte* source, byte* target, int row, int count)
    {
        for (nint i = 0; i < count; i++)
            ((ushort*)target)[(i * Rows) + row] = Unsafe.ReadUnaligned<ushort>(source + (2 * i));
    }

    /// <summary>Elements of 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Words(byte* source, byte* target, int row, int count)
    {
        for (nint i = 0; i < count; i++)
            ((uint*)target)[(i * Rows) + row] = Unsafe.ReadUnaligned<uint>(source + (4 * i));
    }

    /// <summary>Element <paramref name="index"/> of a field of 32-bit elements, of eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Word(byte* field, nint half, nint index) => Vector256.Load(field + (64 * index) + (32 * half));

    /// <summary>Element <paramref name="index"/> of a field of F16, of eight rows, as F32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Half(byte* field, nint half, nint index) => F16.Load256(field + (32 * index) + (16 * half));

    /// <summary>Byte <paramref name="which"/> of each 32-bit element, as a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ByteOf(Vector256<byte> words, nint which) =>
        Vector256.ConvertToSingle((words.AsUInt32() >>> (int)(8 * which)).AsInt32() & Vector256.Create(255));

    /// <summary>The same of signed bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SignedByteOf(Vector256<byte> words, nint which) =>
        Vector256.ConvertToSingle((words.AsInt32() << (int)(24 - (8 * which))) >> 24);

    /// <summary>
    /// Eight scales and minima of 6 bits in a field of three words, as Q4_K and Q5_K have them: the first four in the low bits of
    /// the first and the second word, of the others the halves in the third word and two bits atop those of the first four.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SixBitFactors(byte* field, nint half, Vector256<float> d, Vector256<float> m, float* scales, float* offsets)
    {
        Vector256<uint> first = Word(field, half, 0).AsUInt32(), second = Word(field, half, 1).AsUInt32(), third = Word(field, half, 2).AsUInt32();
        Vector256<uint> six = Vector256.Create(0x3F3F3F3Fu), four = Vector256.Create(0x0F0F0F0Fu), two = Vector256.Create(0x30303030u);
        FourFactors((first & six).AsByte(), d, scales);
        FourFactors(((third & four) | ((first >>> 2) & two)).AsByte(), d, scales + (4 * Rows));
        FourFactors((second & six).AsByte(), m, offsets);
        FourFactors((((third >>> 4) & four) | ((second >>> 2) & two)).AsByte(), m, offsets + (4 * Rows));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourFactors(Vector256<byte> words, Vector256<float> unit, float* target)
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
    public static void SplitNibbles(byte* field, nint half, out EightSteps q)
    {
        Vector256<byte> low = Vector256.Create((byte)15);
        Vector256<byte> a = Word(field, half, 0), b = Word(field, half, 1), c = Word(field, half, 2), d = Word(field, half, 3);
        q.S0 = a & low;
        q.S1 = b & low;
        q.S2 = c & low;
        q.S3 = d & low;
        q.S4 = (a.AsUInt16() >>> 4).AsByte() & low;
        q.S5 = (b.AsUInt16() >>> 4).AsByte() & low;
        q.S6 = (c.AsUInt16() >>> 4).AsByte() & low;
        q.S7 = (d.AsUInt16() >>> 4).AsByte() & low;
    }

    /// <summary>32 elements in eight 32-bit elements of a field, each in the bits of a byte from <paramref name="shift"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ShiftedBits(byte* field, nint half, int shift, byte mask, out EightSteps q)
    {
        Vector256<byte> m = Vector256.Create(mask);
        q.S0 = (Word(field, half, 0).AsUInt16() >>> shift).AsByte() & m;
        q.S1 = (Word(field, half, 1).AsUInt16() >>> shift).AsByte() & m;
        q.S2 = (Word(field, half, 2).AsUInt16() >>> shift).AsByte() & m;
        q.S3 = (Word(field, half, 3).AsUInt16() >>> shift).AsByte() & m;
        q.S4 = (Word(field, half, 4).AsUInt16() >>> shift).AsByte() & m;
        q.S5 = (Word(field, half, 5).AsUInt16() >>> shift).AsByte() & m;
        q.S6 = (Word(field, half, 6).AsUInt16() >>> shift).AsByte() & m;
        q.S7 = (Word(field, half, 7).AsUInt16() >>> shift).AsByte() & m;
    }

    /// <summary>Sets higher bits: q |= high &lt;&lt; shift, step by step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetHigh(ref EightSteps q, in EightSteps high, int shift)
    {
        q.S0 |= (high.S0.AsUInt16() << shift).AsByte();
        q.S1 |= (high.S1.AsUInt16() << shift).AsByte();
        q.S2 |= (high.S2.AsUInt16() << shift).AsByte();
        q.S3 |= (high.S3.AsUInt16() << shift).AsByte();
        q.S4 |= (high.S4.AsUInt16() << shift).AsByte();
        q.S5 |= (high.S5.AsUInt16() << shift).AsByte();
        q.S6 |= (high.S6.AsUInt16() << shift).AsByte();
        q.S7 |= (high.S7.AsUInt16() << shift).AsByte();
    }

    /// <summary>The entry of a table of 16 bytes, lying twice in <paramref name="table"/>, for each q of 0–15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LookUp(ref EightSteps q, Vector256<byte> table)
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

    /// <summary>The fifth bits of 32 elements of eight rows, a 32-bit word for each row, as bytes of 0 or 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FifthBits(Vector256<byte> words, ref EightSteps q)
    {
        q.S0 |= Fifth(words, 0);
        q.S1 |= Fifth(words, 1);
        q.S2 |= Fifth(words, 2);
        q.S3 |= Fifth(words, 3);
        q.S4 |= Fifth(words, 4);
        q.S5 |= Fifth(words, 5);
        q.S6 |= Fifth(words, 6);
        q.S7 |= Fifth(words, 7);
    }

    /// <summary>Bits 4·step … 4·step + 3 of each word, one in each byte of the lane: the byte that holds them four times, masked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Fifth(Vector256<byte> words, int step)
    {
        Vector256<uint> four = (words.AsUInt32() >>> (4 * step)) & Vector256.Create(15u);
        // Bit b to bit 8b + 4: the multiples lie apart, so none disturbs another.
        Vector256<uint> spread = (four * Vector256.Create(0x00204081u)) & Vector256.Create(0x01010101u);
        return (spread << 4).AsByte();
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// Sixteen rows of blocks side by side. A field of a block, an array of 16-bit or 32-bit elements, becomes an array
/// of registers: element i of row 0, of row 1 … of row 15. The size stays what it was.
/// </summary>
internal static unsafe partial class Interleaving
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

    /// <summary>
    /// The nibbles of eight stretches, of which each two lie in the low and the high halves of 32 bytes, rearranged so that each
    /// stretch is four words by itself, as SplitNibbles reads them.
    /// </summary>
    /// <param name="source">128 bytes.</param>
    /// <param name="target">The first stretch's first word.</param>
    /// <param name="row">Which of the sixteen rows.</param>
    /// <param name="words">Words from stretch to stretch.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* source, byte* target, int row, nint words)
    {
        const uint Low = 0x0F0F0F0F, High = 0xF0F0F0F0;
        var to = (uint*)target + row;
        for (nint pair = 0; pair < 4; pair++, source += 32, to += 2 * words * Rows)
        {
            for (nint i = 0; i < 4; i++)
            {
                uint a = Unsafe.ReadUnaligned<uint>(source + (4 * i)), b = Unsafe.ReadUnaligned<uint>(source + 16 + (4 * i));
                to[i * Rows] = (a & Low) | ((b << 4) & High);
                to[(words + i) * Rows] = ((a >> 4) & Low) | (b & High);
            }
        }
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
    public static void SplitNibbles(byte* field, nint half, out EightSteps<Vector256<byte>> q)
    {
        Vector256<byte> low = Vector256.Create((byte)15);
        field += 32 * half;
        Vector256<byte> a = Vector256.Load(field), b = Vector256.Load(field + 64), c = Vector256.Load(field + 128), d = Vector256.Load(field + 192);
        q.S0 = a & low;
        q.S1 = b & low;
        q.S2 = c & low;
        q.S3 = d & low;
        q.S4 = (a.AsUInt16() >>> 4).AsByte() & low;
        q.S5 = (b.AsUInt16() >>> 4).AsByte() & low;
        q.S6 = (c.AsUInt16() >>> 4).AsByte() & low;
        q.S7 = (d.AsUInt16() >>> 4).AsByte() & low;
    }

    /// <summary>The entry of a table of 16 bytes, lying twice in <paramref name="table"/>, for each q of 0–15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LookUp(ref EightSteps<Vector256<byte>> q, Vector256<byte> table)
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
    public static void SplitFives(byte* field, Vector256<byte> fifths, nint half, out EightSteps<Vector256<byte>> q)
    {
        Vector256<ushort> f = fifths.AsUInt16();
        Vector256<byte> high = Vector256.Create((byte)16);
        SplitNibbles(field, half, out q);
        q.S0 |= (f << 4).AsByte() & high;
        q.S1 |= (f << 3).AsByte() & high;
        q.S2 |= (f << 2).AsByte() & high;
        q.S3 |= (f << 1).AsByte() & high;
        q.S4 |= fifths & high;
        q.S5 |= (f >>> 1).AsByte() & high;
        q.S6 |= (f >>> 2).AsByte() & high;
        q.S7 |= (f >>> 3).AsByte() & high;
    }

    /// <summary>A word whose bit j is that of element j as SplitFives reads it: bit i of byte e for element 4i + e.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint SpreadFifths(uint word)
    {
        uint target = 0;
        for (int i = 0; i < 8; i++)
        {
            uint four = (word >> (4 * i)) & 15;
            target |= ((four * 0x00204081) & 0x01010101) << i;   // bit b to bit 8b: the multiples lie apart, so none disturbs another
        }

        return target;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Where the four weight rows of a tile begin; rows beyond the last repeat it, so a tile needs no remainder code.</summary>
internal readonly unsafe struct FourRows
{
    public readonly byte* R0;
    public readonly byte* R1;
    public readonly byte* R2;
    public readonly byte* R3;

    /// <summary>The rows of the tile at row <paramref name="n"/> of those before <paramref name="to"/>.</summary>
    public FourRows(MatMul.Part* part, int n, int to)
        : this(part->Weight + (n * part->WeightStride), part->WeightStride, to - n)
    {
    }

    /// <summary>Four rows of which <paramref name="count"/> exist.</summary>
    public FourRows(byte* first, nint stride, int count)
    {
        R0 = first;
        R1 = count > 1 ? R0 + stride : R0;
        R2 = count > 2 ? R1 + stride : R1;
        R3 = count > 3 ? R2 + stride : R2;
    }

    private FourRows(byte* r0, byte* r1, byte* r2, byte* r3)
    {
        R0 = r0;
        R1 = r1;
        R2 = r2;
        R3 = r3;
    }

    /// <summary>
    /// Asks for the same place of the next four rows, which a single token meets next: rows lie on several pages, at the ends
    /// of which the chip's own prefetching stops.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(nint offset)
    {
        nint ahead = 4 * (nint)(R1 - R0);
        Simd.PrefetchNear(R0 + ahead + offset);
        Simd.PrefetchNear(R1 + ahead + offset);
        Simd.PrefetchNear(R2 + ahead + offset);
        Simd.PrefetchNear(R3 + ahead + offset);
    }

    /// <summary>The same rows from a later column on.</summary>
    public FourRows Skip(nint bytes) => new(R0 + bytes, R1 + bytes, R2 + bytes, R3 + bytes);

    /// <summary>The first <paramref name="count"/> columns as F32, padded with zeros to <paramref name="length"/>.</summary>
    public FourRows PadTo<TFormat>(float* panel, int length, int count)
        where TFormat : struct, IFloatFormat
    {
        new Span<float>(panel, 4 * length).Clear();
        TFormat.Dequantize(R0, panel, count);
        TFormat.Dequantize(R1, panel + length, count);
        TFormat.Dequantize(R2, panel + (2 * length), count);
        TFormat.Dequantize(R3, panel + (3 * length), count);
        return new FourRows((byte*)panel, length * (nint)sizeof(float), 4);
    }

    /// <summary>Writes the outputs of a tile's rows for token t, as many as there are before <paramref name="to"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(MatMul.Part* part, int n, int to, int t, Vector128<float> four)
    {
        float* y = MatMul.Output(part, n, t);
        if (n <= to - 4)
            four.Store(y);
        else
            StorePart(four, y, to - n);
    }

    private static void StorePart(Vector128<float> four, float* target, int count)
    {
        for (int i = 0; i < count; i++)
            target[i] = four[i];
    }
}

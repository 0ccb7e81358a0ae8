using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

/// <summary>Attention of few queries on 512-bit registers; a lane is a position where softmax is concerned.</summary>
internal readonly unsafe partial struct Attention512
{
    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Transpose<TRaw>(byte* source, nint strideBytes, int from, int to, int words, int* panel, nint ahead)
        where TRaw : struct, IRawFormat
    {
        Vector512<ushort> worst = default;
        nint* rows = stackalloc nint[16];
        for (int c = from; c < to; c += 16)
        {
            byte* at = source + (c * strideBytes);
            for (int j = 0; j < 16; j++)
            {
                rows[j] = Math.Min(j, to - 1 - c) * strideBytes;
                for (nint line = ahead; line < ahead + (words * sizeof(int)); line += 64)
                    Simd.Prefetch(at + rows[j] + line);
            }

            for (int* target = panel + c, end = target + (words * Attention.TileLength); target < end; at += 16)
            {
                Vector512<int> r0 = Rows(at, rows, 0), r1 = Rows(at, rows, 1);
                Vector512<int> r2 = Rows(at, rows, 2), r3 = Rows(at, rows, 3);
                if (TRaw.Checked)
                    worst = Larger(Larger(Larger(Larger(worst, r0), r1), r2), r3);
                Simd.Transpose(ref r0, ref r1, ref r2, ref r3);
                r0.Store(target);
                r1.Store(target + Attention.TileLength);
                r2.Store(target + (2 * Attention.TileLength));
                r3.Store(target + (3 * Attention.TileLength));
                target += 4 * Attention.TileLength;
            }
        }

        return IsSpecial(worst);
    }

    /// <inheritdoc/>
    public static void FewScores<TRaw>(int* panel, int from, int to, int words, float* q, float scale, float* p)
        where TRaw : struct, IRawFormat
    {
        for (int c = from; c < to; c += 32)
            FewScores<TRaw>(panel + c, words, q, scale, p + c);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Max, float Sum) FewSoftmax(float* p, int from, int to, float factor)
    {
        Vector512<float> most = Vector512.Create(float.MinValue);
        for (int c = from; c < to; c += 16)
            most = Vector512.MaxNative(most, Vector512.Load(p + c));
        float max = VectorMath.Max(Vector256.MaxNative(most.GetLower(), most.GetUpper()));
        Vector512<float> shift = Vector512.Create(max), factors = Vector512.Create(factor);
        Vector256<float> sum = default;
        for (int c = from; c < to; c += 16)
        {
            Vector512<float> e = VectorMath.Exp(Vector512.Load(p + c) - shift);
            (e * factors).Store(p + c);
            sum = (sum + e.GetLower()) + e.GetUpper();
        }

        return (max, VectorMath.Sum(sum));
    }

    /// <inheritdoc/>
    public static bool FewValues<TRaw>(byte* values, nint strideBytes, int from, int to, int words, float* p, float* y, nint stride, nint ahead)
        where TRaw : struct, IRawFormat
    {
        bool special = false;
        values += from * strideBytes;
        for (int word = 0; word < words; word += 16, values += 64, y += TRaw.Pairs ? 32 : 16)
            special |= FewValues<TRaw>(values, strideBytes, to - from, p + from, y, stride, ahead);
        return special;
    }

    /// <summary>Four queries × two vectors of keys: 8 sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FewScores<TRaw>(int* panel, int words, float* q, float scale, float* p)
        where TRaw : struct, IRawFormat
    {
        Vector512<float> s0a = default, s0b = default, s1a = default, s1b = default;
        Vector512<float> s2a = default, s2b = default, s3a = default, s3b = default;
        for (; words > 0; words--, panel += Attention.TileLength)
        {
            Vector512<int> wordsA = Vector512.Load(panel), wordsB = Vector512.Load(panel + 16);
            Vector512<float> lowA = TRaw.Low(wordsA), lowB = TRaw.Low(wordsB);
            Vector512<float> x = Vector512.Create(q[0]);
            s0a = Simd.MultiplyAdd(x, lowA, s0a);
            s0b = Simd.MultiplyAdd(x, lowB, s0b);
            x = Vector512.Create(q[1]);
            s1a = Simd.MultiplyAdd(x, lowA, s1a);
            s1b = Simd.MultiplyAdd(x, lowB, s1b);
            x = Vector512.Create(q[2]);
            s2a = Simd.MultiplyAdd(x, lowA, s2a);
            s2b = Simd.MultiplyAdd(x, lowB, s2b);
            x = Vector512.Create(q[3]);
            s3a = Simd.MultiplyAdd(x, lowA, s3a);
            s3b = Simd.MultiplyAdd(x, lowB, s3b);
            q += 4;
            if (!TRaw.Pairs)
                continue;
            Vector512<float> highA = TRaw.High(wordsA), highB = TRaw.High(wordsB);
            x = Vector512.Create(q[0]);
            s0a = Simd.MultiplyAdd(x, highA, s0a);
            s0b = Simd.MultiplyAdd(x, highB, s0b);
            x = Vector512.Create(q[1]);
            s1a = Simd.MultiplyAdd(x, highA, s1a);
            s1b = Simd.MultiplyAdd(x, highB, s1b);
            x = Vector512.Create(q[2]);
            s2a = Simd.MultiplyAdd(x, highA, s2a);
            s2b = Simd.MultiplyAdd(x, highB, s2b);
            x = Vector512.Create(q[3]);
            s3a = Simd.MultiplyAdd(x, highA, s3a);
            s3b = Simd.MultiplyAdd(x, highB, s3b);
            q += 4;
        }

        Vector512<float> factor = Vector512.Create(scale);
        (s0a * factor).Store(p);
        (s0b * factor).Store(p + 16);
        (s1a * factor).Store(p + (1 * Attention.TileLength));
        (s1b * factor).Store(p + (1 * Attention.TileLength) + 16);
        (s2a * factor).Store(p + (2 * Attention.TileLength));
        (s2b * factor).Store(p + (2 * Attention.TileLength) + 16);
        (s3a * factor).Store(p + (3 * Attention.TileLength));
        (s3b * factor).Store(p + (3 * Attention.TileLength) + 16);
    }

    /// <summary>Four queries × one vector of values, which is one or two of elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool FewValues<TRaw>(byte* values, nint strideBytes, int count, float* p, float* y, nint stride, nint ahead)
        where TRaw : struct, IRawFormat
    {
        Vector512<float> low0 = default, low1 = default, low2 = default, low3 = default;
        Vector512<float> high0 = default, high1 = default, high2 = default, high3 = default;
        Vector512<ushort> worst = default;
        for (float* end = p + count; p < end; p++, values += strideBytes)
        {
            Simd.Prefetch(values + ahead);
            Vector512<int> words = Vector512.Load((int*)values);
            if (TRaw.Checked)
                worst = Larger(worst, words);
            Vector512<float> low = TRaw.Low(words), high = TRaw.High(words);
            Vector512<float> x = Vector512.Create(p[0]);
            low0 = Simd.MultiplyAdd(x, low, low0);
            if (TRaw.Pairs)
                high0 = Simd.MultiplyAdd(x, high, high0);
            x = Vector512.Create(p[1 * Attention.TileLength]);
            low1 = Simd.MultiplyAdd(x, low, low1);
            if (TRaw.Pairs)
                high1 = Simd.MultiplyAdd(x, high, high1);
            x = Vector512.Create(p[2 * Attention.TileLength]);
            low2 = Simd.MultiplyAdd(x, low, low2);
            if (TRaw.Pairs)
                high2 = Simd.MultiplyAdd(x, high, high2);
            x = Vector512.Create(p[3 * Attention.TileLength]);
            low3 = Simd.MultiplyAdd(x, low, low3);
            if (TRaw.Pairs)
                high3 = Simd.MultiplyAdd(x, high, high3);
        }

        Store<TRaw>(low0, high0, y);
        Store<TRaw>(low1, high1, y + stride);
        Store<TRaw>(low2, high2, y + (2 * stride));
        Store<TRaw>(low3, high3, y + (3 * stride));
        return IsSpecial(worst);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TRaw>(Vector512<float> low, Vector512<float> high, float* y)
        where TRaw : struct, IRawFormat
    {
        if (TRaw.Pairs)
            Interleave(low, high, y);
        else
            low.Store(y);
    }

    /// <summary>Even elements in the first vector, odd ones in the second: writes them in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector512<float> even, Vector512<float> odd, float* y)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<int> first = Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            Avx512F.PermuteVar16x32x2(even, first, odd).Store(y);
            Avx512F.PermuteVar16x32x2(even, first + Vector512.Create(8), odd).Store(y + 16);
            return;
        }

        Attention256.Interleave(even.GetLower(), odd.GetLower(), y);
        Attention256.Interleave(even.GetUpper(), odd.GetUpper(), y + 16);
    }

    /// <summary>Four words of each of the rows j, 4 + j, 8 + j and 12 + j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Rows(byte* source, nint* rows, int j) =>   // not Create, which loads what it then overwrites
        Vector256.Create(Row(source, rows, j), Row(source, rows, j + 4)).ToVector512Unsafe()
            .WithUpper(Vector256.Create(Row(source, rows, j + 8), Row(source, rows, j + 12)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Row(byte* source, nint* rows, int j) => Vector128.Load((int*)(source + rows[j]));

    /// <summary>The larger of the magnitudes of halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> Larger(Vector512<ushort> worst, Vector512<int> words) =>
        Vector512.Max(worst, words.AsUInt16() & Vector512.Create((ushort)0x7FFF));

    /// <summary>One of them is infinite or no number.</summary>
    private static bool IsSpecial(Vector512<ushort> worst) => Vector512.GreaterThanOrEqualAny(worst, Vector512.Create((ushort)0x7C00));
}

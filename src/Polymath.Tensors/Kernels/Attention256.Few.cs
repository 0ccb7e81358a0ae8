using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

/// <summary>Attention of few queries on 256-bit registers; a lane is a position where softmax is concerned.</summary>
internal readonly unsafe partial struct Attention256
{
    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Transpose<TRaw>(byte* source, nint strideBytes, int from, int to, int words, int* panel, nint ahead)
        where TRaw : struct, IRawFormat
    {
        Vector256<ushort> worst = default;
        nint* rows = stackalloc nint[8];
        for (int c = from; c < to; c += 8)
        {
            byte* at = source + (c * strideBytes);
            for (int j = 0; j < 8; j++)
            {
                rows[j] = Math.Min(j, to - 1 - c) * strideBytes;
                for (nint line = ahead; line < ahead + (words * sizeof(int)); line += 64)
                    Simd.Prefetch(at + rows[j] + line);
            }

            for (int* target = panel + c, end = target + (words * Attention.TileLength); target < end; at += 16)
            {
                Vector256<int> r0 = Rows(at, rows, 0), r1 = Rows(at, rows, 1);
                Vector256<int> r2 = Rows(at, rows, 2), r3 = Rows(at, rows, 3);
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
        for (int c = from; c < to; c += 16)
            FewScores<TRaw>(panel + c, words, q, scale, p + c);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Max, float Sum) FewSoftmax(float* p, int from, int to, float factor)
    {
        Vector256<float> most = Vector256.Create(float.MinValue);
        for (int c = from; c < to; c += 8)
            most = Vector256.MaxNative(most, Vector256.Load(p + c));
        float max = VectorMath.Max(most);
        Vector256<float> shift = Vector256.Create(max), factors = Vector256.Create(factor);
        Vector256<float> sum = default;
        for (int c = from; c < to; c += 8)
        {
            Vector256<float> e = VectorMath.Exp(Vector256.Load(p + c) - shift);
            (e * factors).Store(p + c);
            sum += e;
        }

        return (max, VectorMath.Sum(sum));
    }

    /// <inheritdoc/>
    public static bool FewValues<TRaw>(byte* values, nint strideBytes, int from, int to, int words, float* p, float* y, nint stride, nint ahead)
        where TRaw : struct, IRawFormat
    {
        bool special = false;
        values += from * strideBytes;
        for (int word = 0; word < words; word += 8, values += 32, y += TRaw.Pairs ? 16 : 8)
            special |= FewValues<TRaw>(values, strideBytes, to - from, p + from, y, stride, ahead);
        return special;
    }

    /// <summary>Four queries × two vectors of keys: 8 sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FewScores<TRaw>(int* panel, int words, float* q, float scale, float* p)
        where TRaw : struct, IRawFormat
    {
        Vector256<float> s0a = default, s0b = default, s1a = default, s1b = default;
        Vector256<float> s2a = default, s2b = default, s3a = default, s3b = default;
        for (; words > 0; words--, panel += Attention.TileLength)
        {
            Vector256<int> wordsA = Vector256.Load(panel), wordsB = Vector256.Load(panel + 8);
            Vector256<float> lowA = TRaw.Low(wordsA), lowB = TRaw.Low(wordsB);
            Vector256<float> x = Vector256.Create(q[0]);
            s0a = Simd.MultiplyAdd(x, lowA, s0a);
            s0b = Simd.MultiplyAdd(x, lowB, s0b);
            x = Vector256.Create(q[1]);
            s1a = Simd.MultiplyAdd(x, lowA, s1a);
            s1b = Simd.MultiplyAdd(x, lowB, s1b);
            x = Vector256.Create(q[2]);
            s2a = Simd.MultiplyAdd(x, lowA, s2a);
            s2b = Simd.MultiplyAdd(x, lowB, s2b);
            x = Vector256.Create(q[3]);
            s3a = Simd.MultiplyAdd(x, lowA, s3a);
            s3b = Simd.MultiplyAdd(x, lowB, s3b);
            q += 4;
            if (!TRaw.Pairs)
                continue;
            Vector256<float> highA = TRaw.High(wordsA), highB = TRaw.High(wordsB);
            x = Vector256.Create(q[0]);
            s0a = Simd.MultiplyAdd(x, highA, s0a);
            s0b = Simd.MultiplyAdd(x, highB, s0b);
            x = Vector256.Create(q[1]);
            s1a = Simd.MultiplyAdd(x, highA, s1a);
            s1b = Simd.MultiplyAdd(x, highB, s1b);
            x = Vector256.Create(q[2]);
            s2a = Simd.MultiplyAdd(x, highA, s2a);
            s2b = Simd.MultiplyAdd(x, highB, s2b);
            x = Vector256.Create(q[3]);
            s3a = Simd.MultiplyAdd(x, highA, s3a);
            s3b = Simd.MultiplyAdd(x, highB, s3b);
            q += 4;
        }

        Vector256<float> factor = Vector256.Create(scale);
        (s0a * factor).Store(p);
        (s0b * factor).Store(p + 8);
        (s1a * factor).Store(p + (1 * Attention.TileLength));
        (s1b * factor).Store(p + (1 * Attention.TileLength) + 8);
        (s2a * factor).Store(p + (2 * Attention.TileLength));
        (s2b * factor).Store(p + (2 * Attention.TileLength) + 8);
        (s3a * factor).Store(p + (3 * Attention.TileLength));
        (s3b * factor).Store(p + (3 * Attention.TileLength) + 8);
    }

    /// <summary>Four queries × one vector of values, which is one or two of elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool FewValues<TRaw>(byte* values, nint strideBytes, int count, float* p, float* y, nint stride, nint ahead)
        where TRaw : struct, IRawFormat
    {
        Vector256<float> low0 = default, low1 = default, low2 = default, low3 = default;
        Vector256<float> high0 = default, high1 = default, high2 = default, high3 = default;
        Vector256<ushort> worst = default;
        for (float* end = p + count; p < end; p++, values += strideBytes)
        {
            Simd.Prefetch(values + ahead);
            Vector256<int> words = Vector256.Load((int*)values);
            if (TRaw.Checked)
                worst = Larger(worst, words);
            Vector256<float> low = TRaw.Low(words), high = TRaw.High(words);
            Vector256<float> x = Vector256.Create(p[0]);
            low0 = Simd.MultiplyAdd(x, low, low0);
            if (TRaw.Pairs)
                high0 = Simd.MultiplyAdd(x, high, high0);
            x = Vector256.Create(p[1 * Attention.TileLength]);
            low1 = Simd.MultiplyAdd(x, low, low1);
            if (TRaw.Pairs)
                high1 = Simd.MultiplyAdd(x, high, high1);
            x = Vector256.Create(p[2 * Attention.TileLength]);
            low2 = Simd.MultiplyAdd(x, low, low2);
            if (TRaw.Pairs)
                high2 = Simd.MultiplyAdd(x, high, high2);
            x = Vector256.Create(p[3 * Attention.TileLength]);
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
    private static void Store<TRaw>(Vector256<float> low, Vector256<float> high, float* y)
        where TRaw : struct, IRawFormat
    {
        if (TRaw.Pairs)
            Interleave(low, high, y);
        else
            low.Store(y);
    }

    /// <summary>Even elements in the first vector, odd ones in the second: writes them in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Interleave(Vector256<float> even, Vector256<float> odd, float* y)
    {
        if (Avx.IsSupported)
        {
            Vector256<float> low = Avx.UnpackLow(even, odd), high = Avx.UnpackHigh(even, odd);
            Avx.Permute2x128(low, high, 0x20).Store(y);
            Avx.Permute2x128(low, high, 0x31).Store(y + 8);
            return;
        }

        for (int i = 0; i < 8; i++)
        {
            y[2 * i] = even[i];
            y[(2 * i) + 1] = odd[i];
        }
    }

    /// <summary>Four words of each of the rows j and 4 + j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Rows(byte* source, nint* rows, int j) =>
        Vector256.Create(Row(source, rows, j), Row(source, rows, j + 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Row(byte* source, nint* rows, int j) => Vector128.Load((int*)(source + rows[j]));

    /// <summary>The larger of the magnitudes of halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Larger(Vector256<ushort> worst, Vector256<int> words) =>
        Vector256.Max(worst, words.AsUInt16() & Vector256.Create((ushort)0x7FFF));

    /// <summary>One of them is infinite or no number.</summary>
    private static bool IsSpecial(Vector256<ushort> worst) => Vector256.GreaterThanOrEqualAny(worst, Vector256.Create((ushort)0x7C00));
}

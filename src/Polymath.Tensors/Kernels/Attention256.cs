using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Attention of a block of queries on 256-bit registers; a lane is a query where softmax is concerned.</summary>
internal readonly unsafe partial struct Attention256 : IAttentionKernel
{
    /// <inheritdoc/>
    public static int Lanes => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TFormat>(byte* source, float* target, int count)
        where TFormat : struct, IFloatVector
    {
        int i = 0;
        for (; i <= count - 8; i += 8)
            TFormat.Load256(source + ((nint)i * TFormat.BlockBytes)).Store(target + i);
        for (; i < count; i++)
            target[i] = TFormat.Load(source + ((nint)i * TFormat.BlockBytes));
    }

    /// <inheritdoc/>
    public static void BlockScores(float* keys, nint stride, int from, int to, float* q, int size, float scale, float* p)
    {
        for (int c = from; c < to; c += 4)
        {
            for (int row = 0; row < Attention.BlockRows; row += 24)
                BlockScores(keys + (c * stride), stride, to - 1 - c, q + row, size, scale, p + (c * Attention.BlockRows) + row);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BlockMask(float* p, int from, int to, int* first, int* end)
    {
        for (int row = 0; row < Attention.BlockRows; row += 8)
        {
            Vector256<int> begins = Vector256.Load(first + row), ends = Vector256.Load(end + row);
            for (int c = from; c < to; c++)
            {
                float* at = p + (c * Attention.BlockRows) + row;
                Vector256<int> seen = Vector256.GreaterThan(ends, Vector256.Create(c)) & Vector256.LessThanOrEqual(begins, Vector256.Create(c));
                Vector256.ConditionalSelect(seen.AsSingle(), Vector256.Load(at), Vector256.Create(float.NegativeInfinity)).Store(at);
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BlockSoftmax(float* p, int from, int to, float* max, float* sum)
    {
        for (int row = 0; row < Attention.BlockRows; row += 8)
        {
            Vector256<float> most = Vector256.Create(float.MinValue);   // not −∞: −∞ − −∞ is no number
            float* end = p + (to * Attention.BlockRows) + row;
            for (float* at = p + (from * Attention.BlockRows) + row; at < end; at += Attention.BlockRows)
                most = Vector256.MaxNative(most, Vector256.Load(at));
            most.Store(max + row);
            for (float* at = p + (from * Attention.BlockRows) + row; at < end; at += Attention.BlockRows)
                VectorMath.Exp(Vector256.Load(at) - most).Store(at);
            Sums(p + row, from, to).Store(sum + row);
        }
    }

    /// <inheritdoc/>
    public static void BlockValues(float* p, int from, int to, float* values, nint stride, int rows, float* y)
    {
        p += from * Attention.BlockRows;
        values += from * stride;
        for (nint i = 0; i < stride; i += 16)
        {
            for (int row = 0; row < rows; row += 6)
                BlockValues(p + row, to - from, values + i, stride, y + (row * stride) + i);
        }
    }

    /// <summary>The sums over the positions, in eight chains.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector256<float> Sums(float* p, int from, int to)
    {
        const int Row = Attention.BlockRows;
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        int c = from;
        for (float* at = p + (from * Row); c <= to - 8; c += 8, at += 8 * Row)
        {
            s0 += Vector256.Load(at);
            s1 += Vector256.Load(at + Row);
            s2 += Vector256.Load(at + (2 * Row));
            s3 += Vector256.Load(at + (3 * Row));
            s4 += Vector256.Load(at + (4 * Row));
            s5 += Vector256.Load(at + (5 * Row));
            s6 += Vector256.Load(at + (6 * Row));
            s7 += Vector256.Load(at + (7 * Row));
        }

        float* rest = p + (c * Row);
        s0 += to - c > 0 ? Vector256.Load(rest) : default;
        s1 += to - c > 1 ? Vector256.Load(rest + Row) : default;
        s2 += to - c > 2 ? Vector256.Load(rest + (2 * Row)) : default;
        s3 += to - c > 3 ? Vector256.Load(rest + (3 * Row)) : default;
        s4 += to - c > 4 ? Vector256.Load(rest + (4 * Row)) : default;
        s5 += to - c > 5 ? Vector256.Load(rest + (5 * Row)) : default;
        s6 += to - c > 6 ? Vector256.Load(rest + (6 * Row)) : default;
        return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));   // as VectorMath.Sum
    }

    /// <summary>4 keys × 3 vectors of queries: 12 sums, 3 vectors of queries, 1 broadcast key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlockScores(float* k0, nint stride, int last, float* q, int size, float scale, float* p)
    {
        float* k1 = k0 + (Math.Min(1, last) * stride), k2 = k0 + (Math.Min(2, last) * stride), k3 = k0 + (Math.Min(3, last) * stride);
        Vector256<float> s00 = default, s01 = default, s02 = default;
        Vector256<float> s10 = default, s11 = default, s12 = default;
        Vector256<float> s20 = default, s21 = default, s22 = default;
        Vector256<float> s30 = default, s31 = default, s32 = default;
        for (nint i = 0; i < size; i++, q += Attention.BlockRows)
        {
            Vector256<float> q0 = Vector256.Load(q), q1 = Vector256.Load(q + 8), q2 = Vector256.Load(q + 16);
            Vector256<float> x = Vector256.Create(k0[i]);
            s00 = Simd.MultiplyAdd(x, q0, s00);
            s01 = Simd.MultiplyAdd(x, q1, s01);
            s02 = Simd.MultiplyAdd(x, q2, s02);
            x = Vector256.Create(k1[i]);
            s10 = Simd.MultiplyAdd(x, q0, s10);
            s11 = Simd.MultiplyAdd(x, q1, s11);
            s12 = Simd.MultiplyAdd(x, q2, s12);
            x = Vector256.Create(k2[i]);
            s20 = Simd.MultiplyAdd(x, q0, s20);
            s21 = Simd.MultiplyAdd(x, q1, s21);
            s22 = Simd.MultiplyAdd(x, q2, s22);
            x = Vector256.Create(k3[i]);
            s30 = Simd.MultiplyAdd(x, q0, s30);
            s31 = Simd.MultiplyAdd(x, q1, s31);
            s32 = Simd.MultiplyAdd(x, q2, s32);
        }

        Vector256<float> factor = Vector256.Create(scale);
        (s00 * factor).Store(p);
        (s01 * factor).Store(p + 8);
        (s02 * factor).Store(p + 16);
        (s10 * factor).Store(p + (1 * Attention.BlockRows));
        (s11 * factor).Store(p + (1 * Attention.BlockRows) + 8);
        (s12 * factor).Store(p + (1 * Attention.BlockRows) + 16);
        (s20 * factor).Store(p + (2 * Attention.BlockRows));
        (s21 * factor).Store(p + (2 * Attention.BlockRows) + 8);
        (s22 * factor).Store(p + (2 * Attention.BlockRows) + 16);
        (s30 * factor).Store(p + (3 * Attention.BlockRows));
        (s31 * factor).Store(p + (3 * Attention.BlockRows) + 8);
        (s32 * factor).Store(p + (3 * Attention.BlockRows) + 16);
    }

    /// <summary>6 queries × 2 vectors of values: 12 sums, 2 vectors of values, 1 broadcast weight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlockValues(float* p, int count, float* values, nint stride, float* y)
    {
        Vector256<float> s00 = default, s01 = default;
        Vector256<float> s10 = default, s11 = default;
        Vector256<float> s20 = default, s21 = default;
        Vector256<float> s30 = default, s31 = default;
        Vector256<float> s40 = default, s41 = default;
        Vector256<float> s50 = default, s51 = default;
        for (; count > 0; count--, p += Attention.BlockRows, values += stride)
        {
            Vector256<float> v0 = Vector256.Load(values), v1 = Vector256.Load(values + 8);
            Vector256<float> x = Vector256.Create(p[0]);
            s00 = Simd.MultiplyAdd(x, v0, s00);
            s01 = Simd.MultiplyAdd(x, v1, s01);
            x = Vector256.Create(p[1]);
            s10 = Simd.MultiplyAdd(x, v0, s10);
            s11 = Simd.MultiplyAdd(x, v1, s11);
            x = Vector256.Create(p[2]);
            s20 = Simd.MultiplyAdd(x, v0, s20);
            s21 = Simd.MultiplyAdd(x, v1, s21);
            x = Vector256.Create(p[3]);
            s30 = Simd.MultiplyAdd(x, v0, s30);
            s31 = Simd.MultiplyAdd(x, v1, s31);
            x = Vector256.Create(p[4]);
            s40 = Simd.MultiplyAdd(x, v0, s40);
            s41 = Simd.MultiplyAdd(x, v1, s41);
            x = Vector256.Create(p[5]);
            s50 = Simd.MultiplyAdd(x, v0, s50);
            s51 = Simd.MultiplyAdd(x, v1, s51);
        }

        s00.Store(y);
        s01.Store(y + 8);
        s10.Store(y + stride);
        s11.Store(y + stride + 8);
        s20.Store(y + (2 * stride));
        s21.Store(y + (2 * stride) + 8);
        s30.Store(y + (3 * stride));
        s31.Store(y + (3 * stride) + 8);
        s40.Store(y + (4 * stride));
        s41.Store(y + (4 * stride) + 8);
        s50.Store(y + (5 * stride));
        s51.Store(y + (5 * stride) + 8);
    }
}

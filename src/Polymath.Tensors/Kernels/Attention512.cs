using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Attention of a block of queries on 512-bit registers; a lane is a query where softmax is concerned.</summary>
internal readonly unsafe partial struct Attention512 : IAttentionKernel
{
    /// <inheritdoc/>
    public static int Lanes => 16;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TFormat>(byte* source, float* target, int count)
        where TFormat : struct, IFloatVector
    {
        int i = 0;
        for (; i <= count - 16; i += 16)
            TFormat.Load512(source + ((nint)i * TFormat.BlockBytes)).Store(target + i);
        for (; i < count; i++)
            target[i] = TFormat.Load(source + ((nint)i * TFormat.BlockBytes));
    }

    /// <inheritdoc/>
    public static void BlockScores(float* keys, nint stride, int from, int to, float* q, int size, float scale, float* p)
    {
        for (int c = from; c < to; c += 8)
            BlockScores(keys + (c * stride), stride, to - 1 - c, q, size, scale, p + (c * Attention.BlockRows));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BlockMask(float* p, int from, int to, int* first, int* end)
    {
        for (int row = 0; row < Attention.BlockRows; row += 16)
        {
            Vector512<int> begins = Vector512.Load(first + row), ends = Vector512.Load(end + row);
            for (int c = from; c < to; c++)
            {
                float* at = p + (c * Attention.BlockRows) + row;
                Vector512<int> seen = Vector512.GreaterThan(ends, Vector512.Create(c)) & Vector512.LessThanOrEqual(begins, Vector512.Create(c));
                Vector512.ConditionalSelect(seen.AsSingle(), Vector512.Load(at), Vector512.Create(float.NegativeInfinity)).Store(at);
            }
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BlockSoftmax(float* p, int from, int to, float* max, float* sum)
    {
        for (int row = 0; row < Attention.BlockRows; row += 16)
        {
            Vector512<float> most = Vector512.Create(float.MinValue);   // not −∞: −∞ − −∞ is no number
            float* end = p + (to * Attention.BlockRows) + row;
            for (float* at = p + (from * Attention.BlockRows) + row; at < end; at += Attention.BlockRows)
                most = Vector512.MaxNative(most, Vector512.Load(at));
            most.Store(max + row);
            for (float* at = p + (from * Attention.BlockRows) + row; at < end; at += Attention.BlockRows)
                VectorMath.Exp(Vector512.Load(at) - most).Store(at);
            Sums(p + row, from, to).Store(sum + row);
        }
    }

    /// <inheritdoc/>
    public static void BlockValues(float* p, int from, int to, float* values, nint stride, int rows, float* y)
    {
        p += from * Attention.BlockRows;
        values += from * stride;
        for (nint i = 0; i < stride; i += 32)
        {
            for (int row = 0; row < rows; row += 12)
                BlockValues(p + row, to - from, values + i, stride, y + (row * stride) + i);
        }
    }

    /// <summary>The sums over the positions, in eight chains.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector512<float> Sums(float* p, int from, int to)
    {
        const int Row = Attention.BlockRows;
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        int c = from;
        for (float* at = p + (from * Row); c <= to - 8; c += 8, at += 8 * Row)
        {
            s0 += Vector512.Load(at);
            s1 += Vector512.Load(at + Row);
            s2 += Vector512.Load(at + (2 * Row));
            s3 += Vector512.Load(at + (3 * Row));
            s4 += Vector512.Load(at + (4 * Row));
            s5 += Vector512.Load(at + (5 * Row));
            s6 += Vector512.Load(at + (6 * Row));
            s7 += Vector512.Load(at + (7 * Row));
        }

        float* rest = p + (c * Row);
        s0 += to - c > 0 ? Vector512.Load(rest) : default;
        s1 += to - c > 1 ? Vector512.Load(rest + Row) : default;
        s2 += to - c > 2 ? Vector512.Load(rest + (2 * Row)) : default;
        s3 += to - c > 3 ? Vector512.Load(rest + (3 * Row)) : default;
        s4 += to - c > 4 ? Vector512.Load(rest + (4 * Row)) : default;
        s5 += to - c > 5 ? Vector512.Load(rest + (5 * Row)) : default;
        s6 += to - c > 6 ? Vector512.Load(rest + (6 * Row)) : default;
        return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));   // as VectorMath.Sum
    }

    /// <summary>8 keys × 3 vectors of queries: 24 sums, 3 vectors of queries, 1 broadcast key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlockScores(float* k0, nint stride, int last, float* q, int size, float scale, float* p)
    {
        float* k1 = k0 + (Math.Min(1, last) * stride), k2 = k0 + (Math.Min(2, last) * stride), k3 = k0 + (Math.Min(3, last) * stride);
        float* k4 = k0 + (Math.Min(4, last) * stride), k5 = k0 + (Math.Min(5, last) * stride);
        float* k6 = k0 + (Math.Min(6, last) * stride), k7 = k0 + (Math.Min(7, last) * stride);
        Vector512<float> s00 = default, s01 = default, s02 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default;
        Vector512<float> s40 = default, s41 = default, s42 = default;
        Vector512<float> s50 = default, s51 = default, s52 = default;
        Vector512<float> s60 = default, s61 = default, s62 = default;
        Vector512<float> s70 = default, s71 = default, s72 = default;
        for (nint i = 0; i < size; i++, q += Attention.BlockRows)
        {
            Vector512<float> q0 = Vector512.Load(q), q1 = Vector512.Load(q + 16), q2 = Vector512.Load(q + 32);
            Vector512<float> x = Vector512.Create(k0[i]);
            s00 = Simd.MultiplyAdd(x, q0, s00);
            s01 = Simd.MultiplyAdd(x, q1, s01);
            s02 = Simd.MultiplyAdd(x, q2, s02);
            x = Vector512.Create(k1[i]);
            s10 = Simd.MultiplyAdd(x, q0, s10);
            s11 = Simd.MultiplyAdd(x, q1, s11);
            s12 = Simd.MultiplyAdd(x, q2, s12);
            x = Vector512.Create(k2[i]);
            s20 = Simd.MultiplyAdd(x, q0, s20);
            s21 = Simd.MultiplyAdd(x, q1, s21);
            s22 = Simd.MultiplyAdd(x, q2, s22);
            x = Vector512.Create(k3[i]);
            s30 = Simd.MultiplyAdd(x, q0, s30);
            s31 = Simd.MultiplyAdd(x, q1, s31);
            s32 = Simd.MultiplyAdd(x, q2, s32);
            x = Vector512.Create(k4[i]);
            s40 = Simd.MultiplyAdd(x, q0, s40);
            s41 = Simd.MultiplyAdd(x, q1, s41);
            s42 = Simd.MultiplyAdd(x, q2, s42);
            x = Vector512.Create(k5[i]);
            s50 = Simd.MultiplyAdd(x, q0, s50);
            s51 = Simd.MultiplyAdd(x, q1, s51);
            s52 = Simd.MultiplyAdd(x, q2, s52);
            x = Vector512.Create(k6[i]);
            s60 = Simd.MultiplyAdd(x, q0, s60);
            s61 = Simd.MultiplyAdd(x, q1, s61);
            s62 = Simd.MultiplyAdd(x, q2, s62);
            x = Vector512.Create(k7[i]);
            s70 = Simd.MultiplyAdd(x, q0, s70);
            s71 = Simd.MultiplyAdd(x, q1, s71);
            s72 = Simd.MultiplyAdd(x, q2, s72);
        }

        Vector512<float> factor = Vector512.Create(scale);
        (s00 * factor).Store(p);
        (s01 * factor).Store(p + 16);
        (s02 * factor).Store(p + 32);
        (s10 * factor).Store(p + (1 * Attention.BlockRows));
        (s11 * factor).Store(p + (1 * Attention.BlockRows) + 16);
        (s12 * factor).Store(p + (1 * Attention.BlockRows) + 32);
        (s20 * factor).Store(p + (2 * Attention.BlockRows));
        (s21 * factor).Store(p + (2 * Attention.BlockRows) + 16);
        (s22 * factor).Store(p + (2 * Attention.BlockRows) + 32);
        (s30 * factor).Store(p + (3 * Attention.BlockRows));
        (s31 * factor).Store(p + (3 * Attention.BlockRows) + 16);
        (s32 * factor).Store(p + (3 * Attention.BlockRows) + 32);
        (s40 * factor).Store(p + (4 * Attention.BlockRows));
        (s41 * factor).Store(p + (4 * Attention.BlockRows) + 16);
        (s42 * factor).Store(p + (4 * Attention.BlockRows) + 32);
        (s50 * factor).Store(p + (5 * Attention.BlockRows));
        (s51 * factor).Store(p + (5 * Attention.BlockRows) + 16);
        (s52 * factor).Store(p + (5 * Attention.BlockRows) + 32);
        (s60 * factor).Store(p + (6 * Attention.BlockRows));
        (s61 * factor).Store(p + (6 * Attention.BlockRows) + 16);
        (s62 * factor).Store(p + (6 * Attention.BlockRows) + 32);
        (s70 * factor).Store(p + (7 * Attention.BlockRows));
        (s71 * factor).Store(p + (7 * Attention.BlockRows) + 16);
        (s72 * factor).Store(p + (7 * Attention.BlockRows) + 32);
    }

    /// <summary>12 queries × 2 vectors of values: 24 sums, 2 vectors of values, 1 broadcast weight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlockValues(float* p, int count, float* values, nint stride, float* y)
    {
        Vector512<float> s00 = default, s01 = default;
        Vector512<float> s10 = default, s11 = default;
        Vector512<float> s20 = default, s21 = default;
        Vector512<float> s30 = default, s31 = default;
        Vector512<float> s40 = default, s41 = default;
        Vector512<float> s50 = default, s51 = default;
        Vector512<float> s60 = default, s61 = default;
        Vector512<float> s70 = default, s71 = default;
        Vector512<float> s80 = default, s81 = default;
        Vector512<float> s90 = default, s91 = default;
        Vector512<float> sA0 = default, sA1 = default;
        Vector512<float> sB0 = default, sB1 = default;
        for (; count > 0; count--, p += Attention.BlockRows, values += stride)
        {
            Vector512<float> v0 = Vector512.Load(values), v1 = Vector512.Load(values + 16);
            Vector512<float> x = Vector512.Create(p[0]);
            s00 = Simd.MultiplyAdd(x, v0, s00);
            s01 = Simd.MultiplyAdd(x, v1, s01);
            x = Vector512.Create(p[1]);
            s10 = Simd.MultiplyAdd(x, v0, s10);
            s11 = Simd.MultiplyAdd(x, v1, s11);
            x = Vector512.Create(p[2]);
            s20 = Simd.MultiplyAdd(x, v0, s20);
            s21 = Simd.MultiplyAdd(x, v1, s21);
            x = Vector512.Create(p[3]);
            s30 = Simd.MultiplyAdd(x, v0, s30);
            s31 = Simd.MultiplyAdd(x, v1, s31);
            x = Vector512.Create(p[4]);
            s40 = Simd.MultiplyAdd(x, v0, s40);
            s41 = Simd.MultiplyAdd(x, v1, s41);
            x = Vector512.Create(p[5]);
            s50 = Simd.MultiplyAdd(x, v0, s50);
            s51 = Simd.MultiplyAdd(x, v1, s51);
            x = Vector512.Create(p[6]);
            s60 = Simd.MultiplyAdd(x, v0, s60);
            s61 = Simd.MultiplyAdd(x, v1, s61);
            x = Vector512.Create(p[7]);
            s70 = Simd.MultiplyAdd(x, v0, s70);
            s71 = Simd.MultiplyAdd(x, v1, s71);
            x = Vector512.Create(p[8]);
            s80 = Simd.MultiplyAdd(x, v0, s80);
            s81 = Simd.MultiplyAdd(x, v1, s81);
            x = Vector512.Create(p[9]);
            s90 = Simd.MultiplyAdd(x, v0, s90);
            s91 = Simd.MultiplyAdd(x, v1, s91);
            x = Vector512.Create(p[10]);
            sA0 = Simd.MultiplyAdd(x, v0, sA0);
            sA1 = Simd.MultiplyAdd(x, v1, sA1);
            x = Vector512.Create(p[11]);
            sB0 = Simd.MultiplyAdd(x, v0, sB0);
            sB1 = Simd.MultiplyAdd(x, v1, sB1);
        }

        s00.Store(y);
        s01.Store(y + 16);
        s10.Store(y + stride);
        s11.Store(y + stride + 16);
        s20.Store(y + (2 * stride));
        s21.Store(y + (2 * stride) + 16);
        s30.Store(y + (3 * stride));
        s31.Store(y + (3 * stride) + 16);
        s40.Store(y + (4 * stride));
        s41.Store(y + (4 * stride) + 16);
        s50.Store(y + (5 * stride));
        s51.Store(y + (5 * stride) + 16);
        s60.Store(y + (6 * stride));
        s61.Store(y + (6 * stride) + 16);
        s70.Store(y + (7 * stride));
        s71.Store(y + (7 * stride) + 16);
        s80.Store(y + (8 * stride));
        s81.Store(y + (8 * stride) + 16);
        s90.Store(y + (9 * stride));
        s91.Store(y + (9 * stride) + 16);
        sA0.Store(y + (10 * stride));
        sA1.Store(y + (10 * stride) + 16);
        sB0.Store(y + (11 * stride));
        sB1.Store(y + (11 * stride) + 16);
    }
}

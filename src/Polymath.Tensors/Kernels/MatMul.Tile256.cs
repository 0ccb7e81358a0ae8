using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

internal static unsafe partial class MatMulInteger
{
    /// <summary>One group of sixteen rows, in two registers, times four tokens. The outputs are kept in memory, for want of registers.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile256<TFormat>(in TileData tile)
        where TFormat : struct, IInterleavedFormat
    {
        // Rounds of StepsPerSum steps, each of which ends in 32-bit sums; signed bytes meet as numbers of 16 bits.
        bool wide = TFormat.StepsPerSum == 0 && Avx2.IsSupported;
        int steps16 = wide ? 16 : TFormat.GroupLength / 4;
        int round = wide || !Avx2.IsSupported ? steps16 : TFormat.StepsPerSum;
        nint stride = tile.XStride;
        byte* steps = tile.Steps, x0 = tile.X + tile.XAt, x2 = x0 + (2 * stride);
        nint next = 32;
        byte* f0 = tile.X + tile.ScalesAt, f2 = f0 + (2 * stride);
        byte* s0 = tile.X + tile.SumsAt, s2 = s0 + (2 * stride);
        float* scales = tile.Scales, offsets = tile.Offsets, y0 = tile.Y, y1 = y0 + 16, y2 = y0 + 32, y3 = y0 + 48;
        nint groups = tile.Stretches * (Interleaving.Stretch / TFormat.GroupLength);
        for (nint g = 0; g < groups; g++)
        {
            Vector256<int> p0 = default, p1 = default, p2 = default, p3 = default, q0 = default, q1 = default, q2 = default, q3 = default;
            for (int from = 0; from < steps16; from += round)
            {
                Vector256<int> c0 = default, c1 = default, c2 = default, c3 = default, d0 = default, d1 = default, d2 = default, d3 = default;
                for (byte* end = x0 + (4 * round); x0 < end; x0 += 4, x2 += 4, steps += 64)
                {
                    Vector256<byte> w = Vector256.Load(steps), v = Vector256.Load(steps + next);
                    Vector256<int> x = Vector256.Create(*(int*)x0);
                    c0 = Add<TFormat>(c0, w, x);
                    d0 = Add<TFormat>(d0, v, x);
                    x = Vector256.Create(*(int*)(x0 + stride));
                    c1 = Add<TFormat>(c1, w, x);
                    d1 = Add<TFormat>(d1, v, x);
                    x = Vector256.Create(*(int*)x2);
                    c2 = Add<TFormat>(c2, w, x);
                    d2 = Add<TFormat>(d2, v, x);
                    x = Vector256.Create(*(int*)(x2 + stride));
                    c3 = Add<TFormat>(c3, w, x);
                    d3 = Add<TFormat>(d3, v, x);
                }

                if (round == steps16)
                {
                    p0 = Finish<TFormat>(c0);
                    q0 = Finish<TFormat>(d0);
                    p1 = Finish<TFormat>(c1);
                    q1 = Finish<TFormat>(d1);
                    p2 = Finish<TFormat>(c2);
                    q2 = Finish<TFormat>(d2);
                    p3 = Finish<TFormat>(c3);
                    q3 = Finish<TFormat>(d3);
                }
                else
                {
                    p0 += Finish<TFormat>(c0);
                    q0 += Finish<TFormat>(d0);
                    p1 += Finish<TFormat>(c1);
                    q1 += Finish<TFormat>(d1);
                    p2 += Finish<TFormat>(c2);
                    q2 += Finish<TFormat>(d2);
                    p3 += Finish<TFormat>(c3);
                    q3 += Finish<TFormat>(d3);
                }
            }

            Vector256<float> m = Vector256.Load(scales), k = Vector256.Load(scales + 8);
            Vector256<float> o = default, l = default;
            if (TFormat.HasOffset)
            {
                o = Vector256.Load(offsets);
                l = Vector256.Load(offsets + 8);
            }

            AddTo<TFormat>(y0, p0, q0, m, k, o, l, *(float*)f0, *(float*)s0);
            AddTo<TFormat>(y1, p1, q1, m, k, o, l, *(float*)(f0 + stride), *(float*)(s0 + stride));
            AddTo<TFormat>(y2, p2, q2, m, k, o, l, *(float*)f2, *(float*)s2);
            AddTo<TFormat>(y3, p3, q3, m, k, o, l, *(float*)(f2 + stride), *(float*)(s2 + stride));

            scales += Interleaving.Rows;
            offsets += Interleaving.Rows;
            s0 += sizeof(float);
            s2 += sizeof(float);
            if (TFormat.GroupLength == Interleaving.Stretch || (g & 1) == 1)
            {
                f0 += sizeof(float);
                f2 += sizeof(float);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TFormat>(
        float* y, Vector256<int> p, Vector256<int> q, Vector256<float> m, Vector256<float> k, Vector256<float> o, Vector256<float> l, float scale, float sum)
        where TFormat : struct, IInterleavedFormat
    {
        Vector256<float> a = Simd.MultiplyAdd(Vector256.ConvertToSingle(p), m * Vector256.Create(scale), Vector256.Load(y));
        Vector256<float> b = Simd.MultiplyAdd(Vector256.ConvertToSingle(q), k * Vector256.Create(scale), Vector256.Load(y + 8));
        if (TFormat.HasOffset)
        {
            a = Simd.MultiplyAdd(o, Vector256.Create(sum), a);
            b = Simd.MultiplyAdd(l, Vector256.Create(sum), b);
        }

        a.Store(y);
        b.Store(y + 8);
    }

    /// <summary>Adds a step's products: to sums of 16 bits, or of 32 where bytes are signed or the chip has a dot of four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Add<TFormat>(Vector256<int> sum, Vector256<byte> w, Vector256<int> x)
        where TFormat : struct, IInterleavedFormat
    {
        if (!Avx2.IsSupported)
            return Simd.AddDotFours(sum, w.AsSByte(), x.AsSByte());
        if (TFormat.StepsPerSum == 0)
            return sum + Simd.MultiplyAddPairs(w.AsInt16(), x.AsInt16());
        return (sum.AsInt16() + Simd.MultiplyAddPairs(w, x.AsSByte())).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Finish<TFormat>(Vector256<int> sum)
        where TFormat : struct, IInterleavedFormat
        => TFormat.StepsPerSum == 0 || !Avx2.IsSupported ? sum : Simd.MultiplyAddPairs(sum.AsInt16(), Vector256<short>.One);
}

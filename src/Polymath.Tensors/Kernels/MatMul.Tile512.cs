using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

internal static unsafe partial class MatMulInteger
{
    /// <summary>Two groups of sixteen rows times four tokens: eight sums of dots and eight outputs stay in registers.</summary>
    private readonly struct Tile512 : ITile
    {
        /// <inheritdoc/>
        public static int Groups => 2;

        /// <inheritdoc/>
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Run<TFormat>(in TileData tile)
            where TFormat : struct, IInterleavedFormat
        {
            // Rounds of StepsPerSum steps, each of which ends in 32-bit sums; signed bytes meet as numbers of 16 bits.
            bool wide = TFormat.StepsPerSum == 0 && Avx2.IsSupported;
            int steps16 = wide ? 16 : TFormat.GroupLength / 4;
            int round = wide || !Avx2.IsSupported ? steps16 : TFormat.StepsPerSum;
            nint stride = tile.XStride;
            byte* steps = tile.Steps, x0 = tile.X + tile.XAt, x2 = x0 + (2 * stride);
            nint next = tile.StepsOfGroup;
            byte* f0 = tile.X + tile.ScalesAt, f2 = f0 + (2 * stride);
            byte* s0 = tile.X + tile.SumsAt, s2 = s0 + (2 * stride);
            float* scales = tile.Scales, offsets = tile.Offsets, y0 = tile.Y, y1 = y0 + 32, y2 = y0 + 64, y3 = y0 + 96;
            Vector512<float> a0 = Vector512.Load(y0), b0 = Vector512.Load(y0 + 16);
            Vector512<float> a1 = Vector512.Load(y1), b1 = Vector512.Load(y1 + 16);
            Vector512<float> a2 = Vector512.Load(y2), b2 = Vector512.Load(y2 + 16);
            Vector512<float> a3 = Vector512.Load(y3), b3 = Vector512.Load(y3 + 16);
            nint groups = tile.Stretches * (Interleaving.Stretch / TFormat.GroupLength);
            for (nint g = 0; g < groups; g++)
            {
                Vector512<int> p0 = default, p1 = default, p2 = default, p3 = default, q0 = default, q1 = default, q2 = default, q3 = default;
                for (int from = 0; from < steps16; from += round)
                {
                    Vector512<int> c0 = default, c1 = default, c2 = default, c3 = default, d0 = default, d1 = default, d2 = default, d3 = default;
                    for (byte* end = x0 + (4 * round); x0 < end; x0 += 4, x2 += 4, steps += 64)
                    {
                        Vector512<byte> w = Vector512.Load(steps), v = Vector512.Load(steps + next);
                        Vector512<int> x = Vector512.Create(*(int*)x0);
                        c0 = Add<TFormat>(c0, w, x);
                        d0 = Add<TFormat>(d0, v, x);
                        x = Vector512.Create(*(int*)(x0 + stride));
                        c1 = Add<TFormat>(c1, w, x);
                        d1 = Add<TFormat>(d1, v, x);
                        x = Vector512.Create(*(int*)x2);
                        c2 = Add<TFormat>(c2, w, x);
                        d2 = Add<TFormat>(d2, v, x);
                        x = Vector512.Create(*(int*)(x2 + stride));
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

                Vector512<float> m = Vector512.Load(scales), k = Vector512.Load(scales + tile.FactorsOfGroup);
                Vector512<float> u0 = Vector512.Create(*(float*)f0);
                a0 = Simd.MultiplyAdd(Vector512.ConvertToSingle(p0), m * u0, a0);
                b0 = Simd.MultiplyAdd(Vector512.ConvertToSingle(q0), k * u0, b0);
                Vector512<float> u1 = Vector512.Create(*(float*)(f0 + stride));
                a1 = Simd.MultiplyAdd(Vector512.ConvertToSingle(p1), m * u1, a1);
                b1 = Simd.MultiplyAdd(Vector512.ConvertToSingle(q1), k * u1, b1);
                Vector512<float> u2 = Vector512.Create(*(float*)f2);
                a2 = Simd.MultiplyAdd(Vector512.ConvertToSingle(p2), m * u2, a2);
                b2 = Simd.MultiplyAdd(Vector512.ConvertToSingle(q2), k * u2, b2);
                Vector512<float> u3 = Vector512.Create(*(float*)(f2 + stride));
                a3 = Simd.MultiplyAdd(Vector512.ConvertToSingle(p3), m * u3, a3);
                b3 = Simd.MultiplyAdd(Vector512.ConvertToSingle(q3), k * u3, b3);
                if (TFormat.HasOffset)
                {
                    m = Vector512.Load(offsets);
                    k = Vector512.Load(offsets + tile.FactorsOfGroup);
                    Vector512<float> o0 = Vector512.Create(*(float*)s0);
                    a0 = Simd.MultiplyAdd(m, o0, a0);
                    b0 = Simd.MultiplyAdd(k, o0, b0);
                    Vector512<float> o1 = Vector512.Create(*(float*)(s0 + stride));
                    a1 = Simd.MultiplyAdd(m, o1, a1);
                    b1 = Simd.MultiplyAdd(k, o1, b1);
                    Vector512<float> o2 = Vector512.Create(*(float*)s2);
                    a2 = Simd.MultiplyAdd(m, o2, a2);
                    b2 = Simd.MultiplyAdd(k, o2, b2);
                    Vector512<float> o3 = Vector512.Create(*(float*)(s2 + stride));
                    a3 = Simd.MultiplyAdd(m, o3, a3);
                    b3 = Simd.MultiplyAdd(k, o3, b3);
                }

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

            a0.Store(y0);
            b0.Store(y0 + 16);
            a1.Store(y1);
            b1.Store(y1 + 16);
            a2.Store(y2);
            b2.Store(y2 + 16);
            a3.Store(y3);
            b3.Store(y3 + 16);
        }

        /// <summary>Adds a step's products: to sums of 16 bits, or of 32 where bytes are signed or the chip has a dot of four.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<int> Add<TFormat>(Vector512<int> sum, Vector512<byte> w, Vector512<int> x)
            where TFormat : struct, IInterleavedFormat
        {
            if (!Avx2.IsSupported)
                return Simd.AddDotFours(sum, w.AsSByte(), x.AsSByte());
            if (TFormat.StepsPerSum == 0)
                return sum + Simd.MultiplyAddPairs(w.AsInt16(), x.AsInt16());
            return (sum.AsInt16() + Simd.MultiplyAddPairs(w, x.AsSByte())).AsInt32();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<int> Finish<TFormat>(Vector512<int> sum)
            where TFormat : struct, IInterleavedFormat
            => TFormat.StepsPerSum == 0 || !Avx2.IsSupported ? sum : Simd.MultiplyAddPairs(sum.AsInt16(), Vector512<short>.One);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

internal static unsafe partial class MatMulInteger
{
    private const int TokenBlock512 = 64;   // tokens whose activations stay in the second cache, and what a stretch needs of them in the first

    /// <summary>
    /// Straight from the interleaved blocks: a stretch of sixteen rows is unpacked to eight registers, which all tokens of a block
    /// meet before the next.
    /// </summary>
    [SkipLocalsInit]
    private static void Direct512<TFormat>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IInterleavedFormat
    {
        byte* scratch = ScratchFor(part, 1);
        int rowsAtOnce = scratch is null ? to - from : Interleaving.Rows;   // what is interleaved on the way meets all tokens
        for (int first = from; first < to; first += rowsAtOnce)
        {
            byte* interleaved = Group<TFormat>(part, first, scratch);
            int end = Math.Min(to, first + rowsAtOnce);
            for (int start = 0; start < part->Tokens; start += TokenBlock512)
            {
                byte* group = interleaved;
                for (int n = first; n < end; n += Interleaving.Rows, group += Interleaving.Rows * part->WeightStride)
                    Group512<TFormat>(part, group, n, Math.Min(Interleaving.Rows, end - n), start, Math.Min(TokenBlock512, part->Tokens - start));
            }
        }
    }

    /// <summary>Sixteen rows, or the last ones, times a block of tokens.</summary>
    [SkipLocalsInit]
    private static void Group512<TFormat>(MatMul.Part* part, byte* group, int n, int count, int start, int tokens)
        where TFormat : struct, IInterleavedFormat
    {
        float* y = stackalloc float[TokenBlock512 * Interleaving.Rows];
        byte* x = part->Quantized + (start * part->QuantizedStride);
        if (TFormat.StepsPerSum == 0)
            WideTokens512<TFormat>(group, x, part->QuantizedStride, tokens, part->Columns, y);
        else if (tokens == 1)
            OneToken512<TFormat>(group, x, part->Columns, y);
        else
            Tokens512<TFormat>(group, x, part->QuantizedStride, tokens, part->Columns, y);
        for (int t = 0; t < tokens; t++)
            new Span<float>(y + (t * Interleaving.Rows), count).CopyTo(new Span<float>(MatMul.Output(part, n, start + t), count));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneToken512<TFormat>(byte* group, byte* x, int columns, float* y)
        where TFormat : struct, IInterleavedFormat
    {
        nint stretches = TFormat.BlockLength / Interleaving.Stretch, blockBytes = Interleaving.Rows * TFormat.BlockBytes;
        nint stretchBytes = blockBytes / stretches, groups = Interleaving.Stretch / TFormat.GroupLength;
        var scales = (float*)(x + Int8Activations.ScalesStart(columns));
        var sums = (float*)(x + Int8Activations.SumsStart(columns, TFormat.GroupLength));
        float* factors = stackalloc float[2 * Groups.MostGroups * Interleaving.Rows];
        float* offsets = factors + (Groups.MostGroups * Interleaving.Rows);
        Vector512<float> sum = default;
        for (byte* end = x + columns; x < end; group += blockBytes)
        {
            Factors512<TFormat>(group, factors, offsets);
            float* f = factors;
            for (nint s = 0; s < stretches; s++)
            {
                Prefetch(group + (s * stretchBytes), stretchBytes);
                TFormat.Steps(group, s, out EightSteps<Vector512<byte>> q);
                sum = AddStretch<TFormat>(q, (int*)x, *scales, sums, f, sum);
                x += Interleaving.Stretch;
                scales++;
                sums += groups;
                f += groups * Interleaving.Rows;
            }
        }

        sum.Store(y);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tokens512<TFormat>(byte* group, byte* x, nint stride, int tokens, int columns, float* y)
        where TFormat : struct, IInterleavedFormat
    {
        nint stretches = TFormat.BlockLength / Interleaving.Stretch, blockBytes = Interleaving.Rows * TFormat.BlockBytes;
        nint stretchBytes = blockBytes / stretches, groups = Interleaving.Stretch / TFormat.GroupLength;
        byte* scales = x + Int8Activations.ScalesStart(columns), sums = x + Int8Activations.SumsStart(columns, TFormat.GroupLength);
        float* factors = stackalloc float[2 * Groups.MostGroups * Interleaving.Rows];
        float* offsets = factors + (Groups.MostGroups * Interleaving.Rows);
        new Span<float>(y, tokens * Interleaving.Rows).Clear();
        for (byte* end = x + columns; x < end; group += blockBytes)
        {
            Factors512<TFormat>(group, factors, offsets);
            float* f = factors;
            for (nint s = 0; s < stretches; s++)
            {
                Prefetch(group + (s * stretchBytes), stretchBytes);
                TFormat.Steps(group, s, out EightSteps<Vector512<byte>> q);
                nint at = 0;
                float* yEnd = y + (tokens * Interleaving.Rows);
                for (float* to = y; to < yEnd; to += Interleaving.Rows, at += stride)
                    AddStretch<TFormat>(q, (int*)(x + at), *(float*)(scales + at), (float*)(sums + at), f, Vector512.Load(to)).Store(to);
                x += Interleaving.Stretch;
                scales += sizeof(float);
                sums += groups * sizeof(float);
                f += groups * Interleaving.Rows;
            }
        }
    }

    /// <summary>The same of signed bytes, which meet wide rows of activations as numbers of 16 bits.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideTokens512<TFormat>(byte* group, byte* x, nint stride, int tokens, int columns, float* y)
        where TFormat : struct, IInterleavedFormat
    {
        nint stretches = TFormat.BlockLength / Interleaving.Stretch, blockBytes = Interleaving.Rows * TFormat.BlockBytes;
        nint stretchBytes = blockBytes / stretches;
        float* factors = stackalloc float[Groups.MostGroups * Interleaving.Rows];
        new Span<float>(y, tokens * Interleaving.Rows).Clear();
        byte* scales = x + Int8Activations.ScalesStart(columns), end = scales + (columns / Interleaving.Stretch * sizeof(float));
        x += Int8Activations.WideStart(columns);
        for (; scales < end; group += blockBytes)
        {
            Factors512<TFormat>(group, factors, factors);
            for (nint s = 0; s < stretches; s++, x += 2 * Interleaving.Stretch, scales += sizeof(float))
            {
                Prefetch(group + (s * stretchBytes), stretchBytes);
                TFormat.Steps(group, s, out EightSteps<Vector512<byte>> q);
                Vector512<short> a0 = (q.S0.AsInt16() << 8) >> 8, a1 = (q.S1.AsInt16() << 8) >> 8, a2 = (q.S2.AsInt16() << 8) >> 8;
                Vector512<short> a3 = (q.S3.AsInt16() << 8) >> 8, a4 = (q.S4.AsInt16() << 8) >> 8, a5 = (q.S5.AsInt16() << 8) >> 8;
                Vector512<short> a6 = (q.S6.AsInt16() << 8) >> 8, a7 = (q.S7.AsInt16() << 8) >> 8, b0 = q.S0.AsInt16() >> 8;
                Vector512<short> b1 = q.S1.AsInt16() >> 8, b2 = q.S2.AsInt16() >> 8, b3 = q.S3.AsInt16() >> 8, b4 = q.S4.AsInt16() >> 8;
                Vector512<short> b5 = q.S5.AsInt16() >> 8, b6 = q.S6.AsInt16() >> 8, b7 = q.S7.AsInt16() >> 8;
                Vector512<float> factor = Vector512.Load(factors + (s * Interleaving.Rows));
                nint at = 0;
                float* yEnd = y + (tokens * Interleaving.Rows);
                for (float* to = y; to < yEnd; to += Interleaving.Rows, at += stride)
                {
                    var w = (int*)(x + at);
                    Vector512<int> sum = Wide(a0, w) + Wide(a1, w + 1) + (Wide(a2, w + 2) + Wide(a3, w + 3))
                        + (Wide(a4, w + 4) + Wide(a5, w + 5) + (Wide(a6, w + 6) + Wide(a7, w + 7)));
                    sum += Wide(b0, w + 8) + Wide(b1, w + 9) + (Wide(b2, w + 10) + Wide(b3, w + 11))
                        + (Wide(b4, w + 12) + Wide(b5, w + 13) + (Wide(b6, w + 14) + Wide(b7, w + 15)));
                    Vector512<float> scale = factor * Vector512.Create(*(float*)(scales + at));
                    Simd.MultiplyAdd(Vector512.ConvertToSingle(sum), scale, Vector512.Load(to)).Store(to);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Wide(Vector512<short> q, int* x) => Simd.MultiplyAddPairs(q, Vector512.Create(*x).AsInt16());

    /// <summary>The factors of sixteen rows; a call of its own where it pays, which leaves the compiler room in the loop over the stretches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Factors512<TFormat>(byte* group, float* factors, float* offsets)
        where TFormat : struct, IInterleavedFormat
    {
        if (TFormat.BlockLength > Interleaving.Stretch)
            FactorsOfLargeBlock<TFormat>(group, factors, offsets);
        else
            TFormat.Factors(group, factors, offsets);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FactorsOfLargeBlock<TFormat>(byte* group, float* factors, float* offsets)
        where TFormat : struct, IInterleavedFormat
        => TFormat.Factors(group, factors, offsets);

    /// <summary>Sixteen rows times 32 activations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddStretch<TFormat>(
        in EightSteps<Vector512<byte>> q, int* x, float scale, float* sums, float* factors, Vector512<float> y)
        where TFormat : struct, IInterleavedFormat
    {
        Vector512<short> a = Products(q.S0, x) + Products(q.S1, x + 1), b = Products(q.S2, x + 2) + Products(q.S3, x + 3);
        Vector512<short> c = Products(q.S4, x + 4) + Products(q.S5, x + 5), d = Products(q.S6, x + 6) + Products(q.S7, x + 7);
        Vector512<short> one = Vector512<short>.One;
        Vector512<float> u = Vector512.Create(scale);
        if (TFormat.StepsPerSum == 8)
            return AddGroup<TFormat>(factors, Simd.MultiplyAddPairs(a + b + (c + d), one), u, sums, y);
        Vector512<int> first, second;
        if (TFormat.StepsPerSum == 4)
        {
            first = Simd.MultiplyAddPairs(a + b, one);
            second = Simd.MultiplyAddPairs(c + d, one);
        }
        else
        {
            first = Simd.MultiplyAddPairs(a, one) + Simd.MultiplyAddPairs(b, one);
            second = Simd.MultiplyAddPairs(c, one) + Simd.MultiplyAddPairs(d, one);
        }

        if (TFormat.GroupLength == Interleaving.Stretch)
            return AddGroup<TFormat>(factors, first + second, u, sums, y);
        y = AddGroup<TFormat>(factors, first, u, sums, y);
        return AddGroup<TFormat>(factors + Interleaving.Rows, second, u, sums + 1, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddGroup<TFormat>(float* factors, Vector512<int> dots, Vector512<float> scale, float* sum, Vector512<float> y)
        where TFormat : struct, IInterleavedFormat
    {
        y = Simd.MultiplyAdd(Vector512.ConvertToSingle(dots), Vector512.Load(factors) * scale, y);
        return TFormat.HasOffset
            ? Simd.MultiplyAdd(Vector512.Load(factors + (Groups.MostGroups * Interleaving.Rows)), Vector512.Create(*sum), y) : y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Products(Vector512<byte> q, int* x) => Simd.MultiplyAddPairs(q, Vector512.Create(*x).AsSByte());
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

/// <summary>
/// The matmul of the formats of integers, over interleaved rows: the lanes are the rows. The dots of a group of elements
/// are exact; their sum over the groups, one chain of multiply-adds per output in the order of the columns, is all that
/// decides an output's bits, the same for one token as for many. Rows that are stored as they lie in the file are
/// interleaved on the way.
/// </summary>
internal static unsafe partial class MatMulInteger
{
    private const int PrefetchBytes = 4096;

    /// <summary>True for the formats that have an interleaved form.</summary>
    public static bool IsInterleaved(TensorFormat format) => FormatTable.Of(format).Rows is not null;

    /// <summary>True when that many tokens meet the format as 16-bit numbers.</summary>
    public static bool IsWide(InstructionSet set, int tokens, TensorFormat format) =>
        (tokens >= Int8Activations.RowsAtOnce || set == InstructionSet.Avx512) && Avx2.IsSupported
        && FormatTable.Of(format) is { Rows: not null, StepsPerSum: 0 };

    /// <summary>Computes the outputs of the weight rows [from, to), from a multiple of sixteen.</summary>
    public static void Rows<TFormat>(InstructionSet set, MatMul.Part* part, int from, int to)
        where TFormat : struct, IInterleavedFormat
    {
        if (set == InstructionSet.Scalar)
            MatMulScalar.Integers<TFormat>(part, from, to);
        else if (set == InstructionSet.Avx512 && Avx2.IsSupported)
            Direct512<TFormat>(part, from, to);
        else if (part->Tokens < Int8Activations.RowsAtOnce)
            FewTokens<TFormat>(part, from, to);
        else
            Panels<TFormat>(part, from, to);
    }

    /// <summary>The sixteen rows from <paramref name="n"/> on: as they lie interleaved, or interleaved into the thread's scratch.</summary>
    private static byte* Group<TFormat>(MatMul.Part* part, int n, byte* scratch)
        where TFormat : struct, IInterleavedFormat
    {
        if (part->Interleaved is not null)
            return part->Interleaved + (n * part->WeightStride);
        Interleaving.Run<TFormat>(
            part->Weight + (n * part->WeightStride), part->WeightStride, Math.Min(Interleaving.Rows, part->Rows - n),
            part->Columns / TFormat.BlockLength, scratch);
        return scratch;
    }

    private static byte* ScratchFor(MatMul.Part* part, int groups) =>
        part->Interleaved is null ? Scratch.ReserveOwn(groups * Interleaving.Rows * part->WeightStride) : null;

    /// <summary>Token by token, straight from the interleaved blocks.</summary>
    [SkipLocalsInit]
    private static void FewTokens<TFormat>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IInterleavedFormat
    {
        byte* scratch = ScratchFor(part, 1);
        float* y = stackalloc float[Interleaving.Rows];
        for (int n = from; n < to; n += Interleaving.Rows)
        {
            byte* group = Group<TFormat>(part, n, scratch);
            int count = Math.Min(Interleaving.Rows, to - n);
            for (int t = 0; t < part->Tokens; t++)
            {
                float* target = count == Interleaving.Rows ? MatMul.Output(part, n, t) : y;
                OneToken<TFormat>(group, part->Quantized + (t * part->QuantizedStride), part->Columns, target);
                if (target == y)
                    new Span<float>(y, count).CopyTo(new Span<float>(MatMul.Output(part, n, t), count));
            }
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneToken<TFormat>(byte* group, byte* x, int columns, float* y)
        where TFormat : struct, IInterleavedFormat
    {
        // Constants first: the compiler inlines in order, and only so much.
        nint stretches = TFormat.BlockLength / Interleaving.Stretch, stretchBytes = Interleaving.Rows * TFormat.BlockBytes / stretches;
        nint sumsOfStretch = Interleaving.Stretch / TFormat.GroupLength, blockBytes = Interleaving.Rows * TFormat.BlockBytes;
        var scales = (float*)(x + Int8Activations.ScalesStart(columns));
        var sums = (float*)(x + Int8Activations.SumsStart(columns, TFormat.GroupLength));
        byte* end = x + columns;
        Vector256<float> low = default, high = default;
        float* factors = stackalloc float[2 * Groups.MostGroups * Interleaving.Rows];
        float* offsets = factors + (Groups.MostGroups * Interleaving.Rows);
        while (x < end)
        {
            if (stretches > 1)
            {
                Factors<TFormat>(group, factors, offsets);
            }
            else
            {
                TFormat.Factors(group, 0, factors, offsets);
                TFormat.Factors(group, 1, factors + 8, offsets + 8);
            }

            for (nint s = 0; s < stretches; s++)
            {
                Prefetch(group + (s * stretchBytes), stretchBytes);
                low = AddStretch<TFormat>(group, 0, s, (int*)x, scales, sums, factors, low);
                high = AddStretch<TFormat>(group, 1, s, (int*)x, scales, sums, factors + 8, high);
                x += Interleaving.Stretch;
                scales++;
                sums += sumsOfStretch;
            }

            group += blockBytes;
        }

        low.Store(y);
        high.Store(y + 8);
    }

    /// <summary>The factors of sixteen rows; a call of its own, which leaves room in the loop over the stretches.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Factors<TFormat>(byte* group, float* factors, float* offsets)
        where TFormat : struct, IInterleavedFormat
    {
        TFormat.Factors(group, 0, factors, offsets);
        TFormat.Factors(group, 1, factors + 8, offsets + 8);
    }

    /// <summary>Asks for what is read some stretches later: the chip's own prefetching ends at each page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* at, nint bytes)
    {
        at += PrefetchBytes;
        Simd.PrefetchNear(at);
        if (bytes > 64)
            Simd.PrefetchNear(at + 64);
        if (bytes > 128)
            Simd.PrefetchNear(at + 128);
        if (bytes > 192)
            Simd.PrefetchNear(at + 192);
        if (bytes > 256)
            Simd.PrefetchNear(at + 256);
        if (bytes > 320)
            Simd.PrefetchNear(at + 320);
        if (bytes > 384)
            Simd.PrefetchNear(at + 384);
        if (bytes > 448)
            Simd.PrefetchNear(at + 448);
        if (bytes > 512)
            Simd.PrefetchNear(at + 512);
    }

    /// <summary>Eight rows times 32 activations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> AddStretch<TFormat>(
        byte* group, nint half, nint stretch, int* x, float* scale, float* sums, float* factors, Vector256<float> y)
        where TFormat : struct, IInterleavedFormat
    {
        TFormat.Steps(group, half, stretch, out EightSteps<Vector256<byte>> q);
        if (TFormat.GroupLength == Interleaving.Stretch)
        {
            Vector256<int> dots;
            if (Avx2.IsSupported && TFormat.StepsPerSum == 8)
            {
                dots = Finish(
                    (Products(q.S0, x) + Products(q.S1, x + 1) + (Products(q.S2, x + 2) + Products(q.S3, x + 3)))
                    + (Products(q.S4, x + 4) + Products(q.S5, x + 5) + (Products(q.S6, x + 6) + Products(q.S7, x + 7))));
            }
            else
            {
                dots = DotOfSixteen<TFormat>(q.S0, q.S1, q.S2, q.S3, x) + DotOfSixteen<TFormat>(q.S4, q.S5, q.S6, q.S7, x + 4);
            }

            return AddGroup<TFormat>(factors + (stretch * Interleaving.Rows), dots, *scale, sums, y);
        }

        factors += 2 * stretch * Interleaving.Rows;
        y = AddGroup<TFormat>(factors, DotOfSixteen<TFormat>(q.S0, q.S1, q.S2, q.S3, x), *scale, sums, y);
        return AddGroup<TFormat>(factors + Interleaving.Rows, DotOfSixteen<TFormat>(q.S4, q.S5, q.S6, q.S7, x + 4), *scale, sums + 1, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> AddGroup<TFormat>(
        float* factors, Vector256<int> dots, float scale, float* sum, Vector256<float> y)
        where TFormat : struct, IInterleavedFormat
    {
        y = Simd.MultiplyAdd(Vector256.ConvertToSingle(dots), Vector256.Load(factors) * Vector256.Create(scale), y);
        return TFormat.HasOffset
            ? Simd.MultiplyAdd(Vector256.Load(factors + (Groups.MostGroups * Interleaving.Rows)), Vector256.Create(*sum), y) : y;
    }

    /// <summary>Eight rows times 16 activations, exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> DotOfSixteen<TFormat>(Vector256<byte> q0, Vector256<byte> q1, Vector256<byte> q2, Vector256<byte> q3, int* x)
        where TFormat : struct, IInterleavedFormat
    {
        if (!Avx2.IsSupported)
        {
            Vector256<int> sum = Simd.AddDotFours(Vector256<int>.Zero, q0.AsSByte(), Fours(x));
            sum = Simd.AddDotFours(sum, q1.AsSByte(), Fours(x + 1));
            sum = Simd.AddDotFours(sum, q2.AsSByte(), Fours(x + 2));
            return Simd.AddDotFours(sum, q3.AsSByte(), Fours(x + 3));
        }

        if (TFormat.StepsPerSum == 0)
            return Signed(q0, x) + Signed(q1, x + 1) + (Signed(q2, x + 2) + Signed(q3, x + 3));
        Vector256<short> first = Products(q0, x) + Products(q1, x + 1), second = Products(q2, x + 2) + Products(q3, x + 3);
        return TFormat.StepsPerSum >= 4 ? Finish(first + second) : Finish(first) + Finish(second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Signed(Vector256<byte> q, int* x)
    {
        // |q| may be 128, which as an unsigned byte it is; with |x| ≤ 127 two products stay below 2^15.
        Vector256<byte> size = Vector256.Abs(q.AsSByte()).AsByte();
        return Finish(Simd.MultiplyAddPairs(size, Simd.MultiplySign(Fours(x), q.AsSByte())));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Products(Vector256<byte> q, int* x) => Simd.MultiplyAddPairs(q, Fours(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Finish(Vector256<short> sums) => Simd.MultiplyAddPairs(sums, Vector256<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Fours(int* x) => Vector256.Create(*x).AsSByte();
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>What the two ways through a tile have in common.</summary>
public static unsafe partial class Attention
{
    private struct Shape
    {
        public Tensor Q;
        public Tensor Keys;
        public Tensor Values;
        public int* Pages;   // null: position p lies in row p
        public Tensor Y;
        public int Position;
        public int Heads;
        public int KeyValueHeads;
        public int Size;
        public AttentionRule Rule;

        /// <summary>Query heads that share a key.</summary>
        public readonly int Group => Heads / KeyValueHeads;

        /// <summary>Queries of one key/value head.</summary>
        public readonly int Rows => checked(Q.Rows * Group);

        /// <summary>The cache row of a tile's first position; the others follow it.</summary>
        public readonly int RowOf(int tile) => Pages is null ? tile : Pages[tile / TileLength] * TileLength;

        /// <summary>Sharing out this little costs more than it saves.</summary>
        public readonly bool IsSmall => (long)Q.Columns * Q.Rows * (EndSeen(Q.Rows - 1) - FirstSeen(0)) < ParallelWork;

        /// <summary>The first position that token <paramref name="t"/> sees.</summary>
        public readonly int FirstSeen(int t) => Rule.Window <= 0 ? 0
            : Math.Max(0, Position + t - (Rule.Bidirectional ? Rule.Window / 2 : Rule.Window - 1));

        /// <summary>The end of the positions that token <paramref name="t"/> sees.</summary>
        public readonly int EndSeen(int t) => !Rule.Bidirectional ? Position + t + 1
            : Rule.Window <= 0 ? Position + Q.Rows
            : (int)Math.Min(Position + (long)Q.Rows, Position + (long)t + (Rule.Window / 2) + 1);

        /// <summary>The query of a row: S floats.</summary>
        public readonly float* Query(int keyValueHead, int row) => Q.Floats + OffsetOf(keyValueHead, row);

        /// <summary>One head of a cache row.</summary>
        public readonly byte* Head(Tensor cache, int row, int head) =>
            cache.Data + (row * (nint)cache.RowBytes)
            + ((nint)head * (Size / FormatInfo.BlockLength(cache.Format)) * FormatInfo.BlockBytes(cache.Format));

        /// <summary>One head of the cache rows [from, to) after <paramref name="row"/>, unpacked, each padded with zeros.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Unpack<TKernel>(Tensor cache, int row, int from, int to, int head, float* target, int stride)
            where TKernel : struct, IAttentionKernel
        {
            target += (nint)from * stride;
            byte* source = Head(cache, row + from, head);
            nint bytes = (nint)cache.RowBytes;
            int blocks = Size / FormatInfo.BlockLength(cache.Format);
            nint length = blocks * FormatInfo.BlockBytes(cache.Format);
            for (int c = from; c < to; c++, source += bytes, target += stride)
            {
                for (nint line = TileLength * bytes; line < (TileLength * bytes) + length; line += 64)
                    Simd.Prefetch(source + line);   // the next tile: rows lie too far apart for the chip to see that coming
                if (cache.Format == TensorFormat.F16)
                    TKernel.Unpack<F16>(source, target, Size);
                else if (cache.Format == TensorFormat.F32)
                    TKernel.Unpack<F32>(source, target, Size);
                else if (cache.Format == TensorFormat.BF16)
                    TKernel.Unpack<BF16>(source, target, Size);
                else
                    BlockFormat.Dequantize(cache.Format, source, target, blocks);
                for (int i = Size; i < stride; i++)
                    target[i] = 0;
            }
        }

        /// <summary>Ends a row: the sink takes part, the sum divides.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Finish(int keyValueHead, int row, float max, float sum, float* values)
        {
            float factor = 1;
            if (!Rule.Sinks.IsEmpty)
            {
                float sink = Rule.Sinks.Floats[(keyValueHead * Group) + (row % Group)], most = Math.Max(max, sink);
                factor = Exp(max - most);
                sum = (sum * factor) + Exp(sink - most);
            }

            float* y = Y.Floats + OffsetOf(keyValueHead, row);
            Vector256<float> factors = Vector256.Create(factor), sums = Vector256.Create(sum);
            int i = 0;
            for (; i <= Size - VectorMath.Lanes; i += VectorMath.Lanes)   // + 0: a zero has no sign, however it came about
                ((Vector256.Load(values + i) * factors / sums) + Vector256<float>.Zero).Store(y + i);
            for (; i < Size; i++)
                y[i] = (values[i] * factor / sum) + 0f;
        }

        private readonly nint OffsetOf(int keyValueHead, int row) =>
            (row / Group * (nint)Q.Columns) + (((keyValueHead * Group) + (row % Group)) * Size);
    }

    /// <summary>A running result takes in that of the next tile, eight rows: how much of either counts.</summary>
    private static void Merge(float* max, float* sum, float* tileMax, float* tileSum, float* keep, float* add)
    {
        Vector256<float> before = Vector256.Load(max), tile = Vector256.Load(tileMax);
        Vector256<float> after = Vector256.MaxNative(before, tile);
        Vector256<float> a = VectorMath.Exp(before - after), b = VectorMath.Exp(tile - after);
        a.Store(keep);
        b.Store(add);
        after.Store(max);
        ((Vector256.Load(sum) * a) + (Vector256.Load(tileSum) * b)).Store(sum);
    }

    /// <summary>values = values · keep + tile · add; whole vectors of 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MergeValues(float* values, float* tile, int size, float keep, float add)
    {
        Vector256<float> a = Vector256.Create(keep), b = Vector256.Create(add);
        for (int i = 0; i < size; i += VectorMath.Lanes)
            Simd.MultiplyAdd(Vector256.Load(values + i), a, Vector256.Load(tile + i) * b).Store(values + i);
    }

    /// <summary>
    /// y = Σ p[c] · values[c] over the positions that the row sees and no others, for tiles with infinity or NaN among
    /// the values: there, zero times a hidden value is not zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ExactValues(float* p, nint step, int from, int to, float* values, int stride, float* y)
    {
        for (int i = 0; i < stride; i += VectorMath.Lanes)
        {
            Vector256<float> sum = default;
            for (int c = from; c < to; c++)
                sum = Simd.MultiplyAdd(Vector256.Create(p[c * step]), Vector256.Load(values + ((nint)c * stride) + i), sum);
            sum.Store(y + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool HasSpecial(float* values, nint from, nint to)
    {
        Vector256<float> worst = default;   // x − x is 0, or NaN, which stays
        for (nint i = from; i < to; i += VectorMath.Lanes)
            worst += Vector256.Load(values + i) - Vector256.Load(values + i);
        return !Vector256.EqualsAll(worst, worst);
    }

    /// <summary>cap · tanh(score / cap): keeps scores within ± cap (Gemma 2, arXiv:2408.00118).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SoftCap(float* scores, int count, float cap)
    {
        for (int c = 0; c < count; c += VectorMath.Lanes)
            (VectorMath.Tanh(Vector256.Load(scores + c) / cap) * cap).Store(scores + c);
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private static float Exp(float x) => VectorMath.Exp(Vector256.CreateScalar(x)).ToScalar();
}

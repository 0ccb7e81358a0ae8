using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// Causal attention of grouped queries (Vaswani et al. 2017, arXiv:1706.03762; Ainslie et al. 2023, arXiv:2305.13245)
/// with a running softmax over tiles of the cache (Dao et al. 2022, arXiv:2205.14135). The tiles lie at fixed absolute
/// positions, so a token's bits depend neither on the batch it came in nor on the threads.
/// </summary>
public static unsafe partial class Attention
{
    /// <summary>Cache rows per step of the running softmax; a ring of cache rows is a multiple of it.</summary>
    public const int TileLength = 32;

    /// <summary>Largest head for which the cache may be kept in another format than F32.</summary>
    public const int LargestPacked = 512;
    private const int QueryRows = 16;      // tokens that share a tile while it is in the first cache
    private const int KeysAtOnce = 8;
    private const int ParallelWork = 1 << 15;

    /// <summary>Bytes of scratch for a batch: the running maximum and sum of each query.</summary>
    public static long ScratchBytes(int tokens, int heads) => Arena.SizeOf(tokens, checked(2 * heads));

    /// <summary>y[t] of head h = Σ softmax(scale · q[t]·keys[c]) values[c] over the positions c that row t sees.</summary>
    /// <param name="team">Threads to use.</param>
    /// <param name="q">[T, H·S] queries.</param>
    /// <param name="keys">
    /// [C, K·S] cache, the batch's own rows already in it: position p lies in row p mod C. F32, or a format whose blocks
    /// do not reach over a head.
    /// </param>
    /// <param name="values">[C, K·S] cache, likewise.</param>
    /// <param name="position">Tokens before this batch: row t stands at position + t.</param>
    /// <param name="y">[T, H·S].</param>
    /// <param name="heads">H.</param>
    /// <param name="keyValueHeads">K, a divisor of H.</param>
    /// <param name="rule">Scale, window and the rest.</param>
    /// <param name="scratch">Room for <see cref="ScratchBytes"/>.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Run(
        ThreadTeam team, Tensor q, Tensor keys, Tensor values, int position, Tensor y, int heads, int keyValueHeads,
        in AttentionRule rule, Arena scratch)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(scratch);
        RequireShapes(q, keys, values, y, heads, keyValueHeads, rule);
        RequirePositions(q, keys, position, rule);
        if (q.ElementCount == 0)
            return;

        long mark = scratch.Mark;
        var job = new Job
        {
            Q = q,
            Keys = keys,
            Values = values,
            Y = y,
            State = scratch.Rent(q.Rows, 2 * heads),
            Position = position,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = q.Columns / heads,
            Rule = rule,
        };
        int units = checked((q.Rows + QueryRows - 1) / QueryRows * keyValueHeads);
        bool small = (long)q.Columns * q.Rows * (position + q.Rows) < ParallelWork;
        team.Run(ref job, units, small ? units : 1);
        scratch.Release(mark);
    }

    private static void RequireShapes(Tensor q, Tensor keys, Tensor values, Tensor y, int heads, int keyValueHeads, in AttentionRule rule)
    {
        q.RequireF32();
        y.RequireF32(q.Rows, q.Columns, "Attention");
        if (heads <= 0 || keyValueHeads <= 0 || heads % keyValueHeads != 0 || q.Columns % heads != 0
            || keys.Columns != q.Columns / heads * (long)keyValueHeads)
            throw new ArgumentException($"Attention: queries {q} with {heads} heads, keys {keys} with {keyValueHeads}");
        if (keys.IsEmpty || values.IsEmpty || values.Rows != keys.Rows || values.Columns != keys.Columns)
            throw new ArgumentException($"Attention: keys {keys}, values {values}");
        int size = q.Columns / heads;
        foreach (TensorFormat format in (ReadOnlySpan<TensorFormat>)[keys.Format, values.Format])
        {
            if (format != TensorFormat.F32 && (size > LargestPacked || size % FormatInfo.BlockLength(format) != 0))
                throw new ArgumentException($"Attention: heads of {size} do not fit a cache in {format}");
        }

        if (!rule.Sinks.IsEmpty)
            rule.Sinks.RequireF32(1, heads, "Attention sinks");
    }

    private static void RequirePositions(Tensor q, Tensor keys, int position, in AttentionRule rule)
    {
        bool whole = position >= 0 && position <= keys.Rows - q.Rows;
        bool ring = rule.Window > 0 && !rule.Bidirectional && position >= 0 && keys.Rows % TileLength == 0
            && rule.Window + (long)q.Rows - 1 <= keys.Rows;
        if (!whole && !ring)
            throw new ArgumentException($"Attention: queries {q} at position {position}, keys {keys}, window {rule.Window}");
    }

    /// <summary>cap · tanh(score / cap): keeps scores within ± cap (Gemma 2, arXiv:2408.00118).</summary>
    private static void SoftCap(float* scores, int count, float cap)
    {
        for (int c = 0; c < count; c += VectorMath.Lanes)
            (VectorMath.Tanh(Vector256.Load(scores + c) / cap) * cap).Store(scores + c);
    }

    /// <summary>The scores of a tile's first <paramref name="count"/> rows, written eight at a time.</summary>
    private static void Scores(float* q, float* keys, nint stride, int count, int size, float scale, float* scores)
    {
        for (int c = 0; c < count; c += KeysAtOnce)
        {
            int last = Math.Min(KeysAtOnce, count - c) - 1;
            Vector256<float> eight = EightDots(q, keys + (c * stride), stride, last, size);
            if (size % VectorMath.Lanes != 0)
                eight += EightTails(q, keys + (c * stride), stride, last, size);
            (eight * Vector256.Create(scale)).Store(scores + c);
        }
    }

    /// <summary>q · eight rows, of which those after <paramref name="last"/> repeat it: rows not yet written are not touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector256<float> EightDots(float* q, float* k, nint stride, int last, int size)
    {
        float* k1 = k + (Math.Min(1, last) * stride), k2 = k + (Math.Min(2, last) * stride), k3 = k + (Math.Min(3, last) * stride);
        float* k4 = k + (Math.Min(4, last) * stride), k5 = k + (Math.Min(5, last) * stride);
        float* k6 = k + (Math.Min(6, last) * stride), k7 = k + (last * stride);
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (nint i = 0; i <= size - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256<float> x = Vector256.Load(q + i);
            s0 = Simd.MultiplyAdd(x, Vector256.Load(k + i), s0);
            s1 = Simd.MultiplyAdd(x, Vector256.Load(k1 + i), s1);
            s2 = Simd.MultiplyAdd(x, Vector256.Load(k2 + i), s2);
            s3 = Simd.MultiplyAdd(x, Vector256.Load(k3 + i), s3);
            s4 = Simd.MultiplyAdd(x, Vector256.Load(k4 + i), s4);
            s5 = Simd.MultiplyAdd(x, Vector256.Load(k5 + i), s5);
            s6 = Simd.MultiplyAdd(x, Vector256.Load(k6 + i), s6);
            s7 = Simd.MultiplyAdd(x, Vector256.Load(k7 + i), s7);
        }

        return Vector256.Create(VectorMath.Sum(s0, s1, s2, s3), VectorMath.Sum(s4, s5, s6, s7));
    }

    /// <summary>The elements of a head that fill no vector; apart, so that the loop above keeps its registers.</summary>
    private static Vector256<float> EightTails(float* q, float* k, nint stride, int last, int size)
    {
        int whole = size / VectorMath.Lanes * VectorMath.Lanes;
        float* sums = stackalloc float[KeysAtOnce];
        Vector256<float> x = VectorMath.LoadPart(q + whole, size - whole);
        for (int i = 0; i < KeysAtOnce; i++)
            sums[i] = VectorMath.Sum(x * VectorMath.LoadPart(k + (Math.Min(i, last) * stride) + whole, size - whole));
        return Vector256.Load(sums);
    }

    /// <summary>y = y · correction + Σ weights[c] · values[c] over the tile's first <paramref name="count"/> rows.</summary>
    private static void Accumulate(float* weights, float* values, nint stride, int count, int size, float correction, float* y)
    {
        int i = 0;
        for (; i <= size - (8 * VectorMath.Lanes); i += 8 * VectorMath.Lanes)
            AccumulateEight(weights, values + i, stride, count, correction, y + i);
        for (; i <= size - VectorMath.Lanes; i += VectorMath.Lanes)
            AccumulateOne(weights, values + i, stride, count, correction, y + i);
        if (i < size)
            AccumulateTail(weights, values + i, stride, count, correction, y + i, size - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AccumulateEight(float* weights, float* values, nint stride, int count, float correction, float* y)
    {
        Vector256<float> factor = Vector256.Create(correction);
        Vector256<float> s0 = Vector256.Load(y) * factor, s1 = Vector256.Load(y + 8) * factor;
        Vector256<float> s2 = Vector256.Load(y + 16) * factor, s3 = Vector256.Load(y + 24) * factor;
        Vector256<float> s4 = Vector256.Load(y + 32) * factor, s5 = Vector256.Load(y + 40) * factor;
        Vector256<float> s6 = Vector256.Load(y + 48) * factor, s7 = Vector256.Load(y + 56) * factor;
        for (float* end = weights + count; weights < end; weights++, values += stride)
        {
            Vector256<float> w = Vector256.Create(*weights);
            s0 = Simd.MultiplyAdd(w, Vector256.Load(values), s0);
            s1 = Simd.MultiplyAdd(w, Vector256.Load(values + 8), s1);
            s2 = Simd.MultiplyAdd(w, Vector256.Load(values + 16), s2);
            s3 = Simd.MultiplyAdd(w, Vector256.Load(values + 24), s3);
            s4 = Simd.MultiplyAdd(w, Vector256.Load(values + 32), s4);
            s5 = Simd.MultiplyAdd(w, Vector256.Load(values + 40), s5);
            s6 = Simd.MultiplyAdd(w, Vector256.Load(values + 48), s6);
            s7 = Simd.MultiplyAdd(w, Vector256.Load(values + 56), s7);
        }

        s0.Store(y);
        s1.Store(y + 8);
        s2.Store(y + 16);
        s3.Store(y + 24);
        s4.Store(y + 32);
        s5.Store(y + 40);
        s6.Store(y + 48);
        s7.Store(y + 56);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AccumulateOne(float* weights, float* values, nint stride, int count, float correction, float* y)
    {
        Vector256<float> sum = Vector256.Load(y) * Vector256.Create(correction);
        for (float* end = weights + count; weights < end; weights++, values += stride)
            sum = Simd.MultiplyAdd(Vector256.Create(*weights), Vector256.Load(values), sum);
        sum.Store(y);
    }

    private static void AccumulateTail(float* weights, float* values, nint stride, int count, float correction, float* y, int rest)
    {
        Vector256<float> sum = VectorMath.LoadPart(y, rest) * Vector256.Create(correction);
        for (int c = 0; c < count; c++, values += stride)
            sum = Simd.MultiplyAdd(Vector256.Create(weights[c]), VectorMath.LoadPart(values, rest), sum);
        VectorMath.StorePart(sum, y, rest);
    }
}

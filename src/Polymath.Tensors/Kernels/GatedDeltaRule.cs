using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// The recurrence of a gated delta net (Yang, Kautz and Hatamizadeh 2024, arXiv:2412.06464). Each head has a matrix M of
/// S keys by S values, and for each token M ← g·M + k (β (v − g·Mᵀk))ᵀ, y = Mᵀq. A column of M needs no other, so
/// sixteen of them lie together and take all tokens of a pass before the next sixteen: what they hold stays in the
/// nearest cache. One walk over them updates them and reads y and the next token's Mᵀk off at once.
/// </summary>
public static unsafe class GatedDeltaRule
{
    private const int BlockColumns = 2 * VectorMath.Lanes;
    private const long ParallelElements = 1 << 15;

    /// <summary>Floats of the state of so many heads: for each head and sixteen columns S rows, the last columns padded.</summary>
    /// <exception cref="OverflowException">More than 2³¹ − 1.</exception>
    public static int StateLength(int heads, int headSize) => checked(heads * Blocks(headSize) * headSize * BlockColumns);

    /// <summary>Takes the tokens into the state, one after the other.</summary>
    /// <param name="team">Threads to use; they share out the columns.</param>
    /// <param name="q">[T, K·S], normalised and scaled.</param>
    /// <param name="k">[T, K·S], normalised.</param>
    /// <param name="v">[T, V·S].</param>
    /// <param name="decay">g, [T, V].</param>
    /// <param name="beta">β, [T, V].</param>
    /// <param name="state">M before the tokens, [1, StateLength(V, S)].</param>
    /// <param name="next">M after them; it may be <paramref name="state"/>.</param>
    /// <param name="y">[T, V·S].</param>
    /// <param name="tiled">
    /// Value head h takes the queries and keys of head h mod K; otherwise of head h / (V/K), so that neighbours share them.
    /// </param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Run(
        ThreadTeam team, Tensor q, Tensor k, Tensor v, Tensor decay, Tensor beta, Tensor state, Tensor next, Tensor y, bool tiled)
    {
        ArgumentNullException.ThrowIfNull(team);
        v.RequireF32();
        q.RequireF32();
        k.RequireF32(v.Rows, q.Columns, "GatedDeltaRule keys");
        int heads = decay.Columns, size = heads == 0 ? 0 : v.Columns / heads, keyHeads = size == 0 ? 0 : q.Columns / size;
        if (size == 0 || keyHeads == 0 || heads * size != v.Columns || keyHeads * size != q.Columns || heads % keyHeads != 0)
            throw new ArgumentException($"GatedDeltaRule: queries {q}, values {v}, {heads} heads");
        q.RequireF32(v.Rows, q.Columns, "GatedDeltaRule queries");
        decay.RequireF32(v.Rows, heads, "GatedDeltaRule decay");
        beta.RequireF32(v.Rows, heads, "GatedDeltaRule beta");
        state.RequireF32(1, StateLength(heads, size), "GatedDeltaRule state");
        next.RequireF32(1, state.Columns, "GatedDeltaRule next state");
        y.RequireF32(v.Rows, v.Columns, "GatedDeltaRule");
        var job = new Job
        {
            Q = q,
            K = k,
            V = v,
            Decay = decay,
            Beta = beta,
            State = state,
            Next = next,
            Y = y,
            Size = size,
            KeyHeads = keyHeads,
            ValueHeadsPerKey = tiled ? 0 : heads / keyHeads,
        };
        int blocks = heads * Blocks(size);
        team.Run(ref job, blocks, state.ElementCount * v.Rows < ParallelElements ? blocks : Math.Max(1, Blocks(size) / 2));
    }

    private static int Blocks(int headSize) => (headSize + BlockColumns - 1) / BlockColumns;

    private struct Job : IRangeJob
    {
        public Tensor Q;
        public Tensor K;
        public Tensor V;
        public Tensor Decay;
        public Tensor Beta;
        public Tensor State;
        public Tensor Next;
        public Tensor Y;
        public int Size;
        public int KeyHeads;
        public int ValueHeadsPerKey;   // 0: tiled

        public readonly void Run(int from, int to)
        {
            int blocks = Blocks(Size);
            for (int unit = from; unit < to; unit++)
            {
                int head = unit / blocks, column = unit % blocks * BlockColumns;
                int keyHead = ValueHeadsPerKey == 0 ? head % KeyHeads : head / ValueHeadsPerKey;
                Columns(unit, head, keyHead * Size, (head * Size) + column, Math.Min(BlockColumns, Size - column));
            }
        }

        /// <summary>All tokens through up to sixteen columns.</summary>
        private readonly void Columns(int unit, int head, int keyAt, int valueAt, int count)
        {
            nint at = (nint)unit * Size * BlockColumns;
            float* source = State.Floats + at, target = Next.Floats + at;
            int rest = Math.Max(0, count - VectorMath.Lanes), first = Math.Min(count, VectorMath.Lanes);
            Walk walk = default;
            FirstDots(source, K.Floats + keyAt, Size, ref walk);
            for (int t = 0; t < V.Rows; t++, source = target)
            {
                nint row = (nint)t * K.Columns, valueRow = ((nint)t * V.Columns) + valueAt;
                float* k = K.Floats + row + keyAt, nextKey = t + 1 < V.Rows ? k + K.Columns : k;
                float g = Decay.Floats[((nint)t * Decay.Columns) + head], b = Beta.Floats[((nint)t * Beta.Columns) + head];
                walk.Delta0 = (Part(V.Floats + valueRow, first) - (walk.Dot0 * g)) * b;
                walk.Delta1 = (Part(V.Floats + valueRow + VectorMath.Lanes, rest) - (walk.Dot1 * g)) * b;
                Step(source, target, Size, k, Q.Floats + row + keyAt, nextKey, g, ref walk);
                Put(walk.Out0, Y.Floats + valueRow, first);
                Put(walk.Out1, Y.Floats + valueRow + VectorMath.Lanes, rest);
            }
        }

        private static Vector256<float> Part(float* source, int count) =>
            count == VectorMath.Lanes ? Vector256.Load(source) : VectorMath.LoadPart(source, count);

        private static void Put(Vector256<float> v, float* target, int count)
        {
            if (count == VectorMath.Lanes)
                v.Store(target);
            else
                VectorMath.StorePart(v, target, count);
        }
    }

    /// <summary>What one walk over sixteen columns takes and gives.</summary>
    private struct Walk
    {
        public Vector256<float> Delta0;   // β (v − g·Mᵀk)
        public Vector256<float> Delta1;
        public Vector256<float> Dot0;     // Mᵀ · the next key
        public Vector256<float> Dot1;
        public Vector256<float> Out0;     // Mᵀq
        public Vector256<float> Out1;
    }

    /// <summary>Mᵀk of the first token; the sums run in the order of those in <see cref="Step"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FirstDots(float* m, float* k, int size, ref Walk walk)
    {
        Vector256<float> dot0 = Vector256<float>.Zero, dot1 = Vector256<float>.Zero;
        for (float* end = k + size; k < end; k++, m += BlockColumns)
        {
            Vector256<float> key = Vector256.Create(*k);
            dot0 = Simd.MultiplyAdd(Vector256.Load(m), key, dot0);
            dot1 = Simd.MultiplyAdd(Vector256.Load(m + VectorMath.Lanes), key, dot1);
        }

        walk.Dot0 = dot0;
        walk.Dot1 = dot1;
    }

    /// <summary>M ← g·M + k·δᵀ from one place to another, and on the way Mᵀq and Mᵀ · the next key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Step(float* from, float* to, int size, float* k, float* q, float* nextKey, float decay, ref Walk walk)
    {
        Vector256<float> g = Vector256.Create(decay), delta0 = walk.Delta0, delta1 = walk.Delta1;
        Vector256<float> dot0 = Vector256<float>.Zero, dot1 = Vector256<float>.Zero;
        Vector256<float> out0 = Vector256<float>.Zero, out1 = Vector256<float>.Zero;
        for (nint i = 0; i < size; i++, from += BlockColumns, to += BlockColumns)
        {
            Vector256<float> key = Vector256.Create(k[i]), query = Vector256.Create(q[i]), later = Vector256.Create(nextKey[i]);
            Vector256<float> m0 = Simd.MultiplyAdd(key, delta0, Vector256.Load(from) * g);
            Vector256<float> m1 = Simd.MultiplyAdd(key, delta1, Vector256.Load(from + VectorMath.Lanes) * g);
            m0.Store(to);
            m1.Store(to + VectorMath.Lanes);
            out0 = Simd.MultiplyAdd(m0, query, out0);
            out1 = Simd.MultiplyAdd(m1, query, out1);
            dot0 = Simd.MultiplyAdd(m0, later, dot0);
            dot1 = Simd.MultiplyAdd(m1, later, dot1);
        }

        walk.Out0 = out0;
        walk.Out1 = out1;
        walk.Dot0 = dot0;
        walk.Dot1 = dot1;
    }
}

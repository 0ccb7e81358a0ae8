namespace Polymath.Tensors;

/// <summary>
/// Causal attention of grouped queries (Vaswani et al. 2017, arXiv:1706.03762; Ainslie et al. 2023, arXiv:2305.13245)
/// with a running softmax over tiles of the cache (Dao et al. 2022, arXiv:2205.14135). The tiles lie at fixed absolute
/// positions; each is worked on from nothing, and the tiles' results (maximum, sum, weighted values) are merged in rising
/// order. So a token's bits depend neither on the batch it came in nor on the threads, and a single token's tiles can be
/// shared out. Queries are rows of the heads of one key/value head: row r is token r / group, head r mod group of it.
/// Few of them (<see cref="FewJob{TKernel}"/>) read the cache as it lies, many (<see cref="BlockJob{TKernel}"/>) unpack
/// a tile once and multiply blocks of rows with it.
/// </summary>
public static unsafe partial class Attention
{
    /// <summary>Cache rows per step of the running softmax, and of a page of the cache.</summary>
    public const int TileLength = 128;

    /// <summary>Largest head for which the cache may be kept in another format than F32.</summary>
    public const int LargestPacked = 512;

    /// <summary>Rows of a block: three vectors of 16 or six of 8.</summary>
    internal const int BlockRows = 48;
    private const int BlocksPerUnit = 8;   // that share a tile once it is unpacked
    private const int MostFew = 24;        // more rows than this are a block's work
    private const int WaveRows = 256;      // rows × tiles whose results are kept until they are merged
    private const int ParallelWork = 1 << 15;

    /// <summary>Bytes of scratch that a batch takes at most.</summary>
    public static long ScratchBytes(int heads, int headSize) => checked(Arena.SizeOf(heads * 2 * WaveRows, headSize + 64));

    /// <summary>y[t] of head h = Σ softmax(scale · q[t]·keys[c]) values[c] over the positions c that row t sees.</summary>
    /// <param name="team">Threads to use.</param>
    /// <param name="q">[T, H·S] queries.</param>
    /// <param name="keys">
    /// [C, K·S] cache, the batch's own rows already in it: position p lies in row p. F32, or a format whose blocks do not
    /// reach over a head.
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
        in AttentionRule rule, Arena scratch) =>
        Run(team, q, keys, values, [], position, y, heads, keyValueHeads, rule, scratch);

    /// <summary>The same over a cache in pages of <see cref="TileLength"/> rows: position p lies in page pages[p / TileLength].</summary>
    /// <param name="team">Threads to use.</param>
    /// <param name="q">[T, H·S] queries.</param>
    /// <param name="keys">[C, K·S] cache.</param>
    /// <param name="values">[C, K·S] cache, likewise.</param>
    /// <param name="pages">Where each page of the text lies; those that no row sees may hold any number. None: p lies in row p.</param>
    /// <param name="position">Tokens before this batch: row t stands at position + t.</param>
    /// <param name="y">[T, H·S].</param>
    /// <param name="heads">H.</param>
    /// <param name="keyValueHeads">K, a divisor of H.</param>
    /// <param name="rule">Scale, window and the rest.</param>
    /// <param name="scratch">Room for <see cref="ScratchBytes"/>.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a page lies outside the cache.</exception>
    public static void Run(
        ThreadTeam team, Tensor q, Tensor keys, Tensor values, ReadOnlySpan<int> pages, int position, Tensor y, int heads,
        int keyValueHeads, in AttentionRule rule, Arena scratch)
    {
        if (Cpu.InstructionSet == InstructionSet.Avx512)
            Run<Attention512>(team, q, keys, values, pages, position, y, heads, keyValueHeads, rule, scratch);
        else
            Run<Attention256>(team, q, keys, values, pages, position, y, heads, keyValueHeads, rule, scratch);
    }

    internal static void Run<TKernel>(
        ThreadTeam team, Tensor q, Tensor keys, Tensor values, ReadOnlySpan<int> pages, int position, Tensor y, int heads,
        int keyValueHeads, in AttentionRule rule, Arena scratch)
        where TKernel : struct, IAttentionKernel
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(scratch);
        RequireShapes(q, keys, values, y, heads, keyValueHeads, rule);
        if (q.ElementCount == 0)
            return;

        long mark = scratch.Mark;
        fixed (int* table = pages)
        {
            var shape = new Shape
            {
                Q = q,
                Keys = keys,
                Values = values,
                Pages = table,
                Y = y,
                Position = position,
                Heads = heads,
                KeyValueHeads = keyValueHeads,
                Size = q.Columns / heads,
                Rule = rule,
            };
            RequirePositions(shape, pages);
            Share<TKernel>(team, shape, scratch);
        }

        scratch.Release(mark);
        q.KeepAlive();
        keys.KeepAlive();
        values.KeepAlive();
        y.KeepAlive();
    }

    private static void Share<TKernel>(ThreadTeam team, in Shape shape, Arena scratch)
        where TKernel : struct, IAttentionKernel
    {
        if (shape.Rows <= MostFew)
        {
            FewJob<TKernel>.Run(team, shape, scratch);
            return;
        }

        // Fewer blocks to a unit unpack a tile more often, but give each thread something to do.
        int blocks = (shape.Rows + BlockRows - 1) / BlockRows, together = BlocksPerUnit;
        while (together > 1 && (blocks + together - 1) / together * shape.KeyValueHeads < 4 * team.Count)
            together /= 2;
        var job = new BlockJob<TKernel> { Shape = shape, Blocks = together };
        int units = checked((blocks + together - 1) / together * shape.KeyValueHeads);
        team.Run(ref job, units, shape.IsSmall ? units : 1);
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

    private static void RequirePositions(in Shape shape, ReadOnlySpan<int> pages)
    {
        int rows = shape.Keys.Rows, position = shape.Position, count = shape.Q.Rows;
        bool fits = position >= 0 && position <= (pages.IsEmpty ? rows : pages.Length * (long)TileLength) - count;
        if (fits && !pages.IsEmpty)
        {
            int first = shape.FirstSeen(0) / TileLength, end = (position + count + TileLength - 1) / TileLength;
            foreach (int page in pages[first..end])
                fits &= page >= 0 && page < rows / TileLength;
        }

        if (!fits || (shape.Rule.Bidirectional && !pages.IsEmpty))
            throw new ArgumentException($"Attention: queries {shape.Q} at position {position}, keys {shape.Keys}, {pages.Length} pages");
    }
}

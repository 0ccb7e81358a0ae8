namespace Polymath.Tensors;

/// <summary>
/// Many equally shaped matrices [rows, columns] inside one F32 tensor, one for each of outer × inner places:
/// matrix (o, i) starts at element start + o · outerStride + (i / sharedBy) · innerStride, its rows rowStride apart.
/// In attention outer counts sequences, inner counts heads, and sharedBy query heads use one key and value head.
/// Bounds are proven here, once.
/// </summary>
public readonly unsafe struct GemmView
{
    /// <summary>Makes a view; every element it can reach must lie inside <paramref name="tensor"/>.</summary>
    /// <exception cref="ArgumentException">The view reaches outside the tensor.</exception>
    public GemmView(
        Tensor tensor, long start, int rows, int columns, long rowStride,
        int outer = 1, long outerStride = 0, int inner = 1, long innerStride = 0, int sharedBy = 1)
    {
        tensor.RequireF32();
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfNegative(rowStride);
        ArgumentOutOfRangeException.ThrowIfNegative(outer);
        ArgumentOutOfRangeException.ThrowIfNegative(outerStride);
        ArgumentOutOfRangeException.ThrowIfNegative(inner);
        ArgumentOutOfRangeException.ThrowIfNegative(innerStride);
        ArgumentOutOfRangeException.ThrowIfLessThan(sharedBy, 1);
        if (inner % sharedBy != 0)
            throw new ArgumentException($"{inner} matrices cannot be shared by {sharedBy}", nameof(sharedBy));
        if (rows > 0 && columns > 0 && outer > 0 && inner > 0)
        {
            UInt128 end = (UInt128)start + ((UInt128)(outer - 1) * (UInt128)outerStride)
                + ((UInt128)((inner / sharedBy) - 1) * (UInt128)innerStride)
                + ((UInt128)(rows - 1) * (UInt128)rowStride) + (UInt128)columns;
            if (end > (UInt128)tensor.ElementCount)
                throw new ArgumentException($"view of {outer} × {inner} × [{rows}, {columns}] reaches outside {tensor}");
        }

        Tensor = tensor;
        Start = start;
        Rows = rows;
        Columns = columns;
        RowStride = rowStride;
        Outer = outer;
        OuterStride = outerStride;
        Inner = inner;
        InnerStride = innerStride;
        SharedBy = sharedBy;
    }

    /// <summary>Matrices counted by the outer index.</summary>
    public int Outer { get; }

    /// <summary>Matrices counted by the inner index, for each outer one.</summary>
    public int Inner { get; }

    /// <summary>Rows of each matrix.</summary>
    public int Rows { get; }

    /// <summary>Columns of each matrix.</summary>
    public int Columns { get; }

    /// <summary>Inner indices in a row that name the same matrix.</summary>
    public int SharedBy { get; }

    internal Tensor Tensor { get; }

    internal long Start { get; }

    internal long RowStride { get; }

    internal long OuterStride { get; }

    internal long InnerStride { get; }

    /// <summary>
    /// The heads of projections: <paramref name="x"/> [sequences · length, heads · headSize] seen as
    /// sequences × (heads · sharedBy) matrices [length, headSize].
    /// </summary>
    /// <param name="x">Queries, keys, values or outputs, sequences one below the other.</param>
    /// <param name="sequences">Sequences in the batch.</param>
    /// <param name="heads">Heads held by <paramref name="x"/> (the key and value heads for keys and values).</param>
    /// <param name="sharedBy">Query heads for each head of <paramref name="x"/>.</param>
    public static GemmView OfHeads(Tensor x, int sequences, int heads, int sharedBy = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(sharedBy, 1);
        if (x.Rows % sequences != 0 || x.Columns % heads != 0)
            throw new ArgumentException($"{x} does not hold {sequences} sequences of {heads} heads");
        int length = x.Rows / sequences, headSize = x.Columns / heads;
        return new GemmView(
            x, 0, length, headSize, x.Columns, sequences, (long)length * x.Columns, checked(heads * sharedBy), headSize, sharedBy);
    }

    /// <summary>
    /// Attention scores: <paramref name="x"/> [sequences · heads · length, columns] seen as sequences × heads matrices
    /// [length, columns], head after head.
    /// </summary>
    public static GemmView OfScores(Tensor x, int sequences, int heads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        int matrices = checked(sequences * heads);
        if (x.Rows % matrices != 0)
            throw new ArgumentException($"{x} does not hold {sequences} × {heads} matrices");
        int length = x.Rows / matrices;
        return new GemmView(
            x, 0, length, x.Columns, x.Columns, sequences, (long)heads * length * x.Columns, heads, (long)length * x.Columns);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Outer} × {Inner} × [{Rows}, {Columns}]";

    internal float* At(int outer, int inner) =>
        Tensor.Floats + Start + (outer * OuterStride) + (inner / SharedBy * InnerStride);
}

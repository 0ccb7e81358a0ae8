namespace Polymath.Tensors;

/// <summary>
/// The inner loops of attention over one tile of the cache, at one vector width. Every sum is one chain in rising order
/// (a score over the head's elements, an output over the positions), but for the sum of a tile's weights, which is
/// that of eight chains, position c in chain c mod 8. So both widths give the same bits, and so do a query alone and the
/// same query in a block.
/// </summary>
internal unsafe interface IAttentionKernel
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>Unpacks a row of single elements, those that fill no vector one by one.</summary>
    static abstract void Unpack<TFormat>(byte* source, float* target, int count)
        where TFormat : struct, IFloatVector;

    /// <summary>
    /// Scores of a block of queries, position by position: p[c][row] = scale · Σ keys[c][i] · q[i][row]. Up to seven rows
    /// of p after <paramref name="to"/> are overwritten.
    /// </summary>
    /// <param name="keys">[to, stride] unpacked.</param>
    /// <param name="stride">Floats from one key to the next.</param>
    /// <param name="from">First position, a multiple of 8.</param>
    /// <param name="to">Where the positions end.</param>
    /// <param name="q">[size, BlockRows].</param>
    /// <param name="size">S.</param>
    /// <param name="scale">Factor on the sums.</param>
    /// <param name="p">[TileLength, BlockRows].</param>
    static abstract void BlockScores(float* keys, nint stride, int from, int to, float* q, int size, float scale, float* p);

    /// <summary>Hides position c of a row unless first[row] ≤ c &lt; end[row].</summary>
    static abstract void BlockMask(float* p, int from, int to, int* first, int* end);

    /// <summary>Turns scores into weights e^(score − max), and writes each row's maximum and sum.</summary>
    static abstract void BlockSoftmax(float* p, int from, int to, float* max, float* sum);

    /// <summary>y[row][i] = Σ p[c][row] · values[c][i]; <paramref name="stride"/>, of both, is a multiple of two vectors.</summary>
    static abstract void BlockValues(float* p, int from, int to, float* values, nint stride, int rows, float* y);

    /// <summary>
    /// panel[w][c] = word w of row c, for c in whole vectors; rows after the last are copies of it. True when the format
    /// is one that the panel cannot hold all values of, and there is such a value. What lies <paramref name="ahead"/> bytes after each row is asked for
    /// beforehand.
    /// </summary>
    static abstract bool Transpose<TRaw>(byte* source, nint strideBytes, int from, int to, int words, int* panel, nint ahead)
        where TRaw : struct, IRawFormat;

    /// <summary>Scores of four queries: p[row][c] = scale · Σ q[i][row] · keys[c][i], for c in pairs of vectors.</summary>
    static abstract void FewScores<TRaw>(int* panel, int from, int to, int words, float* q, float scale, float* p)
        where TRaw : struct, IRawFormat;

    /// <summary>Turns a row of scores, whole vectors, into weights times <paramref name="factor"/>; returns maximum and sum.</summary>
    static abstract (float Max, float Sum) FewSoftmax(float* p, int from, int to, float factor);

    /// <summary>
    /// y[row][i] = Σ p[row][c] · values[c][i] for four rows. True when there is a value that the raw format does not hold.
    /// </summary>
    static abstract bool FewValues<TRaw>(byte* values, nint strideBytes, int from, int to, int words, float* p, float* y, nint stride, nint ahead)
        where TRaw : struct, IRawFormat;
}

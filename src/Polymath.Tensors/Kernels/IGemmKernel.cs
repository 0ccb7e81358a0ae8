namespace Polymath.Tensors;

/// <summary>The innermost loop of a matrix product: one tile of C, held in registers.</summary>
internal unsafe interface IGemmKernel
{
    /// <summary>Rows of the tile.</summary>
    static abstract int Rows { get; }

    /// <summary>Columns of the tile.</summary>
    static abstract int Columns { get; }

    /// <summary>Steps of K after which the sums go to memory: a panel of B that long stays in the first-level cache.</summary>
    static abstract int Depth { get; }

    /// <summary>
    /// C[Rows, Columns] (+)= alpha · A · B. The panels are packed: a[k * Rows + row], b[k * Columns + column].
    /// Each element is one chain over k in rising order, then one product with alpha, then one sum.
    /// </summary>
    static abstract void Multiply(int depth, float* a, float* b, float* c, nint stride, float alpha, bool accumulate);
}

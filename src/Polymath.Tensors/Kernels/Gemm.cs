namespace Polymath.Tensors;

/// <summary>Zeros of a square left factor, or unwanted elements of the product, that a batched product may skip.</summary>
public enum GemmTriangle
{
    /// <summary>All elements count.</summary>
    None,

    /// <summary>Only elements of C on or below the diagonal are wanted; what stands above it afterwards is not defined.</summary>
    LowerC,

    /// <summary>op(A) holds zeros above its diagonal.</summary>
    LowerA,

    /// <summary>op(A) holds zeros below its diagonal.</summary>
    UpperA,
}

/// <summary>
/// Products of F32 matrices, row-major, with packed panels in the manner of BLIS (Van Zee and van de Geijn 2015).
/// Each element of C is summed over K in one fixed order, whatever the threads and the other sizes.
/// Packing memory belongs to the calling thread and is reused: a call allocates nothing once it has grown.
/// </summary>
public static unsafe partial class Gemm
{
    /// <summary>C [M, N] = alpha · op(A) [M, K] · op(B) [K, N], or C += … when <paramref name="accumulate"/> is set.</summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="a">[M, K], or [K, M] when <paramref name="transposeA"/> is set.</param>
    /// <param name="transposeA">op(A) = Aᵀ.</param>
    /// <param name="b">[K, N], or [N, K] when <paramref name="transposeB"/> is set.</param>
    /// <param name="transposeB">op(B) = Bᵀ.</param>
    /// <param name="c">[M, N]; must not overlap A or B.</param>
    /// <param name="accumulate">Add to C instead of overwriting it.</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    public static void Run(
        ThreadTeam team, Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate = false, float alpha = 1)
    {
        switch (Cpu.InstructionSet)
        {
            case InstructionSet.Avx512:
                Run<GemmAvx512>(team, a, transposeA, b, transposeB, c, accumulate, alpha);
                break;
            case InstructionSet.Avx2:
                Run<GemmAvx2>(team, a, transposeA, b, transposeB, c, accumulate, alpha);
                break;
            case InstructionSet.AdvSimd:
                Run<GemmAdvSimd>(team, a, transposeA, b, transposeB, c, accumulate, alpha);
                break;
            default:
                Run<GemmScalar>(team, a, transposeA, b, transposeB, c, accumulate, alpha);
                break;
        }
    }

    /// <summary>
    /// The same product for each pair of matrices of two views, shared out over the threads by matrix.
    /// Where <paramref name="c"/> is shared by several inner indices their products are added up in rising order.
    /// </summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="a">outer × inner × [M, K], or [K, M] when <paramref name="transposeA"/> is set.</param>
    /// <param name="transposeA">op(A) = Aᵀ.</param>
    /// <param name="b">outer × inner × [K, N], or [N, K] when <paramref name="transposeB"/> is set.</param>
    /// <param name="transposeB">op(B) = Bᵀ.</param>
    /// <param name="c">outer × inner × [M, N]; matrices that are not shared must not overlap.</param>
    /// <param name="accumulate">Add to C instead of overwriting it.</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="triangle">Work that may be left out.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    public static void RunBatch(
        ThreadTeam team, GemmView a, bool transposeA, GemmView b, bool transposeB, GemmView c,
        bool accumulate = false, float alpha = 1, GemmTriangle triangle = GemmTriangle.None)
    {
        switch (Cpu.InstructionSet)
        {
            case InstructionSet.Avx512:
                RunBatch<GemmAvx512>(team, a, transposeA, b, transposeB, c, accumulate, alpha, triangle);
                break;
            case InstructionSet.Avx2:
                RunBatch<GemmAvx2>(team, a, transposeA, b, transposeB, c, accumulate, alpha, triangle);
                break;
            case InstructionSet.AdvSimd:
                RunBatch<GemmAdvSimd>(team, a, transposeA, b, transposeB, c, accumulate, alpha, triangle);
                break;
            default:
                RunBatch<GemmScalar>(team, a, transposeA, b, transposeB, c, accumulate, alpha, triangle);
                break;
        }
    }

    internal static void Run<TKernel>(
        ThreadTeam team, Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate, float alpha)
        where TKernel : struct, IGemmKernel
    {
        ArgumentNullException.ThrowIfNull(team);
        a.RequireF32();
        b.RequireF32();
        c.RequireF32();
        int m = transposeA ? a.Columns : a.Rows, k = transposeA ? a.Rows : a.Columns;
        int n = transposeB ? b.Rows : b.Columns;
        if (k != (transposeB ? b.Columns : b.Rows) || m != c.Rows || n != c.Columns)
            ThrowShapes(a.ToString(), transposeA, b.ToString(), transposeB, c.ToString());

        var product = new Product
        {
            M = m,
            N = n,
            K = k,
            A = Operand.Of(a.Floats, a.Columns, transposeA),
            B = Operand.Of(b.Floats, b.Columns, !transposeB),
            C = c.Floats,
            Stride = c.Columns,
            Alpha = alpha,
            Accumulate = accumulate,
        };
        // Sharing out a product this small costs more than it saves.
        bool small = (long)m * n * k < 64 * 64 * 64;
        product.Run<TKernel>(small ? null : team);
        a.KeepAlive();
        b.KeepAlive();
        c.KeepAlive();
    }

    internal static void RunBatch<TKernel>(
        ThreadTeam team, GemmView a, bool transposeA, GemmView b, bool transposeB, GemmView c,
        bool accumulate, float alpha, GemmTriangle triangle)
        where TKernel : struct, IGemmKernel
    {
        ArgumentNullException.ThrowIfNull(team);
        int m = transposeA ? a.Columns : a.Rows, k = transposeA ? a.Rows : a.Columns;
        int n = transposeB ? b.Rows : b.Columns;
        if (k != (transposeB ? b.Columns : b.Rows) || m != c.Rows || n != c.Columns
            || a.Outer != b.Outer || a.Outer != c.Outer || a.Inner != b.Inner || a.Inner != c.Inner)
        {
            ThrowShapes(a.ToString(), transposeA, b.ToString(), transposeB, c.ToString());
        }

        if (c.Rows == 0 || c.Columns == 0 || c.Outer == 0 || c.Inner == 0)
            return;
        var job = new BatchJob<TKernel>
        {
            A = a,
            B = b,
            C = c,
            TransposeA = transposeA,
            TransposeB = transposeB,
            Accumulate = accumulate,
            Alpha = alpha,
            Triangle = triangle,
        };
        team.Run(ref job, checked(c.Outer * (c.Inner / c.SharedBy)));
        a.Tensor.KeepAlive();
        b.Tensor.KeepAlive();
        c.Tensor.KeepAlive();
    }

    private static void ThrowShapes(string a, bool transposeA, string b, bool transposeB, string c) =>
        throw new ArgumentException(
            $"Gemm: {a}{(transposeA ? " transposed" : "")} times {b}{(transposeB ? " transposed" : "")} does not give {c}");

    private struct BatchJob<TKernel> : IRangeJob
        where TKernel : struct, IGemmKernel
    {
        public GemmView A, B, C;
        public bool TransposeA, TransposeB, Accumulate;
        public float Alpha;
        public GemmTriangle Triangle;

        public readonly void Run(int from, int to)
        {
            int shared = C.SharedBy, groups = C.Inner / shared;
            for (int item = from; item < to; item++)
            {
                for (int member = 0; member < shared; member++)
                    Multiply(item / groups, (item % groups * shared) + member, Accumulate || member > 0);
            }
        }

        private readonly void Multiply(int outer, int inner, bool accumulate)
        {
            var product = new Product
            {
                M = C.Rows,
                N = C.Columns,
                K = TransposeA ? A.Rows : A.Columns,
                A = Operand.Of(A.At(outer, inner), (nint)A.RowStride, TransposeA),
                B = Operand.Of(B.At(outer, inner), (nint)B.RowStride, !TransposeB),
                C = C.At(outer, inner),
                Stride = (nint)C.RowStride,
                Alpha = Alpha,
                Accumulate = accumulate,
                Triangle = Triangle,
            };
            product.Run<TKernel>(null);
        }
    }
}

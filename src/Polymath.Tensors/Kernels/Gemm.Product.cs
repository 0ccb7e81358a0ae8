using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

public static partial class Gemm
{
    private const int RowsAtOnce = 4096;     // rows of A packed at once: 5 MiB at most, a share of the third-level cache
    private const int ColumnsAtOnce = 4096;  // columns of B packed at once, likewise
    private const int RowsOfTask = 96;       // rows of packed A in one task: 120 KiB, well inside the second-level cache
    private const int ColumnsOfTask = 512;

    /// <summary>One factor, read as panels: Outer is the step between rows of op(A) or columns of op(B), Depth the step along K.</summary>
    private readonly unsafe struct Operand
    {
        private Operand(float* data, nint outer, nint depth)
        {
            Data = data;
            Outer = outer;
            Depth = depth;
        }

        public float* Data { get; }

        public nint Outer { get; }

        public nint Depth { get; }

        public static Operand Of(float* data, nint stride, bool depthIsRow) =>
            depthIsRow ? new Operand(data, 1, stride) : new Operand(data, stride, 1);

        public float* At(nint outer, nint depth) => Data + (outer * Outer) + (depth * Depth);
    }

    /// <summary>One product: cut into blocks that fit the caches, the factors packed, the tiles computed.</summary>
    private unsafe struct Product
    {
        public int M, N, K;
        public Operand A, B;
        public float* C;
        public nint Stride;
        public float Alpha;
        public bool Accumulate;
        public GemmTriangle Triangle;

        public readonly void Run<TKernel>(ThreadTeam? team)
            where TKernel : struct, IGemmKernel
        {
            if (M == 0 || N == 0)
                return;
            // K in equal parts, so that the last is not a stub. The cut depends on K alone.
            int parts = Math.Max(1, (K + TKernel.Depth - 1) / TKernel.Depth);
            int depth = (K + parts - 1) / parts;
            int rows = RoundUp(Math.Min(M, RowsAtOnce), TKernel.Rows), columns = RoundUp(Math.Min(N, ColumnsAtOnce), TKernel.Columns);
            long offsetB = RoundUp(rows * Math.Max(1, depth), NativeBuffer.Alignment);
            float* packed = (float*)Scratch.Reserve((offsetB + ((long)columns * depth)) * sizeof(float));
            var pack = new PackJob<TKernel> { Product = this, PackedA = packed, PackedB = packed + offsetB };
            var compute = new ComputeJob<TKernel> { Product = this, PackedA = packed, PackedB = packed + offsetB };

            for (int column = 0; column < N; column += columns)
            {
                for (int part = 0; part < parts; part++)
                {
                    for (int row = 0; row < M; row += rows)
                    {
                        var block = new Block
                        {
                            Row = row,
                            Rows = Math.Min(rows, M - row),
                            Column = column,
                            Columns = Math.Min(columns, N - column),
                            Step = part * depth,
                            Steps = Math.Max(0, Math.Min(depth, K - (part * depth))),
                        };
                        pack.Block = compute.Block = block;
                        pack.PanelsA = Panels(block.Rows, TKernel.Rows);
                        // B stays packed while the row blocks pass.
                        Share(team, ref pack, pack.PanelsA + (row == 0 ? Panels(block.Columns, TKernel.Columns) : 0), 8);
                        Share(team, ref compute, compute.Tasks, 1);
                    }
                }
            }
        }

        private static void Share<TJob>(ThreadTeam? team, ref TJob job, int count, int chunk)
            where TJob : struct, IRangeJob
        {
            if (team is null)
                job.Run(0, count);
            else
                team.Run(ref job, count, chunk);
        }
    }

    /// <summary>The part of a product whose panels are packed at one time.</summary>
    private struct Block
    {
        public int Row, Rows, Column, Columns, Step, Steps;
    }

    /// <summary>Packs panel after panel, those of A first.</summary>
    private unsafe struct PackJob<TKernel> : IRangeJob
        where TKernel : struct, IGemmKernel
    {
        public Product Product;
        public Block Block;
        public float* PackedA, PackedB;
        public int PanelsA;

        public readonly void Run(int from, int to)
        {
            int steps = Block.Steps;
            for (int panel = from; panel < to; panel++)
            {
                if (panel < PanelsA)
                {
                    int row = panel * TKernel.Rows;
                    Pack(
                        Product.A.At(Block.Row + row, Block.Step), Product.A.Outer, Product.A.Depth,
                        Math.Min(TKernel.Rows, Block.Rows - row), TKernel.Rows, steps, PackedA + ((nint)row * steps));
                }
                else
                {
                    int column = (panel - PanelsA) * TKernel.Columns;
                    Pack(
                        Product.B.At(Block.Column + column, Block.Step), Product.B.Outer, Product.B.Depth,
                        Math.Min(TKernel.Columns, Block.Columns - column), TKernel.Columns, steps, PackedB + ((nint)column * steps));
                }
            }
        }
    }

    /// <summary>Computes rectangles of tiles from packed panels.</summary>
    private unsafe struct ComputeJob<TKernel> : IRangeJob
        where TKernel : struct, IGemmKernel
    {
        public Product Product;
        public Block Block;
        public float* PackedA, PackedB;

        public readonly int Tasks => Panels(Block.Rows, TaskRows) * Panels(Block.Columns, TaskColumns);

        private static int TaskRows => RowsOfTask / TKernel.Rows * TKernel.Rows;

        private static int TaskColumns => RoundUp(ColumnsOfTask, TKernel.Columns);

        public readonly void Run(int from, int to)
        {
            int across = Panels(Block.Columns, TaskColumns);
            for (int task = from; task < to; task++)
            {
                int row = task / across * TaskRows, column = task % across * TaskColumns;
                Rectangle(row, Math.Min(row + TaskRows, Block.Rows), column, Math.Min(column + TaskColumns, Block.Columns));
            }
        }

        private readonly void Rectangle(int row, int rowEnd, int column, int columnEnd)
        {
            for (int j = column; j < columnEnd; j += TKernel.Columns)
            {
                for (int i = row; i < rowEnd; i += TKernel.Rows)
                {
                    if (Product.Triangle == GemmTriangle.LowerC && Block.Column + j >= Block.Row + i + TKernel.Rows)
                        continue;
                    Tile(i, j);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Tile(int i, int j)
        {
            int steps = Block.Steps, first = 0, last = steps;
            if (Product.Triangle == GemmTriangle.LowerA)
                last = Math.Clamp(Block.Row + i + TKernel.Rows - Block.Step, 0, steps);
            else if (Product.Triangle == GemmTriangle.UpperA)
                first = Math.Clamp(Block.Row + i - Block.Step, 0, steps);
            bool accumulate = Product.Accumulate || Block.Step > 0;
            float* a = PackedA + ((nint)i * steps) + (first * TKernel.Rows);
            float* b = PackedB + ((nint)j * steps) + (first * TKernel.Columns);
            float* c = Product.C + ((nint)(Block.Row + i) * Product.Stride) + Block.Column + j;
            if (i + TKernel.Rows <= Block.Rows && j + TKernel.Columns <= Block.Columns)
                TKernel.Multiply(last - first, a, b, c, Product.Stride, Product.Alpha, accumulate);
            else
                Edge(last - first, a, b, c, Math.Min(TKernel.Rows, Block.Rows - i), Math.Min(TKernel.Columns, Block.Columns - j), accumulate);
        }

        /// <summary>A tile that reaches over the edge of C: computed whole aside, copied in part.</summary>
        [SkipLocalsInit]
        private readonly void Edge(int depth, float* a, float* b, float* c, int rows, int columns, bool accumulate)
        {
            float* tile = stackalloc float[TKernel.Rows * TKernel.Columns];
            TKernel.Multiply(depth, a, b, tile, TKernel.Columns, Product.Alpha, accumulate: false);
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++)
                {
                    float value = tile[(i * TKernel.Columns) + j];
                    c[j] = accumulate ? c[j] + value : value;
                }

                c += Product.Stride;
            }
        }
    }

    private static int Panels(int length, int width) => (length + width - 1) / width;

    private static int RoundUp(int value, int unit) => Panels(value, unit) * unit;
}

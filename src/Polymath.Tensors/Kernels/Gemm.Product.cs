using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

public static unsafe partial class Gemm
{
    private const int RowsAtOnce = 4096;                  // most rows of A packed at once
    private const int ColumnsAtOnce = 4096;               // most columns of B packed at once
    private const long FloatsAtOnce = 3 << 20;            // packed at once, 12 MiB: a share of the third-level cache
    private const int RowsOfTask = 96;                    // rows of a task: 120 KiB of packed A, well inside the second-level cache
    private const int ColumnsOfTask = 512;
    private const int FewestColumnsOfTask = 128;
    private const int TasksPerThread = 12;                // enough that the last one to end delays little

    /// <summary>One factor, read as panels: Outer is the step between rows of op(A) or columns of op(B), Depth the step along K.</summary>
    private readonly struct Operand
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
    private struct Product
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
            int parts = Math.Max(1, Panels(K, TKernel.Depth)), depth = Panels(K, parts);
            int rows = RoundUp(Math.Min(M, RowsAtOnce), TKernel.Rows), columns = RoundUp(Math.Min(N, ColumnsAtOnce), TKernel.Columns);
            int partsAtOnce = (int)Math.Clamp(FloatsAtOnce / ((long)(rows + columns) * Math.Max(1, depth)), 1, parts);
            int stepsAtOnce = partsAtOnce * depth;
            long floatsOfA = (((long)rows * stepsAtOnce) + 15) / 16 * 16;   // B starts on a cache line
            var packed = (float*)Scratch.Reserve((floatsOfA + ((long)columns * stepsAtOnce)) * sizeof(float));
            var block = new Block { Product = this, Depth = depth, PackedA = packed, PackedB = packed + floatsOfA };

            for (block.Column = 0; block.Column < N; block.Column += columns)
            {
                block.Columns = Math.Min(columns, N - block.Column);
                block.Step = 0;
                do
                {
                    block.Steps = Math.Min(stepsAtOnce, K - block.Step);
                    for (block.Row = 0; block.Row < M; block.Row += rows)
                    {
                        block.Rows = Math.Min(rows, M - block.Row);
                        Compute<TKernel>(team, block);
                    }

                    block.Step += stepsAtOnce;
                }
                while (block.Step < K);
            }
        }

        private static void Compute<TKernel>(ThreadTeam? team, in Block block)
            where TKernel : struct, IGemmKernel
        {
            var pack = new PackJob<TKernel> { Block = block, PanelsA = Panels(block.Rows, TKernel.Rows) };
            // B stays packed while the row blocks pass.
            int panels = pack.PanelsA + (block.Row == 0 ? Panels(block.Columns, TKernel.Columns) : 0);
            var tiles = new TileJob<TKernel> { Block = block, TaskColumns = RoundUp(ColumnsOfTask, TKernel.Columns) };
            if (team is null)
            {
                pack.Run(0, panels);
                tiles.Run(0, tiles.Tasks);
                return;
            }

            while (tiles.Tasks < TasksPerThread * team.Count && tiles.TaskColumns > FewestColumnsOfTask)
                tiles.TaskColumns = RoundUp(tiles.TaskColumns / 2, TKernel.Columns);
            team.Run(ref pack, panels, 8);
            team.Run(ref tiles, tiles.Tasks);
        }
    }

    /// <summary>The part of a product whose panels are packed at one time.</summary>
    private struct Block
    {
        public Product Product;
        public int Row, Rows, Column, Columns, Step, Steps;
        public int Depth;                  // steps of K between two visits of C
        public float* PackedA, PackedB;    // part after part, and in each part panel after panel

        public readonly int Parts => Math.Max(1, Panels(Steps, Math.Max(1, Depth)));

        public readonly int StepsOfPart(int part) => Math.Min(Depth, Steps - (part * Depth));

        /// <summary>The panel of A from row <paramref name="i"/> of the block.</summary>
        public readonly float* PanelA<TKernel>(int part, int i)
            where TKernel : struct, IGemmKernel
            => PackedA + ((nint)part * Depth * RoundUp(Rows, TKernel.Rows)) + ((nint)i * StepsOfPart(part));

        /// <summary>The panel of B from column <paramref name="j"/> of the block.</summary>
        public readonly float* PanelB<TKernel>(int part, int j)
            where TKernel : struct, IGemmKernel
            => PackedB + ((nint)part * Depth * RoundUp(Columns, TKernel.Columns)) + ((nint)j * StepsOfPart(part));

        /// <summary>The steps of a part in which the panel of A from row <paramref name="i"/> is not all zeros.</summary>
        public readonly (int First, int Last) Range<TKernel>(int part, int i)
            where TKernel : struct, IGemmKernel
        {
            int steps = StepsOfPart(part), start = Step + (part * Depth);
            return Product.Triangle switch
            {
                GemmTriangle.LowerA => (0, Math.Clamp(Row + i + TKernel.Rows - start, 0, steps)),
                GemmTriangle.UpperA => (Math.Clamp(Row + i - start, 0, steps), steps),
                _ => (0, steps),
            };
        }
    }

    /// <summary>Packs panel after panel, those of A first.</summary>
    private struct PackJob<TKernel> : IRangeJob
        where TKernel : struct, IGemmKernel
    {
        public Block Block;
        public int PanelsA;

        public readonly void Run(int from, int to)
        {
            // Neighbouring panels share cache lines: the parts outside, so that they meet in the first-level cache.
            for (int part = 0; part < Block.Parts; part++)
            {
                for (int panel = from; panel < to; panel++)
                {
                    if (panel < PanelsA)
                        PackA(part, panel * TKernel.Rows);
                    else
                        PackB(part, (panel - PanelsA) * TKernel.Columns);
                }
            }
        }

        private readonly void PackA(int part, int row)
        {
            Operand source = Block.Product.A;
            (int first, int last) = Block.Range<TKernel>(part, row);
            Pack(
                source.At(Block.Row + row, Block.Step + (part * Block.Depth) + first), source.Outer, source.Depth,
                Math.Min(TKernel.Rows, Block.Rows - row), TKernel.Rows, last - first,
                Block.PanelA<TKernel>(part, row) + (first * TKernel.Rows));
        }

        private readonly void PackB(int part, int column)
        {
            Operand source = Block.Product.B;
            Pack(
                source.At(Block.Column + column, Block.Step + (part * Block.Depth)), source.Outer, source.Depth,
                Math.Min(TKernel.Columns, Block.Columns - column), TKernel.Columns, Block.StepsOfPart(part),
                Block.PanelB<TKernel>(part, column));
        }
    }

    /// <summary>Computes rectangles of tiles from packed panels.</summary>
    private struct TileJob<TKernel> : IRangeJob
        where TKernel : struct, IGemmKernel
    {
        public Block Block;
        public int TaskColumns;

        public readonly int Tasks => Panels(Block.Rows, TaskRows) * Panels(Block.Columns, TaskColumns);

        private static int TaskRows => RowsOfTask / TKernel.Rows * TKernel.Rows;

        public readonly void Run(int from, int to)
        {
            int across = Panels(Block.Columns, TaskColumns);
            for (int task = from; task < to; task++)
            {
                int row = task / across * TaskRows, column = task % across * TaskColumns;
                int rowEnd = Math.Min(row + TaskRows, Block.Rows), columnEnd = Math.Min(column + TaskColumns, Block.Columns);
                for (int part = 0; part < Block.Parts; part++)
                {
                    for (int j = column; j < columnEnd; j += TKernel.Columns)
                        Column(part, j, row, rowEnd);
                }
            }
        }

        /// <summary>Tiles one below the other: the panel of B stays in the first-level cache while those of A pass.</summary>
        private readonly void Column(int part, int j, int row, int rowEnd)
        {
            bool accumulate = Block.Product.Accumulate || Block.Step > 0 || part > 0;
            int columns = Math.Min(TKernel.Columns, Block.Columns - j);
            nint stride = Block.Product.Stride;
            float* panel = Block.PanelB<TKernel>(part, j);
            float* corner = Block.Product.C + ((nint)Block.Row * stride) + Block.Column + j;
            for (int i = row; i < rowEnd; i += TKernel.Rows)
            {
                if (Block.Product.Triangle == GemmTriangle.LowerC && Block.Column + j >= Block.Row + i + TKernel.Rows)
                    continue;
                (int first, int last) = Block.Range<TKernel>(part, i);
                float* a = Block.PanelA<TKernel>(part, i) + (first * TKernel.Rows);
                float* b = panel + (first * TKernel.Columns);
                float* c = corner + (i * stride);
                if (i + TKernel.Rows <= rowEnd && columns == TKernel.Columns)
                    TKernel.Multiply(last - first, a, b, c, stride, Block.Product.Alpha, accumulate);
                else
                    Edge(last - first, a, b, c, Math.Min(TKernel.Rows, rowEnd - i), columns, accumulate);
            }
        }

        /// <summary>A tile that reaches over the edge of C: computed whole aside, copied in part.</summary>
        [SkipLocalsInit]
        private readonly void Edge(int depth, float* a, float* b, float* c, int rows, int columns, bool accumulate)
        {
            float* tile = stackalloc float[TKernel.Rows * TKernel.Columns];
            TKernel.Multiply(depth, a, b, tile, TKernel.Columns, Block.Product.Alpha, accumulate: false);
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++)
                {
                    float value = tile[(i * TKernel.Columns) + j];
                    c[j] = accumulate ? c[j] + value : value;
                }

                c += Block.Product.Stride;
            }
        }
    }

    private static int Panels(int length, int width) => (length + width - 1) / width;

    private static int RoundUp(int value, int unit) => Panels(value, unit) * unit;
}

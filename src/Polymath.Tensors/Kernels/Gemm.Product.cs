using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

public static unsafe partial class Gemm
{
    private const int ColumnsAtOnce = 4096;               // most columns of B packed at once
    private const int FloatsAtOnce = 2 << 20;             // of B packed at once, 8 MiB: a share of the third-level cache
    private const int RowsOfTask = 96;                    // rows of A that a thread packs, 120 KiB: well inside its second-level cache
    private const int FewestRowsOfTask = 24;
    private const int EnoughColumnsOfTask = 1024;         // packing A costs little when that many columns use it
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
            int columns = RoundUp(Math.Min(N, ColumnsAtOnce), TKernel.Columns);
            int stepsAtOnce = Math.Clamp(FloatsAtOnce / (columns * Math.Max(1, depth)), 1, parts) * depth;
            var packed = (float*)Scratch.Reserve((long)columns * stepsAtOnce * sizeof(float));
            var block = new Block { Product = this, Depth = depth, Packed = packed };

            for (block.Column = 0; block.Column < N; block.Column += columns)
            {
                block.Columns = Math.Min(columns, N - block.Column);
                block.Step = 0;
                do
                {
                    block.Steps = Math.Min(stepsAtOnce, K - block.Step);
                    Compute<TKernel>(team, block);
                    block.Step += stepsAtOnce;
                }
                while (block.Step < K);
            }
        }

        private static void Compute<TKernel>(ThreadTeam? team, in Block block)
            where TKernel : struct, IGemmKernel
        {
            int panels = Panels(block.Columns, TKernel.Columns);
            var pack = new PackJob<TKernel> { Block = block };
            var tiles = new TileJob<TKernel>(block, team is null ? 1 : TasksPerThread * team.Count);
            if (team is null)
            {
                pack.Run(0, panels);
                tiles.Run(0, tiles.Tasks);
            }
            else
            {
                team.Run(ref pack, panels, 4);
                team.Run(ref tiles, tiles.Tasks);
            }
        }
    }

    /// <summary>The part of a product for which B is packed at one time: all rows, some columns, some steps of K.</summary>
    private struct Block
    {
        public Product Product;
        public int Column, Columns, Step, Steps;
        public int Depth;        // steps of K between two visits of C
        public float* Packed;    // B, part after part of K, and in each part panel after panel

        public readonly int Parts => Math.Max(1, Panels(Steps, Math.Max(1, Depth)));

        public readonly int StepsOf(int part) => Math.Min(Depth, Steps - (part * Depth));

        /// <summary>The panel of B from column <paramref name="j"/> of the block.</summary>
        public readonly float* Panel<TKernel>(int part, int j)
            where TKernel : struct, IGemmKernel
            => Packed + ((nint)part * Depth * RoundUp(Columns, TKernel.Columns)) + ((nint)j * StepsOf(part));

        /// <summary>The steps of a part in which the rows of A from <paramref name="i"/> are not all zeros.</summary>
        public readonly (int First, int Last) Range<TKernel>(int part, int i)
            where TKernel : struct, IGemmKernel
        {
            int steps = StepsOf(part), start = Step + (part * Depth);
            return Product.Triangle switch
            {
                GemmTriangle.LowerA => (0, Math.Clamp(i + TKernel.Rows - start, 0, steps)),
                GemmTriangle.UpperA => (Math.Clamp(i - start, 0, steps), steps),
                _ => (0, steps),
            };
        }
    }

    /// <summary>Packs B, panel after panel.</summary>
    private struct PackJob<TKernel> : IRangeJob
        where TKernel : struct, IGemmKernel
    {
        public Block Block;

        public readonly void Run(int from, int to)
        {
            Operand source = Block.Product.B;
            // Neighbouring panels share cache lines: the parts outside, so that they meet in the first-level cache.
            for (int part = 0; part < Block.Parts; part++)
            {
                for (int panel = from; panel < to; panel++)
                {
                    int column = panel * TKernel.Columns;
                    Pack(
                        source.At(Block.Column + column, Block.Step + (part * Block.Depth)), source.Outer, source.Depth,
                        Math.Min(TKernel.Columns, Block.Columns - column), TKernel.Columns, Block.StepsOf(part),
                        Block.Panel<TKernel>(part, column));
                }
            }
        }
    }

    /// <summary>Computes rectangles of C: packs the rows of A, then tile after tile.</summary>
    private struct TileJob<TKernel> : IRangeJob
        where TKernel : struct, IGemmKernel
    {
        private readonly Block _block;
        private readonly int _rows, _columns;

        /// <summary>Cuts a block into at least <paramref name="tasks"/> rectangles if they do not become too small.</summary>
        public TileJob(in Block block, int tasks)
        {
            _block = block;
            _rows = RowsOfTask / TKernel.Rows * TKernel.Rows;
            _columns = RoundUp(block.Columns, TKernel.Columns);
            while (Tasks < tasks)
            {
                if (_columns < 2 * EnoughColumnsOfTask && _rows >= 2 * FewestRowsOfTask)
                    _rows = RoundUp(_rows / 2, TKernel.Rows);
                else if (_columns >= 2 * FewestColumnsOfTask)
                    _columns = RoundUp(_columns / 2, TKernel.Columns);
                else
                    break;
            }
        }

        public readonly int Tasks => Panels(_block.Product.M, _rows) * Panels(_block.Columns, _columns);

        public readonly void Run(int from, int to)
        {
            int across = Panels(_block.Columns, _columns);
            var panels = (float*)Scratch.ReserveOwn((long)_rows * _block.Depth * sizeof(float));
            for (int task = from; task < to; task++)
            {
                int row = task / across * _rows, column = task % across * _columns;
                int rowEnd = Math.Min(row + _rows, _block.Product.M), columnEnd = Math.Min(column + _columns, _block.Columns);
                for (int part = 0; part < _block.Parts; part++)
                {
                    PackRows(part, row, rowEnd, panels);
                    for (int j = column; j < columnEnd; j += TKernel.Columns)
                        Column(part, j, row, rowEnd, panels);
                }
            }
        }

        private readonly void PackRows(int part, int row, int rowEnd, float* panels)
        {
            Operand source = _block.Product.A;
            int steps = _block.StepsOf(part), start = _block.Step + (part * _block.Depth);
            for (int i = row; i < rowEnd; i += TKernel.Rows)
            {
                (int first, int last) = _block.Range<TKernel>(part, i);
                Pack(
                    source.At(i, start + first), source.Outer, source.Depth, Math.Min(TKernel.Rows, rowEnd - i), TKernel.Rows,
                    last - first, panels + ((nint)(i - row) * steps) + (first * TKernel.Rows));
            }
        }

        /// <summary>Tiles one below the other: the panel of B stays in the first-level cache while those of A pass.</summary>
        private readonly void Column(int part, int j, int row, int rowEnd, float* panels)
        {
            bool accumulate = _block.Product.Accumulate || _block.Step > 0 || part > 0;
            int steps = _block.StepsOf(part), columns = Math.Min(TKernel.Columns, _block.Columns - j);
            nint stride = _block.Product.Stride;
            float* panel = _block.Panel<TKernel>(part, j);
            for (int i = row; i < rowEnd; i += TKernel.Rows)
            {
                if (_block.Product.Triangle == GemmTriangle.LowerC && _block.Column + j >= i + TKernel.Rows)
                    continue;
                (int first, int last) = _block.Range<TKernel>(part, i);
                float* a = panels + ((nint)(i - row) * steps) + (first * TKernel.Rows);
                float* b = panel + (first * TKernel.Columns);
                float* c = _block.Product.C + (i * stride) + _block.Column + j;
                if (i + TKernel.Rows <= rowEnd && columns == TKernel.Columns)
                    TKernel.Multiply(last - first, a, b, c, stride, _block.Product.Alpha, accumulate);
                else
                    Edge(last - first, a, b, c, Math.Min(TKernel.Rows, rowEnd - i), columns, accumulate);
            }
        }

        /// <summary>A tile that reaches over the edge of C: computed whole aside, copied in part.</summary>
        [SkipLocalsInit]
        private readonly void Edge(int depth, float* a, float* b, float* c, int rows, int columns, bool accumulate)
        {
            float* tile = stackalloc float[TKernel.Rows * TKernel.Columns];
            TKernel.Multiply(depth, a, b, tile, TKernel.Columns, _block.Product.Alpha, accumulate: false);
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++)
                {
                    float value = tile[(i * TKernel.Columns) + j];
                    c[j] = accumulate ? c[j] + value : value;
                }

                c += _block.Product.Stride;
            }
        }
    }

    private static int Panels(int length, int width) => (length + width - 1) / width;

    private static int RoundUp(int value, int unit) => Panels(value, unit) * unit;
}

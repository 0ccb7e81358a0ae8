using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>Many queries: blocks of 48 rows, a row to a lane.</summary>
public static unsafe partial class Attention
{
    private struct BlockJob<TKernel> : IRangeJob
        where TKernel : struct, IAttentionKernel
    {
        public Shape Shape;
        public int Blocks;   // of a unit

        /// <summary>A unit is some blocks of rows of one key/value head; the last rows, the longest work, go first.</summary>
        public readonly void Run(int from, int to)
        {
            int length = Blocks * BlockRows, parts = (Shape.Rows + length - 1) / length;
            var work = Work.Reserve(Blocks, Shape.Size, 2 * TKernel.Lanes);
            for (int unit = from; unit < to; unit++)
            {
                int first = (parts - 1 - (unit / Shape.KeyValueHeads)) * length;
                Unit(unit % Shape.KeyValueHeads, first, Math.Min(first + length, Shape.Rows), work);
            }
        }

        private readonly void Unit(int head, int firstRow, int endRow, in Work work)
        {
            for (int row = firstRow; row < endRow; row += BlockRows)
                Begin(head, row, endRow, work.Block((row - firstRow) / BlockRows));
            int firstToken = firstRow / Shape.Group, lastToken = (endRow - 1) / Shape.Group;
            int begin = Shape.FirstSeen(firstToken), end = Shape.EndSeen(lastToken);
            for (int tile = begin / TileLength * TileLength; tile < end; tile += TileLength)
            {
                int row = Shape.RowOf(tile), to = Math.Min(TileLength, end - tile), from = Math.Max(0, begin - tile) & ~7;
                Shape.Unpack<TKernel>(Shape.Keys, row, from, to, head, work.Keys, Shape.Size);
                Shape.Unpack<TKernel>(Shape.Values, row, from, to, head, work.Values, work.Stride);
                for (int at = firstRow; at < endRow; at += BlockRows)
                    Tile(at, Math.Min(at + BlockRows, endRow), tile, work, work.Block((at - firstRow) / BlockRows));
            }

            for (int row = firstRow; row < endRow; row++)
            {
                State state = work.Block((row - firstRow) / BlockRows);
                int at = (row - firstRow) % BlockRows;
                Shape.Finish(head, row, state.Max[at], state.Sum[at], state.Values + (at * work.Stride));
            }
        }

        /// <summary>Lays the block's queries side by side: q[i][row].</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Begin(int head, int firstRow, int endRow, in State state)
        {
            for (int row = 0; row < BlockRows; row++)
            {
                float* q = firstRow + row < endRow ? Shape.Query(head, firstRow + row) : null;
                for (int i = 0; i < Shape.Size; i++)
                    state.Q[(i * BlockRows) + row] = q is null ? 0 : q[i];
                state.Max[row] = float.MinValue;
                state.Sum[row] = 0;
            }

            new Span<float>(state.Values, BlockRows * state.Stride).Clear();
        }

        private readonly void Tile(int firstRow, int endRow, int tile, in Work work, in State state)
        {
            int firstToken = firstRow / Shape.Group, lastToken = (endRow - 1) / Shape.Group, rows = endRow - firstRow;
            int to = Math.Min(TileLength, Shape.EndSeen(lastToken) - tile);
            int from = Math.Max(0, Shape.FirstSeen(firstToken) - tile) & ~7;
            if (to <= 0 || from >= to)
                return;
            TKernel.BlockScores(work.Keys, Shape.Size, from, to, state.Q, Shape.Size, Shape.Rule.Scale, work.P);
            if (Shape.Rule.SoftCap > 0)
                SoftCap(work.P + (from * BlockRows), (to - from) * BlockRows, Shape.Rule.SoftCap);
            bool masked = Shape.FirstSeen(lastToken) > tile + from || Shape.EndSeen(firstToken) < tile + to;
            if (masked)
            {
                Limits(firstRow, endRow, tile, work);
                TKernel.BlockMask(work.P, from, to, work.First, work.End);
            }

            TKernel.BlockSoftmax(work.P, from, to, work.TileMax, work.TileSum);
            if (masked && HasSpecial(work.Values, from * work.Stride, to * work.Stride))
            {
                for (int r = 0; r < rows; r++)
                    ExactValues(work.P + r, BlockRows, Math.Max(from, work.First[r]), Math.Min(to, work.End[r]), work.Values, work.Stride, work.Y + (r * work.Stride));
            }
            else
            {
                TKernel.BlockValues(work.P, from, to, work.Values, work.Stride, rows, work.Y);
            }

            for (int r = 0; r < rows; r += VectorMath.Lanes)
                Merge(state.Max + r, state.Sum + r, work.TileMax + r, work.TileSum + r, work.Keep + r, work.Add + r);
            for (int r = 0; r < rows; r++)
                MergeValues(state.Values + (r * work.Stride), work.Y + (r * work.Stride), work.Stride, work.Keep[r], work.Add[r]);
        }

        /// <summary>The positions of the tile that each row sees; a row that fills up the block sees all.</summary>
        private readonly void Limits(int firstRow, int endRow, int tile, in Work work)
        {
            for (int r = 0; r < BlockRows; r++)
            {
                bool real = firstRow + r < endRow;
                int token = (firstRow + r) / Shape.Group;
                work.First[r] = real ? Shape.FirstSeen(token) - tile : 0;
                work.End[r] = real ? Shape.EndSeen(token) - tile : TileLength;
            }
        }
    }

    /// <summary>What a block carries from tile to tile.</summary>
    private readonly struct State(float* memory, int size, int stride)
    {
        public float* Q => memory;                                   // [S, 48]

        public float* Max => memory + (size * BlockRows);            // [48]

        public float* Sum => Max + BlockRows;                        // [48]

        public float* Values => Sum + BlockRows;                     // [48, stride]

        public int Stride => stride;

        public static int Length(int size, int stride) => BlockRows * (size + 2 + stride);
    }

    /// <summary>A thread's memory for blocks: a tile, its scores, and the blocks' states.</summary>
    private readonly struct Work
    {
        private readonly float* _memory;
        private readonly int _size;

        private Work(float* memory, int size, int stride)
        {
            _memory = memory;
            _size = size;
            Stride = stride;
        }

        public int Stride { get; }   // of unpacked values: S in whole pairs of vectors

        public float* P => _memory;                                  // [128, 48], first: it is used most and is aligned

        public float* Values => P + (TileLength * BlockRows);        // [128, stride]

        public float* Y => Values + (TileLength * Stride);           // [48, stride]

        public float* TileMax => Y + (BlockRows * Stride);           // [48] each

        public float* TileSum => TileMax + BlockRows;

        public float* Keep => TileSum + BlockRows;

        public float* Add => Keep + BlockRows;

        public int* First => (int*)(Add + BlockRows);

        public int* End => First + BlockRows;

        public float* Keys => (float*)(End + BlockRows);             // [128, S]

        public State Block(int index) =>
            new(Keys + RoundUp(TileLength * _size, 16) + ((nint)index * State.Length(_size, Stride)), _size, Stride);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static Work Reserve(int blocks, int size, int multiple)
        {
            int stride = RoundUp(size, multiple);
            long floats = (TileLength * ((long)BlockRows + stride + size)) + (BlockRows * (stride + 6L)) + 16
                + (blocks * (long)State.Length(size, stride));
            return new Work((float*)Scratch.ReserveOwn(floats * sizeof(float)), size, stride);
        }
    }
}

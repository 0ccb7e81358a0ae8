using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>Few queries, as in decoding: the cache is read as it lies, its tiles are shared out, a position to a lane.</summary>
public static unsafe partial class Attention
{
    private const int FourRows = 4;
    private const float LargestScaled = 32768;   // times 2^112 is still finite

    private struct FewJob<TKernel> : IRangeJob
        where TKernel : struct, IAttentionKernel
    {
        private Shape _shape;
        private Wave _wave;
        private Tensor _q;         // [K · rows / 4, S · 4]: four queries side by side, times the keys' factor
        private int _rows;         // of a key/value head, in whole fours
        private int _firstTile;
        private bool _huge;        // a query too large for the factor

        public static void Run(ThreadTeam team, in Shape shape, Arena scratch)
        {
            int rows = RoundUp(shape.Rows, FourRows), length = Math.Max(4, WaveRows / rows);
            int begin = shape.FirstSeen(0) / TileLength, end = (shape.EndSeen(shape.Q.Rows - 1) + TileLength - 1) / TileLength;
            var wave = new Wave(scratch, shape, rows, Math.Min(length, end - begin), RoundUp(shape.Size, 2 * TKernel.Lanes));
            var job = new FewJob<TKernel>
            {
                _shape = shape,
                _wave = wave,
                _q = scratch.Rent(shape.KeyValueHeads * rows / FourRows, FourRows * shape.Size),
                _rows = rows,
            };
            job.LayQueries();
            for (int tile = begin; tile < end; tile += length)
            {
                int tiles = Math.Min(length, end - tile), units = tiles * shape.KeyValueHeads;
                job._firstTile = tile;
                // A tile's heads lie side by side, and the tiles too, so a thread had better take whole tiles in a row.
                int chunk = tiles >= 2 * team.Count ? Math.Max(1, tiles / (4 * team.Count)) * shape.KeyValueHeads : 1;
                team.Run(ref job, units, shape.IsSmall ? units : chunk);
                var merge = new MergeJob { Shape = shape, Wave = wave, Tiles = tiles, First = tile == begin, Last = tile + tiles == end };
                bool little = (long)tiles * shape.Rows * shape.KeyValueHeads * shape.Size < ParallelWork;
                team.Run(ref merge, shape.KeyValueHeads, little ? shape.KeyValueHeads : 1);
            }
        }

        /// <summary>A unit is one key/value head of one tile.</summary>
        public readonly void Run(int from, int to)
        {
            var work = Bench.Reserve(_shape.Size, _wave.Stride, _rows);
            for (int unit = from; unit < to; unit++)
                Unit(unit % _shape.KeyValueHeads, unit / _shape.KeyValueHeads, work);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void LayQueries()
        {
            float factor = _shape.Keys.Format == TensorFormat.F16 ? RawF16.Factor : 1;
            float most = 0;
            for (int head = 0; head < _shape.KeyValueHeads; head++)
            {
                for (int row = 0; row < _rows; row++)
                {
                    float* q = row < _shape.Rows ? _shape.Query(head, row) : null;
                    float* target = Queries(head, row) + (row % FourRows);
                    for (int i = 0; i < _shape.Size; i++)
                    {
                        float value = q is null ? 0 : q[i];
                        most = Math.Max(most, Math.Abs(value));
                        target[i * FourRows] = value * factor;
                    }
                }
            }

            _huge = !(most < LargestScaled);
        }

        private readonly float* Queries(int head, int row) =>
            _q.Floats + ((((nint)head * _rows) + row) / FourRows * FourRows * _shape.Size);

        private readonly void Unit(int head, int slot, in Bench work)
        {
            int tile = (_firstTile + slot) * TileLength, begin = _shape.FirstSeen(0), end = _shape.EndSeen(_shape.Q.Rows - 1);
            int row = _shape.RowOf(tile), to = Math.Min(TileLength, end - tile);
            int from = Math.Max(0, begin - tile) / (2 * TKernel.Lanes) * (2 * TKernel.Lanes);
            Scores(head, row, from, to, work);
            if (_shape.Rule.SoftCap > 0)
                SoftCap(work.P, _rows * TileLength, _shape.Rule.SoftCap);
            float factor = IsRaw(_shape.Values) && _shape.Values.Format == TensorFormat.F16 ? RawF16.Factor : 1;
            for (int r = 0; r < _shape.Rows; r++)
            {
                (int first, int last) = Seen(r, tile, to);
                float* p = work.P + (r * TileLength);
                new Span<float>(p + from, Math.Max(0, first - from)).Fill(float.NegativeInfinity);
                last = Math.Max(from, last);
                new Span<float>(p + last, RoundUp(to, TKernel.Lanes) - last).Fill(float.NegativeInfinity);
                (_wave.TileMax(slot, head)[r], _wave.TileSum(slot, head)[r]) = TKernel.FewSoftmax(p, from, RoundUp(to, TKernel.Lanes), factor);
            }

            for (int r = 0; r < _rows; r += FourRows)
                Values(head, slot, row, r, tile, to, factor, work);
        }

        /// <summary>The positions of the tile that a row sees.</summary>
        private readonly (int First, int End) Seen(int row, int tile, int to)
        {
            int token = row / _shape.Group;
            return (Math.Clamp(_shape.FirstSeen(token) - tile, 0, to), Math.Clamp(_shape.EndSeen(token) - tile, 0, to));
        }

        /// <summary>The elements can be computed with as they lie: whole vectors of them.</summary>
        private readonly bool IsRaw(Tensor cache) =>
            (cache.Format is TensorFormat.F32 && _shape.Size % TKernel.Lanes == 0)
            || (cache.Format is TensorFormat.F16 or TensorFormat.BF16 && _shape.Size % (2 * TKernel.Lanes) == 0);

        /// <summary>
        /// How many bytes after a head's row the same row of the unit after it lies: the next head, or the first of the next
        /// tile. The pieces are too short for the chip to see that coming.
        /// </summary>
        private readonly nint Ahead(Tensor cache, int head)
        {
            nint row = (nint)cache.RowBytes, piece = row / _shape.KeyValueHeads;
            return head < _shape.KeyValueHeads - 1 ? piece : (TileLength * row) - (head * piece);
        }

        private readonly void Scores(int head, int row, int from, int to, in Bench work)
        {
            if (IsRaw(_shape.Keys))
            {
                byte* keys = _shape.Head(_shape.Keys, row, head);
                nint stride = (nint)_shape.Keys.RowBytes, ahead = Ahead(_shape.Keys, head);
                switch (_shape.Keys.Format)
                {
                    case TensorFormat.F16 when !_huge && !TKernel.Transpose<RawF16>(keys, stride, from, to, _shape.Size / 2, work.Panel, ahead):
                        Scores<RawF16>(head, from, to, _shape.Size / 2, work);
                        return;
                    case TensorFormat.BF16:
                        TKernel.Transpose<RawBF16>(keys, stride, from, to, _shape.Size / 2, work.Panel, ahead);
                        Scores<RawBF16>(head, from, to, _shape.Size / 2, work);
                        return;
                    case TensorFormat.F32:
                        TKernel.Transpose<RawF32>(keys, stride, from, to, _shape.Size, work.Panel, ahead);
                        Scores<RawF32>(head, from, to, _shape.Size, work);
                        return;
                    default:
                        break;
                }
            }

            int words = RoundUp(_shape.Size, FourRows);
            _shape.Unpack<TKernel>(_shape.Keys, row, from, to, head, work.Unpacked, words);
            TKernel.Transpose<RawF32>((byte*)work.Unpacked, words * sizeof(float), from, to, words, work.Panel, 0);
            Scores<RawF32>(head, from, to, _shape.Size, work);
        }

        private readonly void Scores<TRaw>(int head, int from, int to, int words, in Bench work)
            where TRaw : struct, IRawFormat
        {
            bool plain = TRaw.Factor == 1 && _shape.Keys.Format == TensorFormat.F16;   // the queries carry a factor for nothing
            for (int r = 0; r < _rows; r += FourRows)
            {
                float* q = Queries(head, r);
                if (plain)
                {
                    for (int i = 0; i < FourRows * _shape.Size; i++)
                        work.Q[i] = r + (i % FourRows) < _shape.Rows ? _shape.Query(head, r + (i % FourRows))[i / FourRows] : 0;
                    q = work.Q;
                }

                TKernel.FewScores<TRaw>(work.Panel, from, to, words, q, _shape.Rule.Scale, work.P + (r * TileLength));
            }
        }

        private readonly void Values(int head, int slot, int row, int r, int tile, int to, float factor, in Bench work)
        {
            (int first, int last) = (TileLength, 0);
            bool same = true;
            for (int i = r; i < Math.Min(r + FourRows, _shape.Rows); i++)
            {
                (int f, int l) = Seen(i, tile, to);
                same &= i == r || (f == first && l == last);
                (first, last) = (Math.Min(first, f), Math.Max(last, l));
            }

            float* p = work.P + (r * TileLength), y = _wave.TileValues(slot, head, r);
            last = Math.Max(first, last);
            bool exact = !same && _shape.Values.Format is TensorFormat.F32 or TensorFormat.BF16;   // whose specials no kernel looks for
            if (IsRaw(_shape.Values) && !exact)
            {
                byte* values = _shape.Head(_shape.Values, row, head);
                nint bytes = (nint)_shape.Values.RowBytes, ahead = Ahead(_shape.Values, head);
                bool special = _shape.Values.Format switch
                {
                    TensorFormat.F16 => TKernel.FewValues<RawF16>(values, bytes, first, last, _shape.Size / 2, p, y, _wave.Stride, ahead),
                    TensorFormat.BF16 => TKernel.FewValues<RawBF16>(values, bytes, first, last, _shape.Size / 2, p, y, _wave.Stride, ahead),
                    _ => TKernel.FewValues<RawF32>(values, bytes, first, last, _shape.Size, p, y, _wave.Stride, ahead),
                };
                if (!special)
                    return;
            }

            for (int i = 0; i < FourRows * TileLength && factor != 1; i++)
                p[i] *= 1 / factor;
            _shape.Unpack<TKernel>(_shape.Values, row, first, last, head, work.Unpacked, _wave.Stride);
            if (same || !HasSpecial(work.Unpacked, first * _wave.Stride, last * _wave.Stride))
            {
                TKernel.FewValues<RawF32>((byte*)work.Unpacked, _wave.Stride * sizeof(float), first, last, _wave.Stride, p, y, _wave.Stride, 0);
                return;
            }

            for (int i = 0; i < FourRows; i++)
            {
                (int f, int l) = r + i < _shape.Rows ? Seen(r + i, tile, to) : (0, 0);
                ExactValues(p + (i * TileLength), 1, f, l, work.Unpacked, _wave.Stride, y + (i * _wave.Stride));
            }
        }
    }

    /// <summary>Takes the tiles of a wave into the running results, in rising order; a unit is a key/value head.</summary>
    private struct MergeJob : IRangeJob
    {
        public Shape Shape;
        public Wave Wave;
        public int Tiles;
        public bool First;
        public bool Last;

        public readonly void Run(int from, int to)
        {
            float* factors = stackalloc float[2 * Wave.MostRows];
            for (int head = from; head < to; head++)
            {
                if (First)
                    Wave.Begin(head);
                for (int slot = 0; slot < Tiles; slot++)
                    Tile(head, slot, factors, factors + Wave.MostRows);
                for (int r = 0; r < Shape.Rows && Last; r++)
                    Shape.Finish(head, r, Wave.Max(head)[r], Wave.Sum(head)[r], Wave.Values(head, r));
            }
        }

        private readonly void Tile(int head, int slot, float* keep, float* add)
        {
            for (int r = 0; r < Shape.Rows; r += VectorMath.Lanes)
                Merge(Wave.Max(head) + r, Wave.Sum(head) + r, Wave.TileMax(slot, head) + r, Wave.TileSum(slot, head) + r, keep + r, add + r);
            for (int r = 0; r < Shape.Rows; r++)
                MergeValues(Wave.Values(head, r), Wave.TileValues(slot, head, r), Wave.Stride, keep[r], add[r]);
        }
    }

    /// <summary>The results of some tiles and, after the last of them, the running ones.</summary>
    private readonly struct Wave
    {
        public const int MostRows = MostFew + VectorMath.Lanes;

        private readonly Tensor _stats;    // [(slots + 1) · K, 2 · rows]: maxima, sums
        private readonly Tensor _values;   // [(slots + 1) · K · rows, stride]
        private readonly int _heads;
        private readonly int _rows;
        private readonly int _padded;
        private readonly int _slots;

        public Wave(Arena scratch, in Shape shape, int rows, int slots, int stride)
        {
            _heads = shape.KeyValueHeads;
            _rows = rows;
            _padded = RoundUp(rows, VectorMath.Lanes);
            _slots = slots;
            Stride = stride;
            _stats = scratch.Rent(checked((slots + 1) * _heads), 2 * _padded);
            _values = scratch.Rent(checked((slots + 1) * _heads * rows), stride);
            _stats.AsFloats().Clear();   // rows that only fill up a vector count in the merging
        }

        public int Stride { get; }

        public float* TileMax(int slot, int head) => _stats.Floats + ((((nint)slot * _heads) + head) * 2 * _padded);

        public float* TileSum(int slot, int head) => TileMax(slot, head) + _padded;

        public float* TileValues(int slot, int head, int row) =>
            _values.Floats + ((((((nint)slot * _heads) + head) * _rows) + row) * Stride);

        public float* Max(int head) => TileMax(_slots, head);

        public float* Sum(int head) => TileSum(_slots, head);

        public float* Values(int head, int row) => TileValues(_slots, head, row);

        public void Begin(int head)
        {
            new Span<float>(Max(head), _padded).Fill(float.MinValue);
            new Span<float>(Sum(head), _padded).Clear();
            new Span<float>(Values(head, 0), _rows * Stride).Clear();
        }
    }

    /// <summary>A thread's memory for few queries.</summary>
    private readonly struct Bench
    {
        private Bench(float* memory, int stride, int rows)
        {
            P = memory;
            Panel = (int*)(P + (rows * TileLength));
            Unpacked = (float*)(Panel + (TileLength * stride));
            Q = Unpacked + (TileLength * stride);
        }

        public float* P { get; }          // [rows, 128]

        public int* Panel { get; }        // [S, 128]: words of the keys, transposed

        public float* Unpacked { get; }   // [128, stride]: of formats that are not computed with as they lie

        public float* Q { get; }          // [S, 4]

        public static Bench Reserve(int size, int stride, int rows)
        {
            long floats = (TileLength * (rows + (2L * stride))) + (FourRows * (long)size);
            return new Bench((float*)Scratch.ReserveOwn(floats * sizeof(float)), stride, rows);
        }
    }
}

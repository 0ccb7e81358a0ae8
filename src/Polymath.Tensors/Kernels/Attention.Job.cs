using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>The loop over tokens, tiles and heads.</summary>
public static unsafe partial class Attention
{
    private struct Job : IRangeJob
    {
        public Tensor Q;
        public Tensor Keys;
        public Tensor Values;
        public Tensor Y;
        public Tensor State;   // [T, 2H]: the running maximum and sum of each query
        public int Position;
        public int Heads;
        public int KeyValueHeads;
        public int HeadSize;
        public AttentionRule Rule;

        /// <summary>A unit is one key/value head for one block of tokens; the last block, the longest work, goes first.</summary>
        public readonly void Run(int from, int to)
        {
            int blocks = (Q.Rows + QueryRows - 1) / QueryRows;
            for (int unit = from; unit < to; unit++)
                Unit(unit % KeyValueHeads, (blocks - 1 - (unit / KeyValueHeads)) * QueryRows);
        }

        /// <summary>The first position that row <paramref name="t"/> sees.</summary>
        private readonly int FirstSeen(int t) => Rule.Window <= 0 ? 0
            : Math.Max(0, Position + t - (Rule.Bidirectional ? Rule.Window / 2 : Rule.Window - 1));

        /// <summary>The end of the positions that row <paramref name="t"/> sees.</summary>
        private readonly int EndSeen(int t) => !Rule.Bidirectional ? Position + t + 1
            : Rule.Window <= 0 ? Position + Q.Rows
            : (int)Math.Min(Position + (long)Q.Rows, Position + (long)t + (Rule.Window / 2) + 1);

        [SkipLocalsInit]
        private readonly void Unit(int keyValueHead, int firstRow)
        {
            int group = Heads / KeyValueHeads, firstHead = keyValueHead * group;
            int endRow = Math.Min(firstRow + QueryRows, Q.Rows), length = EndSeen(endRow - 1);
            // The heads of a cache row lie a power of two apart, where few of them fit the cache; so copy them together.
            bool plain = Keys.Format == TensorFormat.F32 && Values.Format == TensorFormat.F32;
            bool pack = !plain || (group * (endRow - firstRow) > 1 && HeadSize <= LargestPacked);
            float* packed = stackalloc float[pack ? 2 * TileLength * HeadSize : 1];
            float* scores = stackalloc float[TileLength];
            for (int t = firstRow; t < endRow; t++)
                Begin(t, firstHead, group);

            for (int tile = FirstSeen(firstRow) / TileLength * TileLength; tile < length; tile += TileLength)
            {
                int row = tile % Keys.Rows, rows = Math.Min(TileLength, length - tile);
                nint stride = HeadSize;
                float* keys = packed, values = packed + (TileLength * HeadSize);
                if (pack)
                {
                    Pack(Keys, row, rows, keyValueHead, keys);
                    Pack(Values, row, rows, keyValueHead, values);
                }
                else
                {
                    stride = Keys.Columns;
                    keys = Keys.Floats + (row * stride) + (keyValueHead * HeadSize);
                    values = Values.Floats + (row * stride) + (keyValueHead * HeadSize);
                }

                for (int t = Rule.Bidirectional ? firstRow : Math.Max(firstRow, tile - Position); t < endRow; t++)
                {
                    int count = Math.Min(TileLength, EndSeen(t) - tile), skip = FirstSeen(t) - tile;
                    for (int h = firstHead; h < firstHead + group && skip < TileLength && count > 0; h++)
                        Tile(t, h, keys, values, stride, count, skip, scores);
                }
            }

            for (int t = firstRow; t < endRow; t++)
                End(t, firstHead, group);
        }

        /// <summary>One head of <paramref name="rows"/> cache rows, unpacked and side by side.</summary>
        private readonly void Pack(Tensor cache, int row, int rows, int head, float* target)
        {
            int length = FormatInfo.BlockLength(cache.Format), blocks = HeadSize / length;
            nint stride = (nint)cache.RowBytes;
            byte* source = cache.Data + (row * stride) + ((nint)head * blocks * FormatInfo.BlockBytes(cache.Format));
            for (int r = 0; r < rows; r++, source += stride, target += HeadSize)
                BlockFormat.Dequantize(cache.Format, source, target, blocks);
        }

        /// <summary>One query over one tile, of which the first <paramref name="skip"/> rows lie before its window.</summary>
        private readonly void Tile(int t, int h, float* keys, float* values, nint stride, int count, int skip, float* scores)
        {
            float* state = State.Floats + ((((nint)t * Heads) + h) * 2);
            nint at = ((nint)t * Q.Columns) + (h * HeadSize);
            Scores(Q.Floats + at, keys, stride, count, HeadSize, Rule.Scale, scores);
            if (Rule.SoftCap > 0)
                SoftCap(scores, count, Rule.SoftCap);
            for (int c = 0; c < skip; c++)
                scores[c] = float.NegativeInfinity;
            for (int c = count; c % KeysAtOnce != 0; c++)
                scores[c] = float.NegativeInfinity;
            float max = Math.Max(state[0], Softmax.Max(scores, count));
            float correction = Exp(state[0] - max);
            float sum = Softmax.Exponentials(scores, scores, count, max);
            state[0] = max;
            state[1] = (state[1] * correction) + sum;
            Accumulate(scores, values, stride, count, HeadSize, correction, Y.Floats + at);
        }

        private readonly void Begin(int t, int firstHead, int group)
        {
            float* state = State.Floats + ((((nint)t * Heads) + firstHead) * 2);
            for (int i = 0; i < group; i++)
            {
                state[2 * i] = float.MinValue;   // not −∞: −∞ − −∞ is no number
                state[(2 * i) + 1] = 0;
            }

            new Span<float>(Y.Floats + ((nint)t * Y.Columns) + (firstHead * HeadSize), group * HeadSize).Clear();
        }

        private readonly void End(int t, int firstHead, int group)
        {
            for (int h = firstHead; h < firstHead + group; h++)
            {
                float* state = State.Floats + ((((nint)t * Heads) + h) * 2);
                float sum = state[1], factor = 1;
                if (!Rule.Sinks.IsEmpty)
                {
                    float sink = Rule.Sinks.Floats[h], max = Math.Max(state[0], sink);
                    factor = Exp(state[0] - max);
                    sum = (sum * factor) + Exp(sink - max);
                }

                float* y = Y.Floats + ((nint)t * Y.Columns) + (h * HeadSize);
                for (int i = 0; i < HeadSize; i++)
                    y[i] = y[i] * factor / sum;
            }
        }

        private static float Exp(float x) => VectorMath.Exp(Vector256.CreateScalar(x)).ToScalar();
    }
}

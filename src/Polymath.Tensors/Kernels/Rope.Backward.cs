using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

public static unsafe partial class Rope
{
    /// <summary>
    /// Rotates the first R elements of every head, in place, of sequences that stand one below the other:
    /// row r by the angles of startPosition + r mod sequenceLength.
    /// </summary>
    /// <param name="team">Threads to use; they share out the rows.</param>
    /// <param name="x">[sequences · sequenceLength, heads · headSize].</param>
    /// <param name="headSize">Elements of a head, at least the table's rotary size.</param>
    /// <param name="table">The angles.</param>
    /// <param name="startPosition">Position of the first row of each sequence.</param>
    /// <param name="layout">Which elements form a pair.</param>
    /// <param name="sequenceLength">Rows of a sequence.</param>
    /// <exception cref="ArgumentException">Shapes that do not fit, or positions beyond the table.</exception>
    public static void Run(
        ThreadTeam team, Tensor x, int headSize, RopeTable table, int startPosition, RopeLayout layout, int sequenceLength)
        => Rotate(team, x, headSize, table, startPosition, layout, sequenceLength, 1);

    /// <summary>Backward of the rotation, in place: the rotation by the opposite angles, its transpose.</summary>
    /// <param name="team">Threads to use; they share out the rows.</param>
    /// <param name="dx">[sequences · sequenceLength, heads · headSize] gradient of what came out; becomes that of what went in.</param>
    /// <param name="headSize">As in the forward.</param>
    /// <param name="table">As in the forward.</param>
    /// <param name="startPosition">As in the forward.</param>
    /// <param name="layout">As in the forward.</param>
    /// <param name="sequenceLength">Rows of a sequence; 0 when all rows are one.</param>
    /// <exception cref="ArgumentException">Shapes that do not fit, or positions beyond the table.</exception>
    public static void Backward(
        ThreadTeam team, Tensor dx, int headSize, RopeTable table, int startPosition, RopeLayout layout, int sequenceLength = 0)
        => Rotate(team, dx, headSize, table, startPosition, layout, sequenceLength == 0 ? Math.Max(1, dx.Rows) : sequenceLength, -1);

    private static void Rotate(
        ThreadTeam team, Tensor x, int headSize, RopeTable table, int startPosition, RopeLayout layout, int length, float direction)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(table);
        x.RequireF32();
        if (headSize <= 0 || headSize < table.RotarySize || x.Columns % headSize != 0)
            throw new ArgumentException($"Rope: {x} with heads of {headSize}, {table.RotarySize} of them rotated");
        if (length < 1 || x.Rows % length != 0)
            throw new ArgumentException($"Rope: {x} does not hold sequences of {length}");
        if (startPosition < 0 || startPosition > table.Positions - length)
            throw new ArgumentException($"Rope: {length} rows at position {startPosition}, the table has {table.Positions}");
        var job = new SequenceJob
        {
            X = x.Floats,
            Columns = x.Columns,
            Table = table,
            HeadSize = headSize,
            Start = startPosition,
            Length = length,
            Layout = layout,
            Direction = direction,
        };
        team.Run(ref job, x.Rows, 16);
        x.KeepAlive();
        GC.KeepAlive(table);
    }

    /// <summary>The same arithmetic as the plain loop, four pairs at a time, with sines times the direction.</summary>
    private struct SequenceJob : IRangeJob
    {
        public float* X;
        public RopeTable Table;
        public int Columns, HeadSize, Start, Length;
        public RopeLayout Layout;
        public float Direction;

        public readonly void Run(int from, int to)
        {
            int pairs = Table.RotarySize / 2;
            for (int r = from; r < to; r++)
            {
                float* cos = Table.Cosines(Start + (r % Length)), sin = cos + pairs;
                float* row = X + ((long)r * Columns);
                for (int head = 0; head < Columns; head += HeadSize)
                {
                    if (Layout == RopeLayout.Adjacent)
                        Adjacent(row + head, cos, sin, pairs);
                    else
                        Halves(row + head, cos, sin, pairs);
                }
            }
        }

        private readonly void Adjacent(float* head, float* cos, float* sin, int pairs)
        {
            float s = Direction;
            Vector256<float> signs = Vector256.Create(-s, s, -s, s, -s, s, -s, s);
            int i = 0;
            for (; i <= pairs - 4; i += 4)
            {
                Vector256<float> v = Vector256.Load(head + (2 * i));
                Vector256<float> swapped = Vector256.Shuffle(v, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
                ((v * Twice(cos + i)) + (swapped * (Twice(sin + i) * signs))).Store(head + (2 * i));
            }

            for (; i < pairs; i++)
            {
                float a = head[2 * i], b = head[(2 * i) + 1], sine = sin[i] * s;
                head[2 * i] = (a * cos[i]) - (b * sine);
                head[(2 * i) + 1] = (a * sine) + (b * cos[i]);
            }
        }

        private readonly void Halves(float* head, float* cos, float* sin, int pairs)
        {
            int i = 0;
            for (; i <= pairs - 8; i += 8)
            {
                Vector256<float> a = Vector256.Load(head + i), b = Vector256.Load(head + pairs + i);
                Vector256<float> c = Vector256.Load(cos + i), s = Vector256.Load(sin + i) * Direction;
                ((a * c) - (b * s)).Store(head + i);
                ((a * s) + (b * c)).Store(head + pairs + i);
            }

            for (; i < pairs; i++)
            {
                float a = head[i], b = head[pairs + i], s = sin[i] * Direction;
                head[i] = (a * cos[i]) - (b * s);
                head[pairs + i] = (a * s) + (b * cos[i]);
            }
        }

        /// <summary>Four numbers, each twice: [0, 0, 1, 1, 2, 2, 3, 3].</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Twice(float* four)
        {
            Vector128<float> v = Vector128.Load(four);
            return Vector256.Shuffle(Vector256.Create(v, v), Vector256.Create(0, 0, 1, 1, 2, 2, 3, 3));
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Rotary position embedding (Su et al. 2021, arXiv:2104.09864).</summary>
public static unsafe partial class Rope
{
    private const int ParallelElements = 1 << 14;

    /// <summary>Rotates the first R elements of every head, in place: row t by the angles of startPosition + t.</summary>
    /// <param name="team">Threads to use; they share out the rows.</param>
    /// <param name="x">[T, heads · headSize].</param>
    /// <param name="headSize">Elements of a head, at least the table's rotary size.</param>
    /// <param name="table">The angles.</param>
    /// <param name="startPosition">Position of row 0.</param>
    /// <param name="layout">Which elements form a pair.</param>
    /// <exception cref="ArgumentException">Shapes that do not fit, or positions beyond the table.</exception>
    public static void Run(ThreadTeam team, Tensor x, int headSize, RopeTable table, int startPosition, RopeLayout layout)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(table);
        x.RequireF32();
        if (headSize <= 0 || headSize < table.RotarySize || x.Columns % headSize != 0)
            throw new ArgumentException($"Rope: {x} with heads of {headSize}, {table.RotarySize} of them rotated");
        if (startPosition < 0 || startPosition > table.Positions - x.Rows)
            throw new ArgumentException($"Rope: {x} at position {startPosition}, the table has {table.Positions}");
        var job = new Job { X = x, Table = table, HeadSize = headSize, Start = startPosition, Layout = layout };
        team.Run(ref job, x.Rows, x.ElementCount < ParallelElements ? Math.Max(1, x.Rows) : 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Adjacent(float* head, float* cos, float* sin, int pairs)
    {
        int i = 0;
        for (; i <= pairs - 4; i += 4)
        {
            Vector256<float> v = Vector256.Load(head + (2 * i));                                          // a0 b0 a1 b1 …
            Vector256<float> swapped = Vector256.Shuffle(v, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));    // b0 a0 b1 a1 …
            Vector256<float> turned = swapped * Twice(Vector128.Load(sin + i)) * Vector256.Create(-1f, 1, -1, 1, -1, 1, -1, 1);
            ((v * Twice(Vector128.Load(cos + i))) + turned).Store(head + (2 * i));
        }

        for (; i < pairs; i++)
        {
            float a = head[2 * i], b = head[(2 * i) + 1];
            head[2 * i] = (a * cos[i]) - (b * sin[i]);
            head[(2 * i) + 1] = (b * cos[i]) + (a * sin[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Halves(float* head, float* cos, float* sin, int pairs)
    {
        int i = 0;
        for (; i <= pairs - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            Vector256<float> a = Vector256.Load(head + i), b = Vector256.Load(head + pairs + i);
            Vector256<float> c = Vector256.Load(cos + i), s = Vector256.Load(sin + i);
            ((a * c) - (b * s)).Store(head + i);
            ((b * c) + (a * s)).Store(head + pairs + i);
        }

        for (; i < pairs; i++)
        {
            float a = head[i], b = head[pairs + i];
            head[i] = (a * cos[i]) - (b * sin[i]);
            head[pairs + i] = (b * cos[i]) + (a * sin[i]);
        }
    }

    /// <summary>Each value twice: x0 x0 x1 x1 x2 x2 x3 x3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Twice(Vector128<float> x) =>
        Vector256.Create(Vector128.Shuffle(x, Vector128.Create(0, 0, 1, 1)), Vector128.Shuffle(x, Vector128.Create(2, 2, 3, 3)));

    private struct Job : IRangeJob
    {
        public Tensor X;
        public RopeTable Table;
        public int HeadSize;
        public int Start;
        public RopeLayout Layout;

        public readonly void Run(int from, int to)
        {
            int pairs = Table.RotarySize / 2;
            for (int t = from; t < to; t++)
            {
                float* cos = Table.Cosines(Start + t), sin = cos + pairs;
                float* row = X.Floats + ((nint)t * X.Columns);
                for (int head = 0; head < X.Columns; head += HeadSize)
                {
                    if (Layout == RopeLayout.Adjacent)
                        Adjacent(row + head, cos, sin, pairs);
                    else
                        Halves(row + head, cos, sin, pairs);
                }
            }
        }
    }
}

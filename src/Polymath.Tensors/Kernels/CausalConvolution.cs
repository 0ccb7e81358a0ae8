using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>A convolution over the last few tokens of each channel alone, then SiLU.</summary>
public static unsafe class CausalConvolution
{
    /// <summary>Most rows of a weight.</summary>
    public const int MostTaps = 64;

    private const int Chunk = 256;
    private const long ParallelElements = 1 << 13;

    /// <summary>
    /// y[t, c] = silu(Σⱼ weight[j, first + c] · x[t − (N − 1) + j, first + c]) for the N rows of the weight; rows of x before
    /// the first are the last ones of <paramref name="past"/>.
    /// </summary>
    /// <param name="team">Threads to use; they share out the channels.</param>
    /// <param name="past">[N − 1, C], the rows before x.</param>
    /// <param name="x">[T, C].</param>
    /// <param name="weight">[N, C].</param>
    /// <param name="first">First channel to compute.</param>
    /// <param name="y">[T, channels to compute].</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Run(ThreadTeam team, Tensor past, Tensor x, Tensor weight, int first, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(team);
        x.RequireF32();
        weight.RequireF32(weight.Rows, x.Columns, "CausalConvolution weight");
        past.RequireF32(weight.Rows - 1, x.Columns, "CausalConvolution past");
        y.RequireF32(x.Rows, y.Columns, "CausalConvolution");
        if (weight.Rows > MostTaps || first < 0 || first > x.Columns - y.Columns)
            throw new ArgumentException($"CausalConvolution: {y.Columns} channels from {first} of {x}");
        var job = new Job { Past = past, X = x, Weight = weight, First = first, Y = y };
        int chunks = (y.Columns + Chunk - 1) / Chunk;
        team.Run(ref job, chunks, y.ElementCount < ParallelElements ? Math.Max(1, chunks) : 1);
    }

    /// <summary>The last rows of past and x together, into <paramref name="next"/> [N − 1, C]; it must not be past.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Keep(Tensor past, Tensor x, Tensor next)
    {
        x.RequireF32();
        past.RequireF32(past.Rows, x.Columns, "CausalConvolution past");
        next.RequireF32(past.Rows, x.Columns, "CausalConvolution next");
        for (int i = 0; i < next.Rows; i++)
        {
            int row = x.Rows - next.Rows + i;   // of x; below 0 of past
            (row < 0 ? past.Row(row + past.Rows) : x.Row(row)).CopyTo(next.Row(i));
        }
    }

    private struct Job : IRangeJob
    {
        public Tensor Past;
        public Tensor X;
        public Tensor Weight;
        public int First;
        public Tensor Y;

        public readonly void Run(int from, int to)
        {
            int start = from * Chunk, end = Math.Min(to * Chunk, Y.Columns), taps = Weight.Rows;
            float** rows = stackalloc float*[taps];
            for (int t = 0; t < X.Rows; t++)
            {
                for (int j = 0; j < taps; j++)
                {
                    int row = t - taps + 1 + j;
                    rows[j] = (row < 0 ? Past.Floats + ((nint)(row + taps - 1) * X.Columns) : X.Floats + ((nint)row * X.Columns)) + First;
                }

                Channels(rows, Weight.Floats + First, X.Columns, taps, Y.Floats + ((nint)t * Y.Columns), start, end);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Channels(float** rows, float* weight, nint stride, int taps, float* y, int start, int end)
    {
        for (int c = start; c < end; c += VectorMath.Lanes)
        {
            int rest = Math.Min(VectorMath.Lanes, end - c);
            Vector256<float> sum = Vector256<float>.Zero;
            float* w = weight + c;
            if (rest == VectorMath.Lanes)
            {
                for (int j = 0; j < taps; j++, w += stride)
                    sum = Simd.MultiplyAdd(Vector256.Load(rows[j] + c), Vector256.Load(w), sum);
                VectorMath.Silu(sum).Store(y + c);
                continue;
            }

            for (int j = 0; j < taps; j++, w += stride)
                sum = Simd.MultiplyAdd(VectorMath.LoadPart(rows[j] + c, rest), VectorMath.LoadPart(w, rest), sum);
            VectorMath.StorePart(VectorMath.Silu(sum), y + c, rest);
        }
    }
}

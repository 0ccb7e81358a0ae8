using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>The gate of a SwiGLU feed-forward layer (Shazeer 2020, arXiv:2002.05202).</summary>
public static unsafe partial class SwiGlu
{
    private const int ParallelElements = 1 << 14;

    /// <summary>y = gate · sigmoid(gate) · up, element by element; y may be either of them.</summary>
    /// <param name="team">Threads to use.</param>
    /// <param name="gate">[T, F].</param>
    /// <param name="up">[T, F].</param>
    /// <param name="y">[T, F].</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static void Run(ThreadTeam team, Tensor gate, Tensor up, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(team);
        gate.RequireF32();
        up.RequireF32(gate.Rows, gate.Columns, "SwiGlu");
        y.RequireF32(gate.Rows, gate.Columns, "SwiGlu");
        if (gate.ElementCount == 0)
            return;
        var job = new Job { Gate = gate, Up = up, Y = y };
        // Whole vectors per chunk: the elements are independent, rows do not matter.
        long chunks = (gate.ElementCount + Job.Chunk - 1) / Job.Chunk;
        team.Run(ref job, checked((int)chunks), gate.ElementCount < ParallelElements ? (int)chunks : 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(float* gate, float* up, float* y, nint count)
    {
        nint i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            Gated(Vector256.Load(gate + i), Vector256.Load(up + i)).Store(y + i);
        if (i < count)
        {
            int rest = (int)(count - i);
            VectorMath.StorePart(Gated(VectorMath.LoadPart(gate + i, rest), VectorMath.LoadPart(up + i, rest)), y + i, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Gated(Vector256<float> gate, Vector256<float> up) =>
        gate / (Vector256<float>.One + VectorMath.Exp(-gate)) * up;

    private struct Job : IRangeJob
    {
        public const int Chunk = 4096;
        public Tensor Gate;
        public Tensor Up;
        public Tensor Y;

        public readonly void Run(int from, int to)
        {
            nint start = (nint)from * Chunk;
            nint end = (nint)Math.Min((long)to * Chunk, Gate.ElementCount);
            SwiGlu.Run(Gate.Floats + start, Up.Floats + start, Y.Floats + start, end - start);
        }
    }
}

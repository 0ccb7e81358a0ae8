using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

public static unsafe partial class Activations
{
    private const int BackwardChunk = 4096;

    /// <summary>
    /// Backward of y = gate · σ(gate) · up: dUp = dy · gate · σ, dGate = dy · up · σ · (1 + gate · (1 − σ)).
    /// The results are overwritten, and each may be one of the inputs.
    /// </summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="gate">[T, F].</param>
    /// <param name="up">[T, F].</param>
    /// <param name="dy">[T, F] gradient of what came out.</param>
    /// <param name="dGate">[T, F].</param>
    /// <param name="dUp">[T, F].</param>
    /// <exception cref="ArgumentException">Shapes differ.</exception>
    public static void SiluBackward(ThreadTeam team, Tensor gate, Tensor up, Tensor dy, Tensor dGate, Tensor dUp)
    {
        ArgumentNullException.ThrowIfNull(team);
        gate.RequireF32();
        up.RequireF32(gate.Rows, gate.Columns, "Activations.SiluBackward, up");
        dy.RequireF32(gate.Rows, gate.Columns, "Activations.SiluBackward, dy");
        dGate.RequireF32(gate.Rows, gate.Columns, "Activations.SiluBackward, dGate");
        dUp.RequireF32(gate.Rows, gate.Columns, "Activations.SiluBackward, dUp");
        var job = new BackwardJob
        {
            Gate = gate.Floats,
            Up = up.Floats,
            Dy = dy.Floats,
            DGate = dGate.Floats,
            DUp = dUp.Floats,
            Count = gate.ElementCount,
        };
        team.Run(ref job, checked((int)((gate.ElementCount + BackwardChunk - 1) / BackwardChunk)), 4);
        gate.KeepAlive();
        up.KeepAlive();
        dy.KeepAlive();
        dGate.KeepAlive();
        dUp.KeepAlive();
    }

    private struct BackwardJob : IRangeJob
    {
        public float* Gate, Up, Dy, DGate, DUp;
        public long Count;

        public readonly void Run(int from, int to)
        {
            long i = (long)from * BackwardChunk, end = Math.Min((long)to * BackwardChunk, Count);
            for (; i <= end - 8; i += 8)
                Eight(Gate + i, Up + i, Dy + i, DGate + i, DUp + i);
            if (i < end)
                Tail(i, (int)(end - i));
        }

        [SkipLocalsInit]
        private readonly void Tail(long start, int count)
        {
            float* copy = stackalloc float[40];
            uint bytes = (uint)count * sizeof(float);
            Unsafe.InitBlockUnaligned(copy, 0, 40 * sizeof(float));
            Unsafe.CopyBlockUnaligned(copy, Gate + start, bytes);
            Unsafe.CopyBlockUnaligned(copy + 8, Up + start, bytes);
            Unsafe.CopyBlockUnaligned(copy + 16, Dy + start, bytes);
            Eight(copy, copy + 8, copy + 16, copy + 24, copy + 32);
            Unsafe.CopyBlockUnaligned(DGate + start, copy + 24, bytes);
            Unsafe.CopyBlockUnaligned(DUp + start, copy + 32, bytes);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Eight(float* gate, float* up, float* dy, float* dGate, float* dUp)
        {
            Vector256<float> g = Vector256.Load(gate), u = Vector256.Load(up), d = Vector256.Load(dy);
            Vector256<float> one = Vector256<float>.One;
            Vector256<float> sigmoid = VectorMath.Sigmoid(g);
            Vector256<float> slope = sigmoid * Simd.MultiplyAdd(g, one - sigmoid, one);
            (d * u * slope).Store(dGate);
            (d * g * sigmoid).Store(dUp);
        }
    }
}

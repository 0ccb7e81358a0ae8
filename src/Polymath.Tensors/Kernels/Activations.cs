using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Activation functions, alone or as gates.</summary>
public static unsafe partial class Activations
{
    private const int Chunk = 4096;
    private const long ParallelElements = 1 << 13;

    private interface IFunction
    {
        static abstract Vector256<float> Apply(Vector256<float> x);

        static abstract Vector256<float> Gate(Vector256<float> gate, Vector256<float> up);
    }

    /// <summary>x = f(x), element by element.</summary>
    public static void Run(ThreadTeam team, Activation function, Tensor x) => Run(team, function, x, default, x);

    /// <summary>y = f(gate) · up, element by element; y may be either of them.</summary>
    /// <param name="team">Threads to use.</param>
    /// <param name="function">f.</param>
    /// <param name="gate">[T, F].</param>
    /// <param name="up">[T, F], or empty: f alone.</param>
    /// <param name="y">[T, F].</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static void Run(ThreadTeam team, Activation function, Tensor gate, Tensor up, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(team);
        gate.RequireF32();
        if (!up.IsEmpty)
            up.RequireF32(gate.Rows, gate.Columns, "Activations");
        y.RequireF32(gate.Rows, gate.Columns, "Activations");
        var job = new Job { Function = function, Gate = gate, Up = up, Y = y };
        int chunks = checked((int)((gate.ElementCount + Chunk - 1) / Chunk));
        team.Run(ref job, chunks, gate.ElementCount < ParallelElements ? Math.Max(1, chunks) : 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Alone<TFunction>(float* x, float* y, nint count)
        where TFunction : struct, IFunction
    {
        nint i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            TFunction.Apply(Vector256.Load(x + i)).Store(y + i);
        if (i < count)
            VectorMath.StorePart(TFunction.Apply(VectorMath.LoadPart(x + i, (int)(count - i))), y + i, (int)(count - i));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gated<TFunction>(float* gate, float* up, float* y, nint count)
        where TFunction : struct, IFunction
    {
        nint i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            TFunction.Gate(Vector256.Load(gate + i), Vector256.Load(up + i)).Store(y + i);
        if (i < count)
        {
            int rest = (int)(count - i);
            VectorMath.StorePart(TFunction.Gate(VectorMath.LoadPart(gate + i, rest), VectorMath.LoadPart(up + i, rest)), y + i, rest);
        }
    }

    private struct Job : IRangeJob
    {
        public Activation Function;
        public Tensor Gate;
        public Tensor Up;
        public Tensor Y;

        public readonly void Run(int from, int to)
        {
            switch (Function)
            {
                case Activation.Silu: Run<Silu>(from, to); break;
                case Activation.Gelu: Run<Gelu>(from, to); break;
                case Activation.SwiGluOai: Run<SwiGluOai>(from, to); break;
                case Activation.Sigmoid: Run<Sigmoid>(from, to); break;
                default: throw new InvalidOperationException($"Activations: no function {(int)Function}");
            }
        }

        private readonly void Run<TFunction>(int from, int to)
            where TFunction : struct, IFunction
        {
            nint start = (nint)from * Chunk, end = (nint)Math.Min((long)to * Chunk, Gate.ElementCount);
            if (Up.IsEmpty)
                Alone<TFunction>(Gate.Floats + start, Y.Floats + start, end - start);
            else
                Gated<TFunction>(Gate.Floats + start, Up.Floats + start, Y.Floats + start, end - start);
        }
    }

    private readonly struct Silu : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Apply(Vector256<float> x) => VectorMath.Silu(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Gate(Vector256<float> gate, Vector256<float> up) => Apply(gate) * up;
    }

    private readonly struct Gelu : IFunction
    {
        /// <summary>½ x (1 + tanh u) = x · sigmoid(2u) with u = √(2/π) (x + 0.044715 x³).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Apply(Vector256<float> x)
        {
            Vector256<float> u = Vector256.Create(0.7978845608f) * x * (Vector256<float>.One + (Vector256.Create(0.044715f) * x * x));
            return x / (Vector256<float>.One + VectorMath.Exp(-(u + u)));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Gate(Vector256<float> gate, Vector256<float> up) => Apply(gate) * up;
    }

    private readonly struct Sigmoid : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Apply(Vector256<float> x) => VectorMath.Sigmoid(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Gate(Vector256<float> gate, Vector256<float> up) => Apply(gate) * up;
    }

    private readonly struct SwiGluOai : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Apply(Vector256<float> x) => x / (Vector256<float>.One + VectorMath.Exp(x * -1.702f));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Gate(Vector256<float> gate, Vector256<float> up)
        {
            Vector256<float> limit = Vector256.Create(7f);
            Vector256<float> cut = Vector256.MaxNative(-limit, Vector256.MinNative(limit, up));
            return Apply(Vector256.MinNative(limit, gate)) * (cut + Vector256<float>.One);
        }
    }
}

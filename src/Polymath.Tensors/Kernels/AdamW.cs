using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>The optimiser AdamW (Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization).</summary>
public static unsafe class AdamW
{
    private const int Chunk = 4096;

    /// <summary>
    /// One step, element by element, with g = gradientScale · gradients:
    /// m = β₁m + (1 − β₁)g; v = β₂v + (1 − β₂)g²; p = p − rate · (m̂ / (√v̂ + ε) + weightDecay · p),
    /// where m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ).
    /// </summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="parameters">p, changed.</param>
    /// <param name="gradients">Of the same shape, not changed.</param>
    /// <param name="m">First moments, of the same shape, zeros at the start, changed.</param>
    /// <param name="v">Second moments, of the same shape, zeros at the start, changed.</param>
    /// <param name="learningRate">rate of this step.</param>
    /// <param name="beta1">β₁.</param>
    /// <param name="beta2">β₂.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="weightDecay">Decay, decoupled from the gradient.</param>
    /// <param name="step">t, counted from 1.</param>
    /// <param name="gradientScale">Factor of the gradients: clipping and the mean over accumulated batches.</param>
    /// <exception cref="ArgumentException">Shapes differ.</exception>
    public static void Step(
        ThreadTeam team, Tensor parameters, Tensor gradients, Tensor m, Tensor v,
        float learningRate, float beta1, float beta2, float epsilon, float weightDecay, long step, float gradientScale = 1)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        parameters.RequireF32();
        gradients.RequireF32(parameters.Rows, parameters.Columns, "AdamW, gradients");
        m.RequireF32(parameters.Rows, parameters.Columns, "AdamW, m");
        v.RequireF32(parameters.Rows, parameters.Columns, "AdamW, v");
        var job = new Job
        {
            P = parameters.Floats,
            G = gradients.Floats,
            M = m.Floats,
            V = v.Floats,
            Count = parameters.ElementCount,
            Beta1 = beta1,
            Beta2 = beta2,
            Epsilon = epsilon,
            Scale = gradientScale,
            Keep = (float)(1 - ((double)learningRate * weightDecay)),
            Rate = (float)(learningRate / (1 - Math.Pow(beta1, step))),
            Unbias = (float)(1 / (1 - Math.Pow(beta2, step))),
        };
        team.Run(ref job, checked((int)((parameters.ElementCount + Chunk - 1) / Chunk)), 4);
        parameters.KeepAlive();
        gradients.KeepAlive();
        m.KeepAlive();
        v.KeepAlive();
    }

    private struct Job : IRangeJob
    {
        public float* P, G, M, V;
        public long Count;
        public float Beta1, Beta2, Epsilon, Scale, Keep, Rate, Unbias;

        public readonly void Run(int from, int to)
        {
            long i = (long)from * Chunk, end = Math.Min((long)to * Chunk, Count);
            float rest1 = 1 - Beta1, rest2 = 1 - Beta2;
            for (; i <= end - 8; i += 8)
            {
                Vector256<float> g = Vector256.Load(G + i) * Scale;
                Vector256<float> m = (Vector256.Load(M + i) * Beta1) + (g * rest1);
                Vector256<float> v = (Vector256.Load(V + i) * Beta2) + (g * g * rest2);
                m.Store(M + i);
                v.Store(V + i);
                Vector256<float> move = m * Rate / (Vector256.Sqrt(v * Unbias) + Vector256.Create(Epsilon));
                ((Vector256.Load(P + i) * Keep) - move).Store(P + i);
            }

            for (; i < end; i++)
            {
                float g = G[i] * Scale;
                M[i] = (M[i] * Beta1) + (g * rest1);
                V[i] = (V[i] * Beta2) + (g * g * rest2);
                P[i] = (P[i] * Keep) - (M[i] * Rate / (MathF.Sqrt(V[i] * Unbias) + Epsilon));
            }
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>The loss of next-token prediction and its derivative.</summary>
public static unsafe class CrossEntropy
{
    /// <summary>
    /// losses[t] = log Σ exp(logits[t]) − logits[t, target], in nats, and dLogits[t] = factor · (softmax(logits[t]) − one-hot(target)).
    /// A negative target is ignored: loss 0, gradient 0. Sums are kept in double.
    /// </summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="logits">[T, V].</param>
    /// <param name="targets">T token ids.</param>
    /// <param name="dLogits">[T, V], overwritten; may be <paramref name="logits"/>; the default value when no gradient is wanted.</param>
    /// <param name="losses">T losses.</param>
    /// <param name="factor">Factor of the gradient, 1 / targets counted as a rule.</param>
    /// <exception cref="ArgumentException">Shapes differ, or a target is no id of the vocabulary.</exception>
    public static void Run(
        ThreadTeam team, Tensor logits, ReadOnlySpan<int> targets, Tensor dLogits, Span<float> losses, float factor)
    {
        ArgumentNullException.ThrowIfNull(team);
        logits.RequireF32();
        if (!dLogits.IsEmpty)
            dLogits.RequireF32(logits.Rows, logits.Columns, "CrossEntropy, dLogits");
        if (targets.Length != logits.Rows || losses.Length != logits.Rows)
            throw new ArgumentException($"CrossEntropy: {logits} with {targets.Length} targets and {losses.Length} losses");
        for (int t = 0; t < targets.Length; t++)
        {
            if (targets[t] >= logits.Columns)
                throw new ArgumentException($"CrossEntropy: target {targets[t]} of row {t} is outside {logits}", nameof(targets));
        }

        fixed (int* ids = targets)
        {
            fixed (float* loss = losses)
            {
                var job = new Job
                {
                    Logits = logits.Floats,
                    Gradient = dLogits.IsEmpty ? null : dLogits.Floats,
                    Targets = ids,
                    Losses = loss,
                    Columns = logits.Columns,
                    Factor = factor,
                };
                team.Run(ref job, logits.Rows, 4);
            }
        }

        logits.KeepAlive();
        dLogits.KeepAlive();
    }

    private struct Job : IRangeJob
    {
        public float* Logits, Gradient, Losses;
        public int* Targets;
        public int Columns;
        public float Factor;

        public readonly void Run(int from, int to)
        {
            for (int t = from; t < to; t++)
            {
                long start = (long)t * Columns;
                float* gradient = Gradient is null ? null : Gradient + start;
                if (Targets[t] >= 0)
                {
                    Losses[t] = Row(Logits + start, Targets[t], gradient);
                    continue;
                }

                Losses[t] = 0;
                if (gradient is not null)
                    new Span<float>(gradient, Columns).Clear();
            }
        }

        [SkipLocalsInit]
        private readonly float Row(float* logits, int target, float* gradient)
        {
            float own = logits[target], highest = Highest(logits);
            Vector256<double> low = default, high = default;
            int i = 0;
            for (; i <= Columns - 8; i += 8)
            {
                Vector256<float> e = VectorMath.Exp(Vector256.Load(logits + i) - Vector256.Create(highest));
                (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(e);
                low += lower;
                high += upper;
                if (gradient is not null)
                    e.Store(gradient + i);
            }

            double sum = Vector256.Sum(low + high);
            if (i < Columns)
            {
                float* tail = stackalloc float[8];
                for (int lane = 0; lane < 8; lane++)
                    tail[lane] = i + lane < Columns ? logits[i + lane] - highest : float.NegativeInfinity;
                VectorMath.Exp(Vector256.Load(tail)).Store(tail);
                for (int lane = 0; i + lane < Columns; lane++)
                {
                    sum += tail[lane];
                    if (gradient is not null)
                        gradient[i + lane] = tail[lane];
                }
            }

            if (gradient is not null)
                Scale(gradient, target, (float)(Factor / sum));
            return (float)(Math.Log(sum) + ((double)highest - own));
        }

        private readonly float Highest(float* logits)
        {
            float highest = float.NegativeInfinity;
            int i = 0;
            if (Columns >= 8)
            {
                Vector256<float> most = Vector256.Load(logits);
                for (i = 8; i <= Columns - 8; i += 8)
                    most = Vector256.Max(most, Vector256.Load(logits + i));
                for (int lane = 0; lane < 8; lane++)
                    highest = MathF.Max(highest, most.GetElement(lane));
            }

            for (; i < Columns; i++)
                highest = MathF.Max(highest, logits[i]);
            return highest;
        }

        private readonly void Scale(float* gradient, int target, float share)
        {
            int i = 0;
            for (; i <= Columns - 8; i += 8)
                (Vector256.Load(gradient + i) * share).Store(gradient + i);
            for (; i < Columns; i++)
                gradient[i] *= share;
            gradient[target] -= Factor;
        }
    }
}

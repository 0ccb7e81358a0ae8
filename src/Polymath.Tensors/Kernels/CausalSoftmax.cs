using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// Softmax of attention scores under the causal mask, and its derivative, for training: whole sequences,
/// position t sees 0..t. Elements beyond the diagonal are never read, and zeros are written there.
/// </summary>
public static unsafe class CausalSoftmax
{
    private const int RowsAtOnce = 32;

    /// <summary>In place: row r, at position t = r mod length, becomes softmax(scale · scores[r, 0..t]), then zeros.</summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="scores">[sequences · heads · length, length].</param>
    /// <param name="sequenceLength">Positions of each sequence, the columns of <paramref name="scores"/>.</param>
    /// <param name="scale">Factor of the scores, 1 / √headSize as a rule.</param>
    /// <exception cref="ArgumentException">The columns are not the length, or the rows no multiple of it.</exception>
    public static void Forward(ThreadTeam team, Tensor scores, int sequenceLength, float scale)
    {
        ArgumentNullException.ThrowIfNull(team);
        CheckShape(scores, sequenceLength);
        var job = new ForwardJob { Scores = scores.Floats, Length = sequenceLength, Scale = scale };
        team.Run(ref job, scores.Rows, RowsAtOnce);
        scores.KeepAlive();
    }

    /// <summary>In place: dProbabilities becomes dScores = scale · p · (dp − Σ p · dp), zeros beyond the diagonal.</summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="probabilities">[sequences · heads · length, length], as <see cref="Forward"/> left them.</param>
    /// <param name="dProbabilities">Their gradient, of the same shape.</param>
    /// <param name="sequenceLength">Positions of each sequence.</param>
    /// <param name="scale">As in the forward.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static void Backward(ThreadTeam team, Tensor probabilities, Tensor dProbabilities, int sequenceLength, float scale)
    {
        ArgumentNullException.ThrowIfNull(team);
        CheckShape(probabilities, sequenceLength);
        dProbabilities.RequireF32(probabilities.Rows, probabilities.Columns, "CausalSoftmax.Backward");
        var job = new BackwardJob { P = probabilities.Floats, D = dProbabilities.Floats, Length = sequenceLength, Scale = scale };
        team.Run(ref job, probabilities.Rows, RowsAtOnce);
        probabilities.KeepAlive();
        dProbabilities.KeepAlive();
    }

    private static void CheckShape(Tensor x, int sequenceLength)
    {
        x.RequireF32();
        ArgumentOutOfRangeException.ThrowIfLessThan(sequenceLength, 1);
        if (x.Columns != sequenceLength || x.Rows % sequenceLength != 0)
            throw new ArgumentException($"CausalSoftmax: {x} does not hold squares of {sequenceLength}");
    }

    private struct ForwardJob : IRangeJob
    {
        public float* Scores;
        public int Length;
        public float Scale;

        public readonly void Run(int from, int to)
        {
            for (int r = from; r < to; r++)
            {
                float* row = Scores + ((long)r * Length);
                int seen = (r % Length) + 1;
                Softmax(row, seen);
                new Span<float>(row + seen, Length - seen).Clear();
            }
        }

        [SkipLocalsInit]
        private readonly void Softmax(float* row, int count)
        {
            float highest = float.NegativeInfinity;
            int i = 0;
            if (count >= 8)
            {
                Vector256<float> most = Vector256.Load(row) * Scale;
                for (i = 8; i <= count - 8; i += 8)
                    most = Vector256.Max(most, Vector256.Load(row + i) * Scale);
                for (int lane = 0; lane < 8; lane++)
                    highest = MathF.Max(highest, most.GetElement(lane));
            }

            for (; i < count; i++)
                highest = MathF.Max(highest, row[i] * Scale);

            Vector256<float> sum = default;
            for (i = 0; i <= count - 8; i += 8)
            {
                Vector256<float> e = VectorMath.Exp((Vector256.Load(row + i) * Scale) - Vector256.Create(highest));
                e.Store(row + i);
                sum += e;
            }

            float total = VectorMath.Sum(sum);
            if (i < count)
            {
                float* tail = stackalloc float[8];
                for (int lane = 0; lane < 8; lane++)
                    tail[lane] = i + lane < count ? (row[i + lane] * Scale) - highest : float.NegativeInfinity;
                VectorMath.Exp(Vector256.Load(tail)).Store(tail);
                for (int lane = 0; i + lane < count; lane++)
                {
                    row[i + lane] = tail[lane];
                    total += tail[lane];
                }
            }

            float share = 1 / total;
            for (i = 0; i <= count - 8; i += 8)
                (Vector256.Load(row + i) * share).Store(row + i);
            for (; i < count; i++)
                row[i] *= share;
        }
    }

    private struct BackwardJob : IRangeJob
    {
        public float* P, D;
        public int Length;
        public float Scale;

        public readonly void Run(int from, int to)
        {
            for (int r = from; r < to; r++)
            {
                long start = (long)r * Length;
                int seen = (r % Length) + 1;
                Row(P + start, D + start, seen);
                new Span<float>(D + start + seen, Length - seen).Clear();
            }
        }

        private readonly void Row(float* p, float* d, int count)
        {
            Vector256<float> sums = default;
            int i = 0;
            for (; i <= count - 8; i += 8)
                sums = Simd.MultiplyAdd(Vector256.Load(p + i), Vector256.Load(d + i), sums);
            float sum = VectorMath.Sum(sums);
            for (; i < count; i++)
                sum += p[i] * d[i];
            for (i = 0; i <= count - 8; i += 8)
                (Vector256.Load(p + i) * Scale * (Vector256.Load(d + i) - Vector256.Create(sum))).Store(d + i);
            for (; i < count; i++)
                d[i] = p[i] * Scale * (d[i] - sum);
        }
    }
}

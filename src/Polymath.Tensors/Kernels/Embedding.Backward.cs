using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

public static unsafe partial class Embedding
{
    private const int ColumnsAtOnce = 32;

    /// <summary>
    /// dEmbedding[ids[t]] += dy[t], in rising order of t: the threads share out columns, so that no two write the same element.
    /// A negative id is ignored.
    /// </summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="dEmbedding">[V, D], added to.</param>
    /// <param name="ids">T token ids.</param>
    /// <param name="dy">[T, D].</param>
    /// <exception cref="ArgumentException">Shapes differ, or an id is outside the vocabulary.</exception>
    public static void Backward(ThreadTeam team, Tensor dEmbedding, ReadOnlySpan<int> ids, Tensor dy)
    {
        ArgumentNullException.ThrowIfNull(team);
        dEmbedding.RequireF32();
        dy.RequireF32(ids.Length, dEmbedding.Columns, "Embedding.Backward, dy");
        for (int t = 0; t < ids.Length; t++)
        {
            if (ids[t] >= dEmbedding.Rows)
                throw new ArgumentException($"Embedding.Backward: id {ids[t]} of row {t} is outside {dEmbedding}", nameof(ids));
        }

        fixed (int* pointer = ids)
        {
            var job = new BackwardJob
            {
                Sums = dEmbedding.Floats,
                Dy = dy.Floats,
                Ids = pointer,
                Count = ids.Length,
                Columns = dEmbedding.Columns,
            };
            team.Run(ref job, (dEmbedding.Columns + ColumnsAtOnce - 1) / ColumnsAtOnce);
        }

        dEmbedding.KeepAlive();
        dy.KeepAlive();
    }

    private struct BackwardJob : IRangeJob
    {
        public float* Sums, Dy;
        public int* Ids;
        public int Count, Columns;

        public readonly void Run(int from, int to)
        {
            int first = from * ColumnsAtOnce, end = Math.Min(to * ColumnsAtOnce, Columns);
            for (int t = 0; t < Count; t++)
            {
                if (Ids[t] < 0)
                    continue;
                float* sums = Sums + ((long)Ids[t] * Columns), dy = Dy + ((long)t * Columns);
                int i = first;
                for (; i <= end - 8; i += 8)
                    (Vector256.Load(sums + i) + Vector256.Load(dy + i)).Store(sums + i);
                for (; i < end; i++)
                    sums[i] += dy[i];
            }
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

public static unsafe partial class RmsNorm
{
    private const int RowsOfPartialSum = 32;   // fixed, so that the sums over rows do not depend on the threads

    /// <summary>
    /// Backward of y = x · r · weight with r = 1 / √(mean(x²) + epsilon), row by row:
    /// dx += r · (weight · dy) − x · r³ / D · Σ(weight · dy · x); dWeight += Σ over rows of dy · x · r.
    /// </summary>
    /// <param name="team">Threads that share the work.</param>
    /// <param name="x">[T, D] what went in.</param>
    /// <param name="weight">[1, D].</param>
    /// <param name="dy">[T, D] gradient of what came out.</param>
    /// <param name="dx">[T, D], added to.</param>
    /// <param name="dWeight">[1, D], added to.</param>
    /// <param name="epsilon">As in the forward.</param>
    /// <exception cref="ArgumentException">Shapes differ.</exception>
    public static void Backward(
        ThreadTeam team, Tensor x, Tensor weight, Tensor dy, Tensor dx, Tensor dWeight, float epsilon)
    {
        ArgumentNullException.ThrowIfNull(team);
        x.RequireF32();
        weight.RequireF32(1, x.Columns, "RmsNorm.Backward, weight");
        dy.RequireF32(x.Rows, x.Columns, "RmsNorm.Backward, dy");
        dx.RequireF32(x.Rows, x.Columns, "RmsNorm.Backward, dx");
        dWeight.RequireF32(1, x.Columns, "RmsNorm.Backward, dWeight");
        int parts = (x.Rows + RowsOfPartialSum - 1) / RowsOfPartialSum;
        var job = new BackwardJob
        {
            X = x.Floats,
            Weight = weight.Floats,
            Dy = dy.Floats,
            Dx = dx.Floats,
            Partial = (float*)Scratch.Reserve((long)parts * x.Columns * sizeof(float)),
            Rows = x.Rows,
            Columns = x.Columns,
            Epsilon = epsilon,
        };
        team.Run(ref job, parts);
        float* total = dWeight.Floats;
        for (int part = 0; part < parts; part++)
        {
            float* partial = job.Partial + ((long)part * x.Columns);
            for (int i = 0; i < x.Columns; i++)
                total[i] += partial[i];
        }

        x.KeepAlive();
        weight.KeepAlive();
        dy.KeepAlive();
        dx.KeepAlive();
        dWeight.KeepAlive();
    }

    private struct BackwardJob : IRangeJob
    {
        public float* X, Weight, Dy, Dx, Partial;
        public int Rows, Columns;
        public float Epsilon;

        public readonly void Run(int from, int to)
        {
            for (int part = from; part < to; part++)
            {
                float* partial = Partial + ((long)part * Columns);
                Unsafe.InitBlockUnaligned(partial, 0, (uint)Columns * sizeof(float));
                int end = Math.Min((part + 1) * RowsOfPartialSum, Rows);
                for (int row = part * RowsOfPartialSum; row < end; row++)
                {
                    long start = (long)row * Columns;
                    Row(X + start, Dy + start, Dx + start, partial);
                }
            }
        }

        private readonly void Row(float* x, float* dy, float* dx, float* partial)
        {
            Vector256<float> squares = default, products = default;
            int i = 0;
            for (; i <= Columns - 8; i += 8)
            {
                Vector256<float> v = Vector256.Load(x + i);
                squares = Simd.MultiplyAdd(v, v, squares);
                products = Simd.MultiplyAdd(Vector256.Load(dy + i) * Vector256.Load(Weight + i), v, products);
            }

            double square = VectorMath.Sum(squares), product = VectorMath.Sum(products);
            for (; i < Columns; i++)
            {
                square += x[i] * x[i];
                product += dy[i] * Weight[i] * x[i];
            }

            double scale = 1 / Math.Sqrt((square / Columns) + Epsilon);
            float r = (float)scale, back = (float)(scale * scale * scale * product / Columns);
            for (i = 0; i <= Columns - 8; i += 8)
            {
                Vector256<float> v = Vector256.Load(x + i), d = Vector256.Load(dy + i) * r;
                Simd.MultiplyAdd(d, v, Vector256.Load(partial + i)).Store(partial + i);
                Vector256<float> own = Simd.MultiplyAdd(d, Vector256.Load(Weight + i), Vector256.Load(dx + i));
                (own - (v * back)).Store(dx + i);
            }

            for (; i < Columns; i++)
            {
                float d = dy[i] * r;
                partial[i] += d * x[i];
                dx[i] += (d * Weight[i]) - (x[i] * back);
            }
        }
    }
}

using System.Runtime.Intrinsics;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

public sealed class ElementwiseTests : IDisposable
{
    private readonly ThreadTeam _team = new(1);

    public void Dispose() => _team.Dispose();

    [Fact]
    public void The_vector_exponential_is_within_two_units_in_the_last_place()
    {
        double worst = 0;
        for (float x = -110; x < 92; x += 0.00037f)
            worst = Math.Max(worst, Error(x));
        foreach (float x in new[] { 0f, -0f, 88.72283f, 88.72284f, -87.33655f, -103.9f, -104.1f, 1e-30f, -1e-8f, float.Epsilon })
            worst = Math.Max(worst, Error(x));
        Assert.True(worst < 2, $"{worst} units");

        static double Error(float x)
        {
            float y = Exp(x);
            double exact = Math.Exp(x);
            if (exact > float.MaxValue * (1 + (1.0 / (1 << 25))))
                return float.IsPositiveInfinity(y) ? 0 : double.PositiveInfinity;
            double unit = Math.Max(Math.Pow(2, Math.Floor(Math.Log2(Math.Max(exact, 1e-45)))), Math.Pow(2, -126)) / (1 << 23);
            return Math.Abs(y - exact) / unit;
        }
    }

    [Fact]
    public void The_vector_exponential_of_the_special_values_is_the_usual_one()
    {
        Assert.Equal(0, Exp(float.NegativeInfinity));
        Assert.Equal(0, Exp(-1e30f));
        Assert.Equal(float.PositiveInfinity, Exp(float.PositiveInfinity));
        Assert.Equal(float.PositiveInfinity, Exp(1e30f));
        Assert.True(float.IsNaN(Exp(float.NaN)));
        Assert.Equal(1, Exp(0));
    }

    [Fact]
    public void Softmax_of_every_length_agrees_with_double_precision_inside_the_fence()
    {
        for (int n = 1; n <= 257; n++)
        {
            using var memory = new FencedMemory();
            Tensor x = memory.From(RandomFloats(n, n, 8), 1, n);
            double[] e = [.. x.AsFloats().ToArray().Select(v => Math.Exp(v))];
            Softmax.Run(x.AsFloats());
            for (int i = 0; i < n; i++)
                Assert.Equal(e[i] / e.Sum(), x.AsFloats()[i], 1e-6);
        }
    }

    [Fact]
    public void Softmax_is_stable_masks_minus_infinity_and_shows_NaN()
    {
        float[] large = [3e38f, 3e38f, -3e38f, float.NegativeInfinity];
        Softmax.Run(large);
        Assert.Equal([0.5f, 0.5f, 0, 0], large);

        foreach (float bad in new[] { float.NaN, float.PositiveInfinity })
        {
            for (int at = 0; at < 19; at++)
            {
                var x = new float[19];
                x[at] = bad;
                Softmax.Run(x);
                Assert.All(x, v => Assert.True(float.IsNaN(v)));
            }
        }

        Softmax.Run([]);
    }

    [Fact]
    public void SwiGlu_of_every_length_agrees_with_double_precision_inside_the_fence()
    {
        for (int n = 1; n <= 257; n++)
        {
            using var memory = new FencedMemory();
            Tensor gate = memory.From(RandomFloats(n, n, 20), 1, n), up = memory.From(RandomFloats(n, n + 1, 4), 1, n);
            Tensor y = memory.Zeros(TensorFormat.F32, 1, n);
            Activations.Run(_team, Activation.Silu, gate, up, y);
            for (int i = 0; i < n; i++)
            {
                double g = gate.AsFloats()[i], exact = g / (1 + Math.Exp(-g)) * up.AsFloats()[i];
                Assert.Equal(exact, y.AsFloats()[i], 1e-6 * Math.Max(1, Math.Abs(exact)));
            }
        }
    }

    [Fact]
    public void SwiGlu_handles_the_far_ends()
    {
        Tensor gate = Tensor.From([-1000, 1000, float.NegativeInfinity, float.NaN], 1, 4), up = Tensor.From([1, 1, 1, 1], 1, 4);
        Activations.Run(_team, Activation.Silu, gate, up, gate);
        float[] y = gate.AsFloats().ToArray();
        Assert.Equal([0, 1000], y[..2]);
        Assert.True(float.IsNaN(y[2]) && float.IsNaN(y[3]));   // −∞ · 0 has no value
    }

    [Fact]
    public void Bits_depend_neither_on_the_place_in_the_row_nor_on_threads()
    {
        using var four = new ThreadTeam(4);
        const int Rows = 61, Columns = 1001;
        Tensor gate = Tensor.From(RandomFloats(Rows * Columns, 1, 6), Rows, Columns), up = Tensor.From(RandomFloats(Rows * Columns, 2, 6), Rows, Columns);
        Tensor one = Tensor.Zeros(Rows, Columns), many = Tensor.Zeros(Rows, Columns), moved = Tensor.Zeros(1, Columns);
        Activations.Run(_team, Activation.Silu, gate, up, one);
        Activations.Run(four, Activation.Silu, gate, up, many);
        Assert.Equal(one.AsFloats().ToArray(), many.AsFloats().ToArray());
        for (int r = 0; r < 9; r++)
        {
            Activations.Run(_team, Activation.Silu, gate.Slice(r, 1), up.Slice(r, 1), moved);   // rows begin at every offset within a vector
            Assert.Equal(one.Row(r).ToArray(), moved.AsFloats().ToArray());
        }
    }

    [Fact]
    public void Add_of_every_length_is_the_sum_inside_the_fence()
    {
        for (int n = 1; n <= 257; n++)
        {
            using var memory = new FencedMemory();
            Tensor x = memory.From(RandomFloats(n, n, 2), 1, n), y = memory.From(RandomFloats(n, n + 1, 2), 1, n);
            float[] sum = [.. x.AsFloats().ToArray().Zip(y.AsFloats().ToArray(), (a, b) => a + b)];
            Elementwise.Add(x, y, x);
            Assert.Equal(sum, x.AsFloats().ToArray());
        }
    }

    [Fact]
    public void RmsNorm_of_every_length_agrees_with_double_precision_inside_the_fence()
    {
        for (int n = 1; n <= 257; n++)
        {
            using var memory = new FencedMemory();
            Tensor x = memory.From(RandomFloats(3 * n, n, 10), 3, n), weight = memory.From(RandomFloats(n, n + 1, 2), 1, n);
            Tensor y = memory.Zeros(TensorFormat.F32, 3, n);
            RmsNorm.Run(_team, x, weight, y, 1e-5f);
            for (int t = 0; t < 3; t++)
            {
                double mean = x.Row(t).ToArray().Average(v => (double)v * v);
                for (int i = 0; i < n; i++)
                    Assert.Equal(x.Row(t)[i] / Math.Sqrt(mean + 1e-5f) * weight.Row(0)[i], y.Row(t)[i], 2e-6 * Math.Sqrt(n));
            }

            RmsNorm.Run(_team, x, weight, x, 1e-5f);
            Assert.Equal(y.AsFloats().ToArray(), x.AsFloats().ToArray());
        }
    }

    [Fact]
    public void Embedding_gathers_rows_of_every_format_and_refuses_ids_outside()
    {
        foreach (TensorFormat format in new[] { TensorFormat.F32, TensorFormat.F16, TensorFormat.BF16, TensorFormat.Q8_0, TensorFormat.Q4_0 })
        {
            using var memory = new FencedMemory();
            Tensor weight = memory.Pack(format, RandomFloats(7 * 64, 3, 2), 7, 64), y = memory.Zeros(TensorFormat.F32, 3, 64);
            Embedding.Gather(weight, [6, 0, 6], y);
            var row = new float[64];
            foreach ((int t, int id) in new[] { (0, 6), (1, 0), (2, 6) })
            {
                BlockFormat.Dequantize(format, weight.RowData(id), row);
                Assert.Equal(row, y.Row(t).ToArray());
            }

            foreach (int id in new[] { -1, 7, int.MaxValue, int.MinValue })
                Assert.Contains($"{id}", Assert.Throws<ArgumentException>(() => Embedding.Gather(weight, [0, id, 0], y)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Shapes_that_differ_are_refused()
    {
        Tensor a = Tensor.Zeros(2, 8), b = Tensor.Zeros(8, 2);
        Assert.Throws<ArgumentException>(() => Elementwise.Add(a, b, a));
        Assert.Throws<ArgumentException>(() => Elementwise.Add(a, a, b));
        Assert.Throws<ArgumentException>(() => Activations.Run(_team, Activation.Silu, a, b, a));
        Assert.Throws<ArgumentException>(() => RmsNorm.Run(_team, a, a, a, 1e-5f));
        Assert.Throws<ArgumentException>(() => Embedding.Gather(a, [1], a));
    }

    [Fact]
    public void Kernels_allocate_nothing()
    {
        using var team = new ThreadTeam(2);
        using var table = new RopeTable(64, 32, 10000);
        using var scratch = new Arena(1 << 20);
        Tensor x = Tensor.Zeros(16, 1024), w = Tensor.Zeros(1, 1024), y = Tensor.Zeros(16, 1024), cache = Tensor.Zeros(64, 512);
        int[] ids = [0];
        Tensor one = Tensor.Zeros(1, 1024);
        void Work()
        {
            RmsNorm.Run(team, x, w, y, 1e-5f);
            Activations.Run(team, Activation.Silu, x, x, y);
            Elementwise.Add(x, y, y);
            Rope.Run(team, y, 32, table, 3, RopeLayout.Adjacent);
            Attention.Run(team, x, cache, cache, 5, y, 32, 16, new AttentionRule(0.1f), scratch);
            Embedding.Gather(w, ids, one);
            Softmax.Run(one.AsFloats());
        }

        Assert.Equal(0, Allocations.Of(Work));
    }

    private static float Exp(float x) => Vector256.ToScalar(VectorMath.Exp(Vector256.Create(x)));

    private static float[] RandomFloats(int count, int seed, float range)
    {
        var random = new Random(seed);
        var values = new float[count];
        foreach (ref float value in values.AsSpan())
            value = (random.NextSingle() - 0.5f) * range;
        return values;
    }
}

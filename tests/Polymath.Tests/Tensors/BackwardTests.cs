using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

/// <summary>Each derivative against central differences of its forward, written out here in double.</summary>
public sealed class BackwardTests
{
    [Theory]
    [InlineData(3, 5)]
    [InlineData(70, 24)]
    public void RmsNorm_backward_is_the_derivative(int rows, int columns)
    {
        const float epsilon = 1e-3f;
        Tensor x = Random(rows, columns, 1), weight = Random(1, columns, 2), dy = Random(rows, columns, 3);
        Tensor dx = Random(rows, columns, 4), dWeight = Random(1, columns, 5);
        Tensor dxBefore = Copy(dx), dWeightBefore = Copy(dWeight);
        double Loss(double[] x, double[] weight)
        {
            double loss = 0;
            for (int t = 0; t < rows; t++)
            {
                double square = 0;
                for (int i = 0; i < columns; i++)
                    square += x[(t * columns) + i] * x[(t * columns) + i];
                double r = 1 / Math.Sqrt((square / columns) + epsilon);
                for (int i = 0; i < columns; i++)
                    loss += x[(t * columns) + i] * r * weight[i] * dy.Row(t)[i];
            }

            return loss;
        }

        using var team = new ThreadTeam(2);
        RmsNorm.Backward(team, x, weight, dy, dx, dWeight, epsilon);
        AssertDerivative(v => Loss(v, Doubles(weight)), x, dx, dxBefore);
        AssertDerivative(v => Loss(Doubles(x), v), weight, dWeight, dWeightBefore);
    }

    [Theory]
    [InlineData(RopeLayout.Adjacent, 22, 26)]
    [InlineData(RopeLayout.Adjacent, 64, 64)]
    [InlineData(RopeLayout.Halves, 22, 26)]
    [InlineData(RopeLayout.Halves, 64, 64)]
    public void Rope_over_sequences_is_rope_of_each_and_backward_is_its_transpose(RopeLayout layout, int rotary, int headSize)
    {
        const int sequences = 3, length = 21, heads = 2, start = 4;
        using var team = new ThreadTeam(2);
        using var table = new RopeTable(start + length, rotary, 10000);
        Tensor x = Random(sequences * length, heads * headSize, 1), dy = Random(sequences * length, heads * headSize, 2);
        Tensor y = Copy(x), each = Copy(x), dx = Copy(dy);
        Rope.Run(team, y, headSize, table, start, layout, length);
        for (int sequence = 0; sequence < sequences; sequence++)
            Rope.Run(team, each.Slice(sequence * length, length), headSize, table, start, layout);
        Assert.True(y.AsFloats().SequenceEqual(each.AsFloats()));

        Rope.Backward(team, dx, headSize, table, start, layout, length);
        for (int r = 0; r < x.Rows; r++)
        {
            // <rotate(x), dy> = <x, rotateᵀ(dy)> head by head, and rotating back undoes the rotation.
            for (int head = 0; head < heads; head++)
            {
                double forward = 0, backward = 0;
                for (int i = head * headSize; i < (head + 1) * headSize; i++)
                {
                    forward += (double)y.Row(r)[i] * dy.Row(r)[i];
                    backward += (double)x.Row(r)[i] * dx.Row(r)[i];
                }

                Assert.Equal(forward, backward, 1e-5);
            }
        }

        Rope.Backward(team, y, headSize, table, start, layout, length);
        for (int i = 0; i < x.ElementCount; i++)
            Assert.Equal(x.AsFloats()[i], y.AsFloats()[i], 1e-6);
        Assert.Throws<ArgumentException>(() => Rope.Backward(team, dx, headSize, table, start, layout, length - 1));
        Assert.Throws<ArgumentException>(() => Rope.Backward(team, dx, headSize, table, start + 1, layout, length));
    }

    [Fact]
    public void SwiGlu_backward_is_the_derivative()
    {
        const int rows = 5, columns = 13;
        Tensor gate = Random(rows, columns, 1, 8), up = Random(rows, columns, 2), dy = Random(rows, columns, 3);
        Tensor dGate = Random(rows, columns, 4), dUp = Random(rows, columns, 5);
        double Loss(double[] gate, double[] up)
        {
            double loss = 0;
            for (int i = 0; i < gate.Length; i++)
                loss += gate[i] / (1 + Math.Exp(-gate[i])) * up[i] * dy.AsFloats()[i];
            return loss;
        }

        using var team = new ThreadTeam(2);
        Activations.SiluBackward(team, gate, up, dy, dGate, dUp);
        AssertDerivative(v => Loss(v, Doubles(up)), gate, dGate);
        AssertDerivative(v => Loss(Doubles(gate), v), up, dUp);

        Tensor gateAlias = Copy(gate), upAlias = Copy(up);
        Activations.SiluBackward(team, gateAlias, upAlias, dy, gateAlias, upAlias);
        Assert.True(gateAlias.AsFloats().SequenceEqual(dGate.AsFloats()));
        Assert.True(upAlias.AsFloats().SequenceEqual(dUp.AsFloats()));
    }

    [Fact]
    public void SwiGlu_backward_stays_finite_far_out()
    {
        using var team = new ThreadTeam(1);
        Tensor gate = Tensor.From([-1000, -89, -88, 88, 89, 1000], 1, 6), one = Tensor.From([1, 1, 1, 1, 1, 1], 1, 6);
        Tensor dGate = Tensor.Zeros(1, 6), dUp = Tensor.Zeros(1, 6);
        Activations.SiluBackward(team, gate, one, one, dGate, dUp);
        Assert.Equal([0, 0, 0, 1, 1, 1], dGate.AsFloats().ToArray(), (x, y) => Math.Abs(x - y) < 1e-6);
        Assert.Equal([0, 0, 0, 88, 89, 1000], dUp.AsFloats().ToArray(), (x, y) => Math.Abs(x - y) < 1e-6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(19)]
    public void Causal_softmax_and_its_derivative_are_right_and_the_future_is_never_read(int length)
    {
        const int squares = 3;
        const float scale = 0.7f;
        Tensor scores = Random(squares * length, length, 1, 6), dy = Random(squares * length, length, 2);
        double[] Forward(double[] s)
        {
            var p = new double[s.Length];
            for (int r = 0; r < squares * length; r++)
            {
                double sum = 0;
                for (int u = 0; u <= r % length; u++)
                    sum += p[(r * length) + u] = Math.Exp(scale * s[(r * length) + u]);
                for (int u = 0; u <= r % length; u++)
                    p[(r * length) + u] /= sum;
            }

            return p;
        }

        using var team = new ThreadTeam(2);
        Tensor p = Copy(scores), d = Copy(dy);
        for (int r = 0; r < p.Rows; r++)
        {
            p.Row(r)[((r % length) + 1)..].Fill(float.NaN);
            d.Row(r)[((r % length) + 1)..].Fill(float.NaN);
        }

        CausalSoftmax.Forward(team, p, length, scale);
        double[] expected = Forward(Doubles(scores));
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], p.AsFloats()[i], 1e-6);
        CausalSoftmax.Backward(team, p, d, length, scale);
        AssertDerivative(
            s =>
            {
                double[] q = Forward(s);
                double loss = 0;
                for (int i = 0; i < q.Length; i++)
                    loss += q[i] * dy.AsFloats()[i];
                return loss;
            },
            scores,
            d);
    }

    [Fact]
    public void Cross_entropy_and_its_derivative_are_right_and_negative_targets_ignored()
    {
        const int rows = 6, columns = 29;
        const float factor = 0.25f;
        int[] targets = [3, 0, -1, 28, 7, -100];
        Tensor logits = Random(rows, columns, 1, 5), gradient = Random(rows, columns, 2);
        double[] Losses(double[] x)
        {
            var losses = new double[rows];
            for (int t = 0; t < rows; t++)
            {
                double sum = 0;
                for (int i = 0; i < columns; i++)
                    sum += Math.Exp(x[(t * columns) + i]);
                losses[t] = targets[t] < 0 ? 0 : Math.Log(sum) - x[(t * columns) + targets[t]];
            }

            return losses;
        }

        using var team = new ThreadTeam(2);
        var losses = new float[rows];
        CrossEntropy.Run(team, logits, targets, gradient, losses, factor);
        double[] expected = Losses(Doubles(logits));
        for (int t = 0; t < rows; t++)
            Assert.Equal(expected[t], losses[t], 1e-5);
        AssertDerivative(x => factor * Losses(x).Sum(), logits, gradient);

        var again = new float[rows];
        CrossEntropy.Run(team, logits, targets, default, again, factor);
        Assert.Equal(losses, again);
        Tensor inPlace = Copy(logits);
        CrossEntropy.Run(team, inPlace, targets, inPlace, again, factor);
        Assert.True(inPlace.AsFloats().SequenceEqual(gradient.AsFloats()));
        Assert.Equal(losses, again);
    }

    [Fact]
    public void Cross_entropy_is_stable_for_large_logits()
    {
        using var team = new ThreadTeam(1);
        Tensor logits = Tensor.From([1e4f, -1e4f, 1e4f, 3e38f, -3e38f, 0], 2, 3), gradient = Tensor.Zeros(2, 3);
        var losses = new float[2];
        CrossEntropy.Run(team, logits, [0, 0], gradient, losses, 1);
        Assert.Equal(Math.Log(2), losses[0], 1e-6);
        Assert.Equal(0, losses[1], 1e-6);
        Assert.Equal([-0.5f, 0, 0.5f, 0, 0, 0], gradient.AsFloats().ToArray());
    }

    [Fact]
    public void Embedding_backward_adds_each_row_to_its_token()
    {
        const int vocabulary = 11, width = 77;
        int[] ids = [3, 3, 0, 10, -1, 3];
        using var team = new ThreadTeam(3);
        Tensor table = Random(vocabulary, width, 1), before = Copy(table), dy = Random(ids.Length, width, 2);
        Embedding.Backward(team, table, ids, dy);
        for (int id = 0; id < vocabulary; id++)
        {
            for (int i = 0; i < width; i++)
            {
                double expected = before.Row(id)[i];
                for (int t = 0; t < ids.Length; t++)
                    expected += ids[t] == id ? dy.Row(t)[i] : 0;
                Assert.Equal(expected, table.Row(id)[i], 1e-6);
            }
        }
    }

    [Fact]
    public void AdamW_follows_its_definition_step_after_step()
    {
        const double rate = 1e-2, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8, decay = 0.1, scale = 0.5;
        const int count = 37;
        using var team = new ThreadTeam(2);
        Tensor p = Random(1, count, 1), m = Tensor.Zeros(1, count), v = Tensor.Zeros(1, count);
        double[] q = Doubles(p), first = new double[count], second = new double[count];
        for (int step = 1; step <= 20; step++)
        {
            Tensor gradient = Random(1, count, 10 + step);
            AdamW.Step(
                team, p, gradient, m, v, (float)rate, (float)beta1, (float)beta2, (float)epsilon, (float)decay, step, (float)scale);
            for (int i = 0; i < count; i++)
            {
                double g = scale * gradient.AsFloats()[i];
                first[i] = (beta1 * first[i]) + ((1 - beta1) * g);
                second[i] = (beta2 * second[i]) + ((1 - beta2) * g * g);
                double mean = first[i] / (1 - Math.Pow(beta1, step)), square = second[i] / (1 - Math.Pow(beta2, step));
                q[i] -= rate * ((mean / (Math.Sqrt(square) + epsilon)) + (decay * q[i]));
            }
        }

        for (int i = 0; i < count; i++)
            Assert.Equal(q[i], p.AsFloats()[i], 2e-6);
    }

    [Fact]
    public void Sum_of_squares_agrees_with_double()
    {
        using var team = new ThreadTeam(2);
        foreach (int count in (int[])[0, 1, 7, 8, 65_535, 65_536, 65_537, 200_003])
        {
            Tensor x = Random(1, count, count);
            double expected = 0;
            foreach (float value in x.AsFloats())
                expected += (double)value * value;
            Assert.Equal(expected, Elementwise.SumOfSquares(team, x), expected * 1e-12);
        }
    }

    [Fact]
    public void Results_do_not_depend_on_threads()
    {
        const int length = 50, rows = 6 * length, columns = length;
        float[]? first = null;
        for (int threads = 1; threads <= 3; threads++)
        {
            using var team = new ThreadTeam(threads);
            Tensor x = Random(rows, columns, 1), weight = Random(1, columns, 2), dy = Random(rows, columns, 3);
            Tensor dx = Tensor.Zeros(rows, columns), dWeight = Tensor.Zeros(1, columns), table = Tensor.Zeros(9, columns);
            Tensor dGate = Tensor.Zeros(rows, columns), dUp = Tensor.Zeros(rows, columns), soft = Copy(x), dSoft = Copy(dy);
            int[] ids = Enumerable.Range(0, rows).Select(t => t * t % 9).ToArray();
            var losses = new float[rows];
            RmsNorm.Backward(team, x, weight, dy, dx, dWeight, 1e-5f);
            Activations.SiluBackward(team, x, dx, dy, dGate, dUp);
            CausalSoftmax.Forward(team, soft, length, 0.3f);
            CausalSoftmax.Backward(team, soft, dSoft, length, 0.3f);
            CrossEntropy.Run(team, x, ids, dy, losses, 0.1f);
            Embedding.Backward(team, table, ids, x);
            AdamW.Step(team, x, dx, dGate, Copy(soft), 0.01f, 0.9f, 0.95f, 1e-8f, 0.1f, 3, 0.7f);
            float[] all =
            [
                .. x.AsFloats(), .. dx.AsFloats(), .. dWeight.AsFloats(), .. table.AsFloats(), .. dGate.AsFloats(), .. dUp.AsFloats(),
                .. soft.AsFloats(), .. dSoft.AsFloats(), .. dy.AsFloats(), .. losses,
                .. BitConverter.GetBytes(Elementwise.SumOfSquares(team, Random(300, 1000, 4))).Select(b => (float)b),
            ];
            Assert.DoesNotContain(float.NaN, all);
            first ??= all;
            Assert.True(first.AsSpan().SequenceEqual(all));
        }
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        const int length = 16, rows = 64;
        using var team = new ThreadTeam(2);
        using var angles = new RopeTable(32, length, 10000);
        Tensor x = Random(rows, length, 1), weight = Random(1, length, 2), dy = Random(rows, length, 3), dx = Copy(x);
        Tensor dWeight = Tensor.Zeros(1, length), other = Copy(x), table = Tensor.Zeros(9, length);
        int[] ids = new int[rows];
        var losses = new float[rows];
        void Work()
        {
            RmsNorm.Backward(team, x, weight, dy, dx, dWeight, 1e-5f);
            Activations.SiluBackward(team, x, dx, dy, dx, other);
            CausalSoftmax.Forward(team, other, length, 0.3f);
            CausalSoftmax.Backward(team, other, dy, length, 0.3f);
            CrossEntropy.Run(team, x, ids, dy, losses, 0.1f);
            Embedding.Backward(team, table, ids, x);
            AdamW.Step(team, x, dx, dy, other, 0.01f, 0.9f, 0.95f, 1e-8f, 0.1f, 3, 0.7f);
            Elementwise.SumOfSquares(team, x);
            Rope.Backward(team, dx, length, angles, 0, RopeLayout.Adjacent, 32);
        }

        Assert.Equal(0, Allocations.Of(Work));
    }

    [Fact]
    public void Wrong_shapes_and_ids_are_refused()
    {
        using var team = new ThreadTeam(1);
        Tensor x = Tensor.Zeros(4, 6), other = Tensor.Zeros(4, 5), weight = Tensor.Zeros(1, 6);
        Assert.Throws<ArgumentException>(() => RmsNorm.Backward(team, x, weight, other, x, weight, 1));
        Assert.Throws<ArgumentException>(() => RmsNorm.Backward(team, x, other, x, x, weight, 1));
        Assert.Throws<ArgumentException>(() => Activations.SiluBackward(team, x, other, x, x, x));
        Assert.Throws<ArgumentException>(() => CausalSoftmax.Forward(team, x, 4, 1));
        Assert.Throws<ArgumentException>(() => CausalSoftmax.Forward(team, x, 6, 1));
        Assert.Throws<ArgumentException>(() => CrossEntropy.Run(team, x, [0, 1, 6, 0], default, new float[4], 1));
        Assert.Throws<ArgumentException>(() => CrossEntropy.Run(team, x, [0, 1, 2], default, new float[4], 1));
        Assert.Throws<ArgumentException>(() => Embedding.Backward(team, x, [0, 4], Tensor.Zeros(2, 6)));
        Assert.Throws<ArgumentException>(() => AdamW.Step(team, x, x, x, other, 1, 0.9f, 0.9f, 1, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => AdamW.Step(team, x, x, x, x, 1, 0.9f, 0.9f, 1, 0, 0));
    }

    private static Tensor Random(int rows, int columns, int seed, float range = 1)
    {
        var random = new Random(seed);
        Tensor tensor = Tensor.Zeros(rows, columns);
        foreach (ref float x in tensor.AsFloats())
            x = ((random.NextSingle() * 2) - 1) * range;
        return tensor;
    }

    private static Tensor Copy(Tensor x) => Tensor.From(x.AsFloats(), x.Rows, x.Columns);

    private static double[] Doubles(Tensor x)
    {
        var values = new double[x.ElementCount];
        for (int i = 0; i < values.Length; i++)
            values[i] = x.AsFloats()[i];
        return values;
    }

    /// <summary>The gradient, less what it held before, is the derivative of the loss at x within 1e-5 of its largest element.</summary>
    private static void AssertDerivative(Func<double[], double> loss, Tensor x, Tensor gradient, Tensor before = default)
    {
        const double h = 1e-5;
        double[] point = Doubles(x), actual = Doubles(gradient), expected = new double[point.Length];
        for (int i = 0; i < point.Length; i++)
        {
            double value = point[i];
            point[i] = value + h;
            double above = loss(point);
            point[i] = value - h;
            expected[i] = (above - loss(point)) / (2 * h);
            point[i] = value;
            actual[i] -= before.IsEmpty ? 0 : before.AsFloats()[i];
        }

        double largest = expected.Max(Math.Abs) + 1e-3;
        for (int i = 0; i < point.Length; i++)
            Assert.Equal(expected[i] / largest, actual[i] / largest, 1e-5);
    }
}

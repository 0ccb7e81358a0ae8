using CsCheck;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

public abstract class GemmContract
{
    protected abstract void Run(
        ThreadTeam team, Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate, float alpha);

    protected abstract void RunBatch(
        ThreadTeam team, GemmView a, bool transposeA, GemmView b, bool transposeB, GemmView c,
        bool accumulate, float alpha, GemmTriangle triangle);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Small_sizes_agree_with_sums_in_double(bool transposeA, bool transposeB)
    {
        using var team = new ThreadTeam(2);
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[0, 40], Gen.Bool, Gen.Float[-3, 3])
            .Sample((m, n, k, accumulate, alpha) => Check(team, m, n, k, transposeA, transposeB, accumulate, alpha), iter: 300, threads: 1);
    }

    [Theory]
    [InlineData(95, 511, 319)]
    [InlineData(96, 512, 320)]
    [InlineData(97, 513, 321)]
    [InlineData(12, 4128, 5)]
    [InlineData(4100, 3, 7)]
    [InlineData(61, 47, 1283)]
    [InlineData(1, 1, 2000)]
    public void Sizes_around_the_blocks_agree_with_sums_in_double(int m, int n, int k)
    {
        using var team = new ThreadTeam(2);
        for (int form = 0; form < 4; form++)
            Check(team, m, n, k, (form & 1) != 0, (form & 2) != 0, accumulate: form == 1, alpha: form == 2 ? 0.5f : 1);
    }

    [Theory]
    [InlineData(4100, 4130, 2)]     // more rows and columns than are packed at once
    [InlineData(3, 5, 300_000)]     // more steps than are packed at once
    [InlineData(500, 33, 7000)]     // likewise, with rows left over
    public void Products_of_small_integers_are_exact_at_any_size(int m, int n, int k)
    {
        using var team = new ThreadTeam(2);
        Tensor a = Tensor.Zeros(m, k), b = Tensor.Zeros(k, n), c = Tensor.Zeros(m, n);
        for (int i = 0; i < m; i++)
            a.Row(i).Fill(1 + (i % 5));
        for (int l = 0; l < k; l++)
        {
            for (int j = 0; j < n; j++)
                b.Row(l)[j] = 1 + (j % 7);
        }

        Run(team, a, false, b, false, c, false, 1);
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                if (c.Row(i)[j] != (1 + (i % 5)) * (1 + (j % 7)) * k)
                    Assert.Fail($"({i}, {j}): {c.Row(i)[j]}");
            }
        }
    }

    [Fact]
    public void Results_do_not_depend_on_threads()
    {
        const int m = 203, n = 1101, k = 700;
        Tensor a = Random(m, k, 1), b = Random(k, n, 2);
        float[]? first = null;
        for (int threads = 1; threads <= 3; threads++)
        {
            using var team = new ThreadTeam(threads);
            Tensor c = Random(m, n, 3);
            Run(team, a, false, b, false, c, true, 1);
            first ??= c.AsFloats().ToArray();
            Assert.True(c.AsFloats().SequenceEqual(first));
        }
    }

    [Fact]
    public void An_element_does_not_depend_on_the_rows_and_columns_around_it()
    {
        using var team = new ThreadTeam(1);
        const int k = 333;
        Tensor a = Random(50, k, 1), b = Random(70, k, 2), whole = Tensor.Zeros(50, 70);
        Run(team, a, false, b, true, whole, false, 1.5f);
        for (int row = 0; row < 50; row += 7)
        {
            for (int column = 0; column < 70; column += 9)
            {
                Tensor one = Tensor.Zeros(1, 1);
                Run(team, a.Slice(row, 1), false, b.Slice(column, 1), true, one, false, 1.5f);
                Assert.Equal(whole.Row(row)[column], one.Row(0)[0]);
            }
        }
    }

    [Fact]
    public void Attention_products_of_heads_agree_with_sums_in_double()
    {
        const int sequences = 2, length = 19, heads = 3, group = 2, size = 10;
        using var team = new ThreadTeam(2);
        Tensor q = Random(sequences * length, heads * group * size, 1), keys = Random(sequences * length, heads * size, 2);
        Tensor s = Tensor.Zeros(sequences * heads * group * length, length);
        RunBatch(
            team, GemmView.OfHeads(q, sequences, heads * group), false, GemmView.OfHeads(keys, sequences, heads, group), true,
            GemmView.OfScores(s, sequences, heads * group), false, 0.5f, GemmTriangle.None);
        Tensor dKeys = Random(sequences * length, heads * size, 3), before = Tensor.From(dKeys.AsFloats(), dKeys.Rows, dKeys.Columns);
        RunBatch(
            team, GemmView.OfScores(s, sequences, heads * group), true, GemmView.OfHeads(q, sequences, heads * group), false,
            GemmView.OfHeads(dKeys, sequences, heads, group), true, 2f, GemmTriangle.None);

        for (int sequence = 0; sequence < sequences; sequence++)
        {
            for (int head = 0; head < heads * group; head++)
            {
                for (int t = 0; t < length; t++)
                {
                    for (int u = 0; u < length; u++)
                    {
                        double sum = 0;
                        for (int i = 0; i < size; i++)
                            sum += (double)q.Row((sequence * length) + t)[(head * size) + i] * keys.Row((sequence * length) + u)[(head / group * size) + i];
                        Assert.Equal(0.5 * sum, s.Row((((sequence * heads * group) + head) * length) + t)[u], 1e-5);
                    }
                }
            }

            for (int head = 0; head < heads; head++)
            {
                for (int u = 0; u < length; u++)
                {
                    for (int i = 0; i < size; i++)
                    {
                        double sum = 0;
                        for (int t = 0; t < group * length; t++)
                        {
                            int h = (head * group) + (t / length);
                            sum += (double)s.Row((((sequence * heads * group) + h) * length) + (t % length))[u]
                                * q.Row((sequence * length) + (t % length))[(h * size) + i];
                        }

                        int row = (sequence * length) + u, column = (head * size) + i;
                        Assert.Equal(before.Row(row)[column] + (2 * sum), dKeys.Row(row)[column], 1e-4);
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(64)]
    [InlineData(389)]
    public void Skipping_a_triangle_changes_no_wanted_bit(int length)
    {
        const int size = 17;
        using var team = new ThreadTeam(2);
        Tensor lower = Random(length, length, 1), x = Random(length, size, 2), y = Random(length, size, 3);
        for (int t = 0; t < length; t++)
            lower.Row(t)[(t + 1)..].Clear();
        foreach ((bool transpose, GemmTriangle triangle) in new[] { (false, GemmTriangle.LowerA), (true, GemmTriangle.UpperA) })
        {
            Tensor full = Tensor.Zeros(length, size), skipped = Tensor.Zeros(length, size);
            RunBatch(team, Whole(lower), transpose, Whole(x), false, Whole(full), false, 1, GemmTriangle.None);
            RunBatch(team, Whole(lower), transpose, Whole(x), false, Whole(skipped), false, 1, triangle);
            Assert.True(full.AsFloats().SequenceEqual(skipped.AsFloats()));
        }

        Tensor all = Tensor.Zeros(length, length), part = Tensor.Zeros(length, length);
        RunBatch(team, Whole(x), false, Whole(y), true, Whole(all), false, 1, GemmTriangle.None);
        RunBatch(team, Whole(x), false, Whole(y), true, Whole(part), false, 1, GemmTriangle.LowerC);
        for (int t = 0; t < length; t++)
            Assert.True(all.Row(t)[..(t + 1)].SequenceEqual(part.Row(t)[..(t + 1)]));
    }

    [Fact]
    public void Memory_around_the_result_is_not_touched()
    {
        using var team = new ThreadTeam(1);
        const int m = 23, n = 29, k = 31, stride = 41;
        Tensor a = Random(m, k, 1), b = Random(k, n, 2), c = Tensor.Zeros(m + 2, stride);
        c.AsFloats().Fill(7);
        RunBatch(
            team, Whole(a), false, Whole(b), false, new GemmView(c, stride + 3, m, n, stride), false, 1, GemmTriangle.None);
        for (int i = 0; i < c.Rows; i++)
        {
            for (int j = 0; j < stride; j++)
                Assert.Equal(i >= 1 && i <= m && j >= 3 && j < n + 3, c.Row(i)[j] != 7);
        }
    }

    [Fact]
    public void A_product_allocates_nothing()
    {
        using var team = new ThreadTeam(2);
        Tensor a = Random(100, 200, 1), b = Random(200, 100, 2), c = Tensor.Zeros(100, 100);
        void Work()
        {
            Run(team, a, false, b, false, c, false, 1);
            RunBatch(team, Whole(a), false, Whole(b), false, Whole(c), false, 1, GemmTriangle.None);
        }

        Assert.Equal(0, Allocations.Of(Work));
    }

    internal static Tensor Random(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        Tensor tensor = Tensor.Zeros(rows, columns);
        foreach (ref float x in tensor.AsFloats())
            x = (random.NextSingle() * 2) - 1;
        return tensor;
    }

    private static GemmView Whole(Tensor x) => new(x, 0, x.Rows, x.Columns, x.Columns);

    private void Check(ThreadTeam team, int m, int n, int k, bool transposeA, bool transposeB, bool accumulate, float alpha)
    {
        Tensor a = transposeA ? Random(k, m, m) : Random(m, k, m), b = transposeB ? Random(n, k, n + 1) : Random(k, n, n + 1);
        Tensor c = Random(m, n, 5), before = Tensor.From(c.AsFloats(), m, n);
        Run(team, a, transposeA, b, transposeB, c, accumulate, alpha);
        Span<float> left = a.AsFloats(), right = b.AsFloats();
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = 0, size = 0;
                for (int l = 0; l < k; l++)
                {
                    double term = (double)left[transposeA ? (l * m) + i : (i * k) + l] * right[transposeB ? (j * k) + l : (l * n) + j];
                    sum += term;
                    size += Math.Abs(term);
                }

                double expected = (alpha * sum) + (accumulate ? before.Row(i)[j] : 0);
                // A chain of roundings for each part of K and one over the parts; above what occurs.
                double bound = 6e-8 * ((Math.Abs(alpha) * size * (Math.Min(k, 400) + (k / 100) + 2)) + 2);
                if (!(Math.Abs(expected - c.Row(i)[j]) <= bound))
                    Assert.Fail($"[{m}, {k}]·[{k}, {n}] at ({i}, {j}): {c.Row(i)[j]}, expected {expected} ± {bound}");
            }
        }
    }
}

public sealed class GemmScalarTests : GemmContract
{
    protected override void Run(
        ThreadTeam team, Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate, float alpha)
        => Gemm.Run<GemmScalar>(team, a, transposeA, b, transposeB, c, accumulate, alpha);

    protected override void RunBatch(
        ThreadTeam team, GemmView a, bool transposeA, GemmView b, bool transposeB, GemmView c,
        bool accumulate, float alpha, GemmTriangle triangle)
        => Gemm.RunBatch<GemmScalar>(team, a, transposeA, b, transposeB, c, accumulate, alpha, triangle);
}

public sealed class GemmAvx2Tests : GemmContract
{
    protected override void Run(
        ThreadTeam team, Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate, float alpha)
        => Gemm.Run<GemmAvx2>(team, a, transposeA, b, transposeB, c, accumulate, alpha);

    protected override void RunBatch(
        ThreadTeam team, GemmView a, bool transposeA, GemmView b, bool transposeB, GemmView c,
        bool accumulate, float alpha, GemmTriangle triangle)
        => Gemm.RunBatch<GemmAvx2>(team, a, transposeA, b, transposeB, c, accumulate, alpha, triangle);
}

public sealed class GemmAvx512Tests : GemmContract
{
    protected override void Run(
        ThreadTeam team, Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate, float alpha)
        => Gemm.Run<GemmAvx512>(team, a, transposeA, b, transposeB, c, accumulate, alpha);

    protected override void RunBatch(
        ThreadTeam team, GemmView a, bool transposeA, GemmView b, bool transposeB, GemmView c,
        bool accumulate, float alpha, GemmTriangle triangle)
        => Gemm.RunBatch<GemmAvx512>(team, a, transposeA, b, transposeB, c, accumulate, alpha, triangle);
}

public sealed class GemmAdvSimdTests : GemmContract
{
    protected override void Run(
        ThreadTeam team, Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate, float alpha)
        => Gemm.Run<GemmAdvSimd>(team, a, transposeA, b, transposeB, c, accumulate, alpha);

    protected override void RunBatch(
        ThreadTeam team, GemmView a, bool transposeA, GemmView b, bool transposeB, GemmView c,
        bool accumulate, float alpha, GemmTriangle triangle)
        => Gemm.RunBatch<GemmAdvSimd>(team, a, transposeA, b, transposeB, c, accumulate, alpha, triangle);
}

public sealed class GemmTests
{
    [Fact]
    public void Shapes_that_do_not_fit_are_refused_by_name()
    {
        using var team = new ThreadTeam(1);
        Tensor a = Tensor.Zeros(2, 3), b = Tensor.Zeros(4, 5), c = Tensor.Zeros(2, 5);
        var error = Assert.Throws<ArgumentException>(() => Gemm.Run(team, a, false, b, true, c));
        Assert.Contains("Gemm: F32 [2, 3] times F32 [4, 5] transposed does not give F32 [2, 5]", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Gemm.Run(team, a, false, Tensor.Zeros(3, 5), false, Tensor.Zeros(5, 2)));
        Assert.Throws<InvalidOperationException>(() => Gemm.Run(team, a, false, Tensor.Zeros(TensorFormat.F16, 3, 5), false, c));
    }

    [Fact]
    public void A_view_outside_its_tensor_is_refused()
    {
        Tensor x = Tensor.Zeros(6, 8);
        _ = new GemmView(x, 4, 3, 4, 8, outer: 2, outerStride: 24);
        Assert.Throws<ArgumentException>(() => new GemmView(x, 5, 3, 4, 8, outer: 2, outerStride: 24));
        Assert.Throws<ArgumentException>(() => new GemmView(x, 4, 3, 4, 8, outer: 2, outerStride: 25));
        Assert.Throws<ArgumentException>(() => new GemmView(x, long.MaxValue, 3, 4, long.MaxValue, outer: int.MaxValue, outerStride: long.MaxValue));
        Assert.Throws<ArgumentException>(() => GemmView.OfHeads(x, 4, 2));
        Assert.Throws<ArgumentException>(() => GemmView.OfHeads(x, 2, 3));
        Assert.Throws<ArgumentException>(() => GemmView.OfScores(x, 2, 2));
    }
}

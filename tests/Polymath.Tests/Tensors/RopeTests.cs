using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

public sealed class RopeTests : IDisposable
{
    private readonly ThreadTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Theory]
    [InlineData(RopeLayout.Adjacent, 2, 2)]
    [InlineData(RopeLayout.Adjacent, 8, 8)]
    [InlineData(RopeLayout.Adjacent, 26, 22)]
    [InlineData(RopeLayout.Adjacent, 64, 32)]
    [InlineData(RopeLayout.Halves, 2, 2)]
    [InlineData(RopeLayout.Halves, 8, 8)]
    [InlineData(RopeLayout.Halves, 46, 38)]
    [InlineData(RopeLayout.Halves, 64, 32)]
    public void Each_pair_turns_by_its_angle_and_the_rest_stays(RopeLayout layout, int headSize, int rotary)
    {
        const int Rows = 5, Heads = 3, Start = 1000;
        float[] factors = [.. Enumerable.Range(0, rotary / 2).Select(i => 1 + (0.1f * i))];
        using var table = new RopeTable(Start + Rows, rotary, 10000, 0.5f, factors);
        using var memory = new FencedMemory();
        float[] values = [.. Enumerable.Range(0, Rows * Heads * headSize).Select(i => MathF.Sin(i) * 3)];
        Tensor x = memory.From(values, Rows, Heads * headSize);
        Rope.Run(_team, x, headSize, table, Start, layout);
        for (int t = 0; t < Rows; t++)
        {
            for (int head = 0; head < Heads; head++)
            {
                int at = (t * Heads * headSize) + (head * headSize);
                for (int i = 0; i < rotary / 2; i++)
                {
                    double angle = (Start + t) * 0.5 * Math.Pow(10000, -2.0 * i / rotary) / factors[i];
                    int p = layout == RopeLayout.Adjacent ? at + (2 * i) : at + i;
                    int q = layout == RopeLayout.Adjacent ? p + 1 : p + (rotary / 2);
                    Assert.Equal((values[p] * Math.Cos(angle)) - (values[q] * Math.Sin(angle)), x.AsFloats()[p], 2e-6);
                    Assert.Equal((values[p] * Math.Sin(angle)) + (values[q] * Math.Cos(angle)), x.AsFloats()[q], 2e-6);
                }

                for (int i = rotary; i < headSize; i++)
                    Assert.Equal(values[at + i], x.AsFloats()[at + i]);
            }
        }
    }

    [Theory]
    [InlineData(RopeLayout.Adjacent)]
    [InlineData(RopeLayout.Halves)]
    public void Scores_depend_on_the_distance_alone(RopeLayout layout)
    {
        using var table = new RopeTable(400, 16, 10000);
        double reference = Score(table, layout, 7, 0);
        foreach (int shift in new[] { 1, 50, 300 })
            Assert.Equal(reference, Score(table, layout, 7 + shift, shift), 1e-4);
        Assert.NotEqual(reference, Score(table, layout, 8, 0), 1e-3);
    }

    [Fact]
    public void Position_zero_changes_nothing()
    {
        using var table = new RopeTable(1, 8, 10000);
        Tensor x = Tensor.From([1, 2, 3, 4, 5, 6, 7, 8], 1, 8);
        Rope.Run(_team, x, 8, table, 0, RopeLayout.Adjacent);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], x.AsFloats().ToArray());
    }

    [Fact]
    public void Positions_and_sizes_outside_the_table_are_refused()
    {
        using var table = new RopeTable(10, 8, 10000);
        Tensor x = Tensor.Zeros(2, 16);
        Assert.Throws<ArgumentException>(() => Rope.Run(_team, x, 8, table, 9, RopeLayout.Halves));
        Assert.Throws<ArgumentException>(() => Rope.Run(_team, x, 8, table, -1, RopeLayout.Halves));
        Assert.Throws<ArgumentException>(() => Rope.Run(_team, x, 8, table, int.MaxValue, RopeLayout.Halves));
        Assert.Throws<ArgumentException>(() => Rope.Run(_team, x, 5, table, 0, RopeLayout.Halves));
        Assert.Throws<ArgumentException>(() => Rope.Run(_team, x, 4, table, 0, RopeLayout.Halves));
        Rope.Run(_team, x, 8, table, 8, RopeLayout.Halves);
        Assert.Throws<ArgumentException>(() => new RopeTable(10, 7, 10000));
        Assert.Throws<ArgumentException>(() => new RopeTable(10, 8, float.NaN));
        Assert.Throws<ArgumentException>(() => new RopeTable(10, 8, 10000, 1, [1, 2]));
    }

    private double Score(RopeTable table, RopeLayout layout, int m, int n)
    {
        Tensor q = Tensor.From([.. Enumerable.Range(0, 16).Select(i => MathF.Cos(i))], 1, 16);
        Tensor k = Tensor.From([.. Enumerable.Range(0, 16).Select(i => MathF.Sin(3 * i))], 1, 16);
        Rope.Run(_team, q, 16, table, m, layout);
        Rope.Run(_team, k, 16, table, n, layout);
        return q.AsFloats().ToArray().Zip(k.AsFloats().ToArray(), (a, b) => (double)a * b).Sum();
    }
}

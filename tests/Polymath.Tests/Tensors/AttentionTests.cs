using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

public sealed class AttentionTests : IDisposable
{
    private readonly ThreadTeam _team = new(1);
    private readonly Arena _scratch = new(1 << 20);

    public void Dispose()
    {
        _team.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData(1, 0, 1, 1, 8)]
    [InlineData(1, 63, 4, 2, 64)]
    [InlineData(1, 64, 4, 4, 32)]
    [InlineData(1, 300, 6, 2, 40)]
    [InlineData(5, 0, 4, 1, 5)]
    [InlineData(17, 0, 2, 2, 1)]
    [InlineData(33, 130, 6, 3, 20)]
    [InlineData(70, 10, 2, 1, 48)]
    public void It_agrees_with_double_precision_inside_the_fence(int tokens, int position, int heads, int keyValueHeads, int size)
    {
        using var memory = new FencedMemory();
        (Tensor q, Tensor keys, Tensor values) = Random(memory, tokens, position, heads, keyValueHeads, size);
        Tensor y = memory.Zeros(TensorFormat.F32, tokens, heads * size);
        y.AsFloats().Fill(float.NaN);
        float scale = 1 / MathF.Sqrt(size);
        Attention.Run(_team, q, keys, values, position, y, heads, keyValueHeads, new AttentionRule(scale), _scratch);
        for (int t = 0; t < tokens; t++)
        {
            for (int h = 0; h < heads; h++)
            {
                double[] expected = Exact(q, keys, values, t, position + t + 1, h, h / (heads / keyValueHeads), size, scale);
                for (int i = 0; i < size; i++)
                    Assert.Equal(expected[i], y.Row(t)[(h * size) + i], 4e-6);
            }
        }

        Assert.Equal(0, _scratch.Mark);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(40, 0)]
    [InlineData(40, 1)]
    [InlineData(70, 7)]
    [InlineData(150, 64)]
    [InlineData(33, 1000)]
    public void Both_ways_a_token_sees_half_the_window_on_either_side(int tokens, int window)
    {
        const int Heads = 4, KeyValueHeads = 2, Size = 12;
        using var memory = new FencedMemory();
        (Tensor q, Tensor keys, Tensor values) = Random(memory, tokens, 0, Heads, KeyValueHeads, Size);
        Tensor y = memory.Zeros(TensorFormat.F32, tokens, Heads * Size);
        var rule = new AttentionRule(0.3f) { Bidirectional = true, Window = window };
        Attention.Run(_team, q, keys, values, 0, y, Heads, KeyValueHeads, rule, _scratch);
        for (int t = 0; t < tokens; t++)
        {
            int first = window == 0 ? 0 : Math.Max(0, t - (window / 2)), end = window == 0 ? tokens : Math.Min(tokens, t + (window / 2) + 1);
            for (int h = 0; h < Heads; h++)
            {
                double[] expected = Exact(
                    q.Slice(t, 1), keys.Slice(first, end - first), values.Slice(first, end - first), 0, end - first, h, h / 2, Size, 0.3f);
                for (int i = 0; i < Size; i++)
                    Assert.Equal(expected[i], y.Row(t)[(h * Size) + i], 4e-6);
            }
        }
    }

    [Fact]
    public void The_bits_depend_neither_on_threads_nor_on_the_split_of_the_prompt()
    {
        const int Tokens = 150, Heads = 6, KeyValueHeads = 2, Size = 24;
        using var memory = new FencedMemory();
        using var four = new ThreadTeam(4);
        (Tensor q, Tensor keys, Tensor values) = Random(memory, Tokens, 0, Heads, KeyValueHeads, Size);
        Tensor whole = Tensor.Zeros(Tokens, Heads * Size), other = Tensor.Zeros(Tokens, Heads * Size);
        Attention.Run(_team, q, keys, values, 0, whole, Heads, KeyValueHeads, new AttentionRule(0.2f), _scratch);
        foreach (int size in new[] { 1, 7, 64, 149, 150 })
        {
            other.AsFloats().Fill(float.NaN);
            for (int start = 0; start < Tokens; start += size)
            {
                int count = Math.Min(size, Tokens - start);
                Attention.Run(four, q.Slice(start, count), keys, values, start, other.Slice(start, count), Heads, KeyValueHeads, new AttentionRule(0.2f), _scratch);
            }

            Assert.Equal(whole.AsFloats().ToArray(), other.AsFloats().ToArray());
        }
    }

    [Fact]
    public void Cache_rows_after_the_last_token_are_never_read()
    {
        Tensor q = Tensor.Zeros(3, 16), cache = Tensor.Zeros(40, 16), y = Tensor.Zeros(3, 16);
        q.AsFloats().Fill(1);
        cache.AsFloats().Fill(float.NaN);
        cache.Slice(0, 12).AsFloats().Fill(0.5f);
        Attention.Run(_team, q, cache, cache, 9, y, 2, 2, new AttentionRule(1), _scratch);
        Assert.All(y.AsFloats().ToArray(), v => Assert.Equal(0.5f, v, 1e-6f));
        Attention.Run(_team, q, cache, cache, 10, y, 2, 2, new AttentionRule(1), _scratch);
        Assert.All(y.Row(1).ToArray(), v => Assert.Equal(0.5f, v, 1e-6f));
        Assert.All(y.Row(2).ToArray(), v => Assert.True(float.IsNaN(v)));
    }

    [Fact]
    public void Huge_scores_do_not_overflow_and_the_largest_wins()
    {
        Tensor q = Tensor.Zeros(1, 8), keys = Tensor.Zeros(200, 8), values = Tensor.Zeros(200, 8), y = Tensor.Zeros(1, 8);
        q.AsFloats().Fill(1e18f);
        for (int c = 0; c < 200; c++)
        {
            keys.Row(c).Fill(c == 77 ? 2e18f : -c * 1e15f);
            values.Row(c).Fill(c);
        }

        Attention.Run(_team, q, keys, values, 199, y, 1, 1, new AttentionRule(1), _scratch);
        Assert.All(y.AsFloats().ToArray(), v => Assert.Equal(77, v));
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        Tensor q = Tensor.Zeros(2, 12), cache = Tensor.Zeros(4, 6);
        void Run(Tensor q, Tensor keys, Tensor values, int position, Tensor y, int heads, int keyValueHeads) =>
            Attention.Run(_team, q, keys, values, position, y, heads, keyValueHeads, new AttentionRule(1), _scratch);

        Run(q, cache, cache, 2, q, 4, 2);
        Assert.Throws<ArgumentException>(() => Run(q, cache, cache, 3, q, 4, 2));
        Assert.Throws<ArgumentException>(() => Run(q, cache, cache, -1, q, 4, 2));
        Assert.Throws<ArgumentException>(() => Run(q, cache, cache, 0, q, 4, 3));
        Assert.Throws<ArgumentException>(() => Run(q, cache, cache, 0, q, 4, 4));
        Assert.Throws<ArgumentException>(() => Run(q, cache, cache, 0, q, 5, 5));
        Assert.Throws<ArgumentException>(() => Run(q, cache, Tensor.Zeros(4, 5), 0, q, 4, 2));
        Assert.Throws<ArgumentException>(() => Run(q, cache, cache, 0, Tensor.Zeros(2, 6), 4, 2));
    }

    private static (Tensor Q, Tensor Keys, Tensor Values) Random(
        FencedMemory memory, int tokens, int position, int heads, int keyValueHeads, int size)
    {
        var random = new Random((tokens * 1000) + position);
        Tensor Fill(int rows, int columns)
        {
            Tensor tensor = memory.Zeros(TensorFormat.F32, rows, columns);
            foreach (ref float v in tensor.AsFloats())
                v = (random.NextSingle() - 0.5f) * 4;
            return tensor;
        }

        return (Fill(tokens, heads * size), Fill(position + tokens, keyValueHeads * size), Fill(position + tokens, keyValueHeads * size));
    }

    private static double[] Exact(Tensor q, Tensor keys, Tensor values, int t, int length, int head, int keyValueHead, int size, float scale)
    {
        var weights = new double[length];
        for (int c = 0; c < length; c++)
        {
            double dot = 0;
            for (int i = 0; i < size; i++)
                dot += (double)q.Row(t)[(head * size) + i] * keys.Row(c)[(keyValueHead * size) + i];
            weights[c] = Math.Exp(dot * scale);
        }

        var y = new double[size];
        for (int c = 0; c < length; c++)
        {
            for (int i = 0; i < size; i++)
                y[i] += weights[c] / weights.Sum() * values.Row(c)[(keyValueHead * size) + i];
        }

        return y;
    }
}

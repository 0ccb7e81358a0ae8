using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

public sealed class GatedDeltaRuleTests : IDisposable
{
    private readonly ThreadTeam _team = new(3);

    public void Dispose() => _team.Dispose();

    /// <summary>The tensors of one text, all of them ending at a fence.</summary>
    private sealed record Inputs(Tensor Q, Tensor K, Tensor V, Tensor Decay, Tensor Beta)
    {
        public static Inputs Random(FencedMemory memory, int tokens, int keyHeads, int heads, int size)
        {
            var random = new Random(size + (100 * heads));
            Tensor of(int columns, float from, float to) => memory.From(
                [.. Enumerable.Range(0, tokens * columns).Select(_ => from + ((to - from) * random.NextSingle()))], tokens, columns);
            float length = 1.7f / MathF.Sqrt(size);
            return new Inputs(
                of(keyHeads * size, -length, length), of(keyHeads * size, -length, length), of(heads * size, -2, 2), of(heads, 0.3f, 1), of(heads, 0, 1));
        }

        public Inputs Slice(int from, int count) => new(
            Q.Slice(from, count), K.Slice(from, count), V.Slice(from, count), Decay.Slice(from, count), Beta.Slice(from, count));

        public void Run(ThreadTeam team, Tensor state, Tensor next, Tensor y, bool tiled) =>
            GatedDeltaRule.Run(team, Q, K, V, Decay, Beta, state, next, y, tiled);
    }

    [Theory]
    [InlineData(1, 1, 1, true)]
    [InlineData(1, 2, 7, true)]
    [InlineData(2, 6, 8, true)]
    [InlineData(2, 6, 8, false)]
    [InlineData(3, 3, 15, false)]
    [InlineData(2, 4, 17, false)]
    [InlineData(2, 4, 24, true)]
    [InlineData(1, 3, 33, true)]
    [InlineData(1, 2, 128, false)]
    public void It_is_the_recurrence_of_the_paper_inside_the_fence(int keyHeads, int heads, int size, bool tiled)
    {
        const int Tokens = 9;
        using var memory = new FencedMemory();
        var x = Inputs.Random(memory, Tokens, keyHeads, heads, size);
        Tensor state = memory.Zeros(TensorFormat.F32, 1, GatedDeltaRule.StateLength(heads, size));
        Tensor next = memory.Zeros(TensorFormat.F32, 1, state.Columns), y = memory.Zeros(TensorFormat.F32, Tokens, heads * size);
        x.Slice(0, 4).Run(_team, state, next, y.Slice(0, 4), tiled);
        x.Slice(4, 5).Run(_team, next, next, y.Slice(4, 5), tiled);   // the second half goes on from the first, in place
        Assert.All(state.AsFloats().ToArray(), value => Assert.Equal(0, value));
        for (int h = 0; h < heads; h++)
        {
            double[] exact = Exact(x, h, tiled ? h % keyHeads : h / (heads / keyHeads), size);
            for (int i = 0; i < exact.Length; i++)
                Assert.Equal(exact[i], y.Row(i / size)[(h * size) + (i % size)], 2e-5);
        }
    }

    [Fact]
    public void Bits_depend_neither_on_the_split_of_the_text_nor_on_threads()
    {
        const int Tokens = 23, KeyHeads = 2, Heads = 6, Size = 40;
        using var memory = new FencedMemory();
        using var one = new ThreadTeam(1);
        var x = Inputs.Random(memory, Tokens, KeyHeads, Heads, Size);
        Tensor whole = Tensor.Zeros(Tokens, Heads * Size), end = Tensor.Zeros(1, GatedDeltaRule.StateLength(Heads, Size));
        x.Run(one, Tensor.Zeros(1, end.Columns), end, whole, tiled: true);
        foreach (int split in new[] { 1, 5, 22 })
        {
            Tensor state = Tensor.Zeros(1, end.Columns), next = Tensor.Zeros(1, end.Columns), y = Tensor.Zeros(Tokens, Heads * Size);
            for (int from = 0; from < Tokens; from += split)
            {
                int count = Math.Min(split, Tokens - from);
                x.Slice(from, count).Run(_team, state, next, y.Slice(from, count), tiled: true);
                (state, next) = (next, state);
            }

            Assert.Equal(whole.AsFloats().ToArray(), y.AsFloats().ToArray());
            Assert.Equal(end.AsFloats().ToArray(), state.AsFloats().ToArray());
        }
    }

    [Fact]
    public void What_is_written_under_a_key_is_read_under_it_until_it_fades()
    {
        const int Size = 12;
        Tensor key = Tensor.Zeros(1, Size), value = Tensor.From([.. Enumerable.Range(1, Size).Select(i => (float)i)], 1, Size);
        key.AsFloats()[5] = 1;
        Tensor state = Tensor.Zeros(1, GatedDeltaRule.StateLength(1, Size)), y = Tensor.Zeros(1, Size), one = Tensor.From([1f], 1, 1);
        GatedDeltaRule.Run(_team, key, key, value, one, one, state, state, y, tiled: false);
        Assert.Equal(value.AsFloats().ToArray(), y.AsFloats().ToArray());
        GatedDeltaRule.Run(_team, key, key, value, Tensor.From([0.25f], 1, 1), Tensor.From([0f], 1, 1), state, state, y, tiled: false);
        Assert.Equal([.. value.AsFloats().ToArray().Select(v => v / 4)], y.AsFloats().ToArray());
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(4, 7)]
    [InlineData(4, 300)]
    [InlineData(3, 1000)]
    public void The_convolution_sees_the_last_tokens_of_its_channel_inside_the_fence(int taps, int channels)
    {
        const int Tokens = 7;
        using var memory = new FencedMemory();
        float[] values = Floats(Tokens * channels, 1), weights = Floats(taps * channels, 2);
        Tensor x = memory.From(values, Tokens, channels), weight = memory.From(weights, taps, channels);
        Tensor past = memory.Zeros(TensorFormat.F32, taps - 1, channels), next = memory.Zeros(TensorFormat.F32, taps - 1, channels);
        int first = channels / 3;
        Tensor y = memory.Zeros(TensorFormat.F32, Tokens, channels - first);
        foreach ((int from, int count) in new[] { (0, 1), (1, 2), (3, 4) })
        {
            CausalConvolution.Run(_team, past, x.Slice(from, count), weight, first, y.Slice(from, count));
            CausalConvolution.Keep(past, x.Slice(from, count), next);
            (past, next) = (next, past);
        }

        for (int t = 0; t < Tokens; t++)
        {
            for (int c = first; c < channels; c++)
            {
                double sum = 0;
                for (int j = Math.Max(0, taps - 1 - t); j < taps; j++)
                    sum += (double)weights[(j * channels) + c] * values[((t - taps + 1 + j) * channels) + c];
                Assert.Equal(sum / (1 + Math.Exp(-sum)), y.Row(t)[c - first], 1e-5);
            }
        }
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using var memory = new FencedMemory();
        var x = Inputs.Random(memory, 3, 2, 4, 8);
        Tensor state = Tensor.Zeros(1, GatedDeltaRule.StateLength(4, 8)), y = Tensor.Zeros(3, 32);
        x.Run(_team, state, state, y, tiled: true);
        Assert.Throws<ArgumentException>(() => (x with { Q = Tensor.Zeros(2, 16) }).Run(_team, state, state, y, tiled: true));
        Assert.Throws<ArgumentException>(() => (x with { K = Tensor.Zeros(3, 8) }).Run(_team, state, state, y, tiled: true));
        Assert.Throws<ArgumentException>(() => (x with { V = Tensor.Zeros(3, 33) }).Run(_team, state, state, y, tiled: true));
        Assert.Throws<ArgumentException>(() => (x with { Decay = Tensor.Zeros(3, 3) }).Run(_team, state, state, y, tiled: true));
        Assert.Throws<ArgumentException>(() => (x with { Beta = Tensor.Zeros(3, 2) }).Run(_team, state, state, y, tiled: true));
        Assert.Throws<ArgumentException>(() => x.Run(_team, Tensor.Zeros(1, state.Columns - 1), state, y, tiled: true));
        Assert.Throws<ArgumentException>(() => x.Run(_team, state, Tensor.Zeros(1, 1), y, tiled: true));
        Assert.Throws<ArgumentException>(() => x.Run(_team, state, state, Tensor.Zeros(2, 32), tiled: true));
        Tensor row = Tensor.Zeros(1, 8), weight = Tensor.Zeros(2, 8);
        Assert.Throws<ArgumentException>(() => CausalConvolution.Run(_team, row, row, weight, 1, row));
        Assert.Throws<ArgumentException>(() => CausalConvolution.Run(_team, weight, row, weight, 0, row));
        Assert.Throws<ArgumentException>(() => CausalConvolution.Run(_team, Tensor.Zeros(64, 8), row, Tensor.Zeros(65, 8), 0, row));
        Assert.Throws<ArgumentException>(() => CausalConvolution.Keep(row, row, weight));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        using var memory = new FencedMemory();
        var x = Inputs.Random(memory, 8, 2, 8, 64);
        Tensor state = Tensor.Zeros(1, GatedDeltaRule.StateLength(8, 64)), y = Tensor.Zeros(8, 512), past = Tensor.Zeros(3, 512);
        Tensor weight = Tensor.Zeros(4, 512), next = Tensor.Zeros(3, 512);
        void Work()
        {
            CausalConvolution.Run(_team, past, x.V, weight, 0, y);
            CausalConvolution.Keep(past, x.V, next);
            x.Run(_team, state, state, y, tiled: true);
        }

        Assert.Equal(0, Allocations.Of(Work));
    }

    private static float[] Floats(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) * 3)];
    }

    /// <summary>S ← g S (I − β k kᵀ) + β v kᵀ, y = S q, with S values by keys, as the paper writes it.</summary>
    private static double[] Exact(Inputs x, int head, int keyHead, int size)
    {
        var state = new double[size, size];
        var result = new double[x.V.Rows * size];
        for (int t = 0; t < x.V.Rows; t++)
        {
            double g = x.Decay.Row(t)[head], beta = x.Beta.Row(t)[head];
            ReadOnlySpan<float> k = x.K.Row(t).Slice(keyHead * size, size), q = x.Q.Row(t).Slice(keyHead * size, size);
            ReadOnlySpan<float> v = x.V.Row(t).Slice(head * size, size);
            for (int i = 0; i < size; i++)
            {
                double dot = 0;
                for (int j = 0; j < size; j++)
                    dot += state[i, j] * k[j];
                for (int j = 0; j < size; j++)
                {
                    state[i, j] = (g * (state[i, j] - (beta * dot * k[j]))) + (beta * v[i] * k[j]);
                    result[(t * size) + i] += state[i, j] * q[j];
                }
            }
        }

        return result;
    }
}

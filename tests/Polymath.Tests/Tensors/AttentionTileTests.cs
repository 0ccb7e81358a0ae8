using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

/// <summary>Attention where tiles, blocks, vectors and pages begin and end, in every format of the cache.</summary>
public sealed class AttentionTileTests : IDisposable
{
    private readonly ThreadTeam _team = new(2);
    private readonly Arena _scratch = new(1 << 20);
    private readonly FencedMemory _memory = new();

    public static TheoryData<TensorFormat, int> Caches => new()
    {
        { TensorFormat.F32, 24 }, { TensorFormat.F32, 80 }, { TensorFormat.F16, 64 }, { TensorFormat.F16, 40 },
        { TensorFormat.F16, 9 }, { TensorFormat.BF16, 96 }, { TensorFormat.BF16, 20 }, { TensorFormat.Q8_0, 64 },
        { TensorFormat.Q4_0, 32 }, { TensorFormat.Q4_1, 32 }, { TensorFormat.Q5_0, 64 }, { TensorFormat.Q5_1, 32 },
        { TensorFormat.IQ4_NL, 32 }, { TensorFormat.Q6_K, 256 },
    };

    public void Dispose()
    {
        _team.Dispose();
        _scratch.Dispose();
        _memory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public void Every_format_of_the_cache_agrees_with_double_precision(TensorFormat format, int size)
    {
        foreach ((int tokens, int position, int heads, int keyValueHeads) in
            ((int, int, int, int)[])[(1, 0, 3, 1), (1, 127, 4, 2), (1, 128, 5, 1), (1, 300, 2, 2), (5, 253, 4, 2), (30, 120, 4, 2)])
        {
            Case c = Make(format, tokens, position, heads, keyValueHeads, size);
            Check(c, new AttentionRule(1 / MathF.Sqrt(size)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(40)]
    public void Window_cap_and_sinks_agree_with_double_precision_around_tiles(int tokens)
    {
        foreach (int position in (int[])[0, 126, 128, 255, 390])
        {
            foreach (int window in (int[])[1, 7, 127, 128, 129, 250])
            {
                Case c = Make(TensorFormat.F16, tokens, position, 4, 2, 32);
                Tensor sinks = Tensor.Zeros(1, 4);
                sinks.AsFloats().Fill(0.7f);
                Check(c, new AttentionRule(0.4f) { Window = window, SoftCap = 3, Sinks = sinks });
            }
        }
    }

    [Theory]
    [InlineData(TensorFormat.F16, 32, 8300)]   // more tiles than are merged at once, also of a single token
    [InlineData(TensorFormat.F32, 20, 1300)]
    [InlineData(TensorFormat.Q8_0, 32, 1300)]
    public void The_bits_of_a_long_context_depend_neither_on_threads_nor_on_the_split(TensorFormat format, int size, int position)
    {
        const int Tokens = 18;
        using var three = new ThreadTeam(3);
        Case c = Make(format, Tokens, position, 6, 2, size);
        var rule = new AttentionRule(0.2f);
        Run(_team, c, rule);
        float[] whole = c.Y.AsFloats().ToArray();
        foreach (int length in (int[])[1, 8, 9])
        {
            c.Y.AsFloats().Fill(float.NaN);
            for (int start = 0; start < Tokens; start += length)
            {
                int count = Math.Min(length, Tokens - start);
                Attention.Run(three, c.Q.Slice(start, count), c.Keys, c.Values, position + start, c.Y.Slice(start, count), 6, 2, rule, _scratch);
            }

            Assert.Equal(whole, c.Y.AsFloats().ToArray());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(150)]
    public void Pages_in_any_order_give_the_bits_of_a_whole_cache(int window)
    {
        const int Tokens = 700, Size = 32, Length = Attention.TileLength;
        int[] pages = [4, 0, 6, 1, 5, 2];   // 3 is another text's
        Case c = Make(TensorFormat.F16, Tokens, 0, 4, 2, Size);
        var rule = new AttentionRule(0.3f) { Window = window };
        Run(_team, c, rule);
        Tensor keys = _memory.Zeros(TensorFormat.F16, 7 * Length, 2 * Size), values = _memory.Zeros(TensorFormat.F16, 7 * Length, 2 * Size);
        for (int i = 3 * Length; i < 4 * Length; i++)
            BlockFormat.Quantize(TensorFormat.F16, Enumerable.Repeat(float.NaN, 2 * Size).ToArray(), values.RowData(i));
        Tensor y = Tensor.Zeros(Tokens, 4 * Size);
        int start = 0;
        foreach (int length in Enumerable.Repeat((int[])[1, 90, 5, 17], 10).SelectMany(l => l))
        {
            int count = Math.Min(length, Tokens - start);
            for (int t = start; t < start + count; t++)
            {
                int row = (pages[t / Length] * Length) + (t % Length);
                c.Keys.RowData(t).CopyTo(keys.RowData(row));
                c.Values.RowData(t).CopyTo(values.RowData(row));
            }

            int[] held = [.. pages.Select((page, i) => window > 0 && (i + 1) * Length <= start - window ? -1 : page)];
            if (count > 0)
                Attention.Run(_team, c.Q.Slice(start, count), keys, values, held, start, y.Slice(start, count), 4, 2, rule, _scratch);
            start += count;
        }

        Assert.Equal(Tokens, start);
        Assert.Equal(c.Y.AsFloats().ToArray(), y.AsFloats().ToArray());
    }

    [Theory]
    [InlineData(new[] { 0, -1 }, 130)]
    [InlineData(new[] { 0, 2 }, 130)]
    [InlineData(new[] { 0 }, 128)]
    public void Pages_that_are_not_there_are_refused(int[] pages, int position)
    {
        Case c = Make(TensorFormat.F16, 1, 200, 4, 2, 32);   // a cache of one whole page and a part of another
        Assert.Throws<ArgumentException>(() => Attention.Run(
            _team, c.Q, c.Keys, c.Values, pages, position, c.Y, 4, 2, new AttentionRule(0.3f), _scratch));
    }

    [Theory]
    [InlineData(TensorFormat.F32)]
    [InlineData(TensorFormat.F16)]
    [InlineData(TensorFormat.BF16)]
    public void Infinity_and_NaN_reach_those_that_see_them_and_no_others(TensorFormat format)
    {
        foreach (int tokens in (int[])[2, 60])
        {
            foreach (float bad in (float[])[float.NaN, float.PositiveInfinity])
            {
                Case c = Make(format, tokens, 130, 2, 1, 64);
                BlockFormat.Quantize(format, Enumerable.Repeat(bad, 64).ToArray(), c.Values.RowData(131));
                Run(_team, c, new AttentionRule(0.1f));
                Assert.All(c.Y.Row(0).ToArray(), v => Assert.True(float.IsFinite(v)));
                Assert.All(c.Y.Row(1).ToArray(), v => Assert.False(float.IsFinite(v)));
                c = Make(format, tokens, 130, 2, 1, 64);
                BlockFormat.Quantize(format, Enumerable.Repeat(bad, 64).ToArray(), c.Keys.RowData(131));
                Run(_team, c, new AttentionRule(0.1f));
                Assert.All(c.Y.Row(0).ToArray(), v => Assert.True(float.IsFinite(v)));
                Assert.All(c.Y.Row(1).ToArray(), v => Assert.True(float.IsNaN(v)));
            }
        }
    }

    [Fact]
    public void Queries_too_large_for_half_precision_and_subnormal_elements_are_right()
    {
        Case c = Make(TensorFormat.F16, 1, 200, 4, 2, 64);
        foreach (ref float q in c.Q.AsFloats())
            q *= 1e6f;
        Check(c, new AttentionRule(1e-6f));
        Span<float> small = stackalloc float[128];
        for (int i = 0; i < 128; i++)
            small[i] = (i - 64) * 1e-6f;
        for (int r = 0; r < c.Keys.Rows; r++)
        {
            BlockFormat.Quantize(TensorFormat.F16, small, c.Keys.RowData(r));
            BlockFormat.Quantize(TensorFormat.F16, small, c.Values.RowData(r));
        }

        Check(c, new AttentionRule(0.01f));
    }

    [Theory]
    [InlineData(TensorFormat.F32, 40, 1)]
    [InlineData(TensorFormat.F16, 64, 3)]
    [InlineData(TensorFormat.BF16, 32, 20)]
    [InlineData(TensorFormat.F16, 36, 30)]
    public void Both_widths_of_the_kernel_give_the_same_bits(TensorFormat format, int size, int tokens)
    {
        Case c = Make(format, tokens, 200, 6, 2, size);
        var rule = new AttentionRule(0.3f);
        Attention.Run<Attention512>(_team, c.Q, c.Keys, c.Values, [], c.Position, c.Y, 6, 2, rule, _scratch);
        float[] wide = c.Y.AsFloats().ToArray();
        Attention.Run<Attention256>(_team, c.Q, c.Keys, c.Values, [], c.Position, c.Y, 6, 2, rule, _scratch);
        Assert.Equal(wide, c.Y.AsFloats().ToArray());
    }

    [Fact]
    public void A_long_context_allocates_nothing()
    {
        Case one = Make(TensorFormat.F16, 1, 600, 4, 2, 32), many = Make(TensorFormat.Q8_0, 20, 100, 4, 2, 32);
        Assert.Equal(0, Allocations.Of(() =>
        {
            Run(_team, one, new AttentionRule(0.1f));
            Run(_team, many, new AttentionRule(0.1f));
        }));
    }

    private Case Make(TensorFormat format, int tokens, int position, int heads, int keyValueHeads, int size)
    {
        var random = new Random((tokens * 1000) + position + size);
        Tensor Fill(TensorFormat format, int rows, int columns)
        {
            var values = new float[rows * columns];
            foreach (ref float v in values.AsSpan())
                v = (random.NextSingle() - 0.5f) * 3;
            return _memory.Pack(format, values, rows, columns);
        }

        int rows = position + tokens, width = keyValueHeads * size;
        Tensor y = _memory.Zeros(TensorFormat.F32, tokens, heads * size);
        return new Case(Fill(TensorFormat.F32, tokens, heads * size), Fill(format, rows, width), Fill(format, rows, width), y, position, heads, keyValueHeads);
    }

    private void Run(ThreadTeam team, in Case c, in AttentionRule rule) =>
        Attention.Run(team, c.Q, c.Keys, c.Values, c.Position, c.Y, c.Heads, c.KeyValueHeads, rule, _scratch);

    private void Check(in Case c, in AttentionRule rule)
    {
        Run(_team, c, rule);
        float[][] keys = Unpack(c.Keys), values = Unpack(c.Values);
        int size = c.Q.Columns / c.Heads, group = c.Heads / c.KeyValueHeads;
        var expected = new double[size];
        for (int t = 0; t < c.Q.Rows; t++)
        {
            int end = c.Position + t + 1, first = rule.Window == 0 ? 0 : Math.Max(0, end - rule.Window);
            for (int h = 0; h < c.Heads; h++)
            {
                double sum = rule.Sinks.IsEmpty ? 0 : Math.Exp(rule.Sinks.Row(0)[h]);
                Array.Clear(expected);
                for (int p = first; p < end; p++)
                {
                    double score = 0;
                    for (int i = 0; i < size; i++)
                        score += (double)c.Q.Row(t)[(h * size) + i] * keys[p][(h / group * size) + i];
                    score *= rule.Scale;
                    double weight = Math.Exp(rule.SoftCap > 0 ? rule.SoftCap * Math.Tanh(score / rule.SoftCap) : score);
                    sum += weight;
                    for (int i = 0; i < size; i++)
                        expected[i] += weight * values[p][(h / group * size) + i];
                }

                for (int i = 0; i < size; i++)
                    Assert.Equal(expected[i] / sum, c.Y.Row(t)[(h * size) + i], 6e-6);
            }
        }
    }

    private static float[][] Unpack(Tensor cache)
    {
        var rows = new float[cache.Rows][];
        for (int r = 0; r < cache.Rows; r++)
        {
            rows[r] = new float[cache.Columns];
            BlockFormat.Dequantize(cache.Format, cache.RowData(r), rows[r]);
        }

        return rows;
    }

    private readonly record struct Case(Tensor Q, Tensor Keys, Tensor Values, Tensor Y, int Position, int Heads, int KeyValueHeads);
}

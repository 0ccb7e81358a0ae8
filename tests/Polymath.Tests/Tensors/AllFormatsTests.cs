using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

/// <summary>What must hold for every block format, also for those that are only read; the blocks are random bytes.</summary>
public sealed class AllFormatsTests : IDisposable
{
    private readonly ThreadTeam _team = new(1);
    private readonly Arena _scratch = new(1 << 24);

    public static TheoryData<TensorFormat> Formats =>
        [.. Enum.GetValues<TensorFormat>().Where(f => FormatInfo.BlockLength(f) > 1)];

    public static TheoryData<InstructionSet, TensorFormat> Variants
    {
        get
        {
            var data = new TheoryData<InstructionSet, TensorFormat>();
            foreach (InstructionSet set in Enum.GetValues<InstructionSet>())
            {
                foreach (TensorFormat format in Formats.Select(row => row.Data).Where(f => !MatMulInteger.IsInterleaved(f)))
                    data.Add(set, format);
            }

            return data;
        }
    }

    public void Dispose()
    {
        _team.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Any_bytes_are_a_block(TensorFormat format)
    {
        var random = new Random(1);
        for (int i = 0; i < 300; i++)
        {
            using var memory = new FencedMemory();
            Tensor weight = memory.Zeros(format, 1, FormatInfo.BlockLength(format) * 2);
            Tensor back = memory.Zeros(TensorFormat.F32, 1, weight.Columns);
            if (i < 256)
                weight.RowData(0).Fill((byte)i);   // among them the largest of all indices
            else
                random.NextBytes(weight.RowData(0));
            back.Row(0).Fill(0.1f);
            BlockFormat.Dequantize(format, weight.RowData(0), back.Row(0));
            Assert.DoesNotContain(0.1f, back.Row(0).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Products_are_those_of_the_unpacked_weights(InstructionSet set, TensorFormat format)
    {
        int length = FormatInfo.BlockLength(format);
        for (int rows = 1; rows <= 19; rows += 3)
        {
            using var memory = new FencedMemory();
            Tensor weight = RandomWeight(memory, format, rows, length * ((rows % 3) + 1), rows);
            foreach (int tokens in new[] { 1, 2, 5, 9 })
            {
                Tensor x = RandomTensor(memory, tokens, weight.Columns, tokens);
                Assert.Equal(Multiply(set, _team, Unpacked(weight), x), Multiply(set, _team, weight, x));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void The_bits_depend_neither_on_threads_nor_on_the_batch(InstructionSet set, TensorFormat format)
    {
        const int Rows = 37, Tokens = 51;
        using var memory = new FencedMemory();
        Tensor weight = RandomWeight(memory, format, Rows, 768, 5), x = RandomTensor(memory, Tokens, 768, 6);
        float[] whole = Multiply(set, _team, weight, x);
        using var four = new ThreadTeam(4);
        Assert.Equal(whole, Multiply(set, four, weight, x));
        for (int start = 0, size = 1; start < Tokens; start += size, size = (size * 2 % 7) + 1)
        {
            size = Math.Min(size, Tokens - start);
            Assert.Equal(whole[(start * Rows)..((start + size) * Rows)], Multiply(set, four, weight, x.Slice(start, size)));
        }

        for (int n = 0; n < Rows; n += 5)
        {
            float[] one = Multiply(set, _team, weight.Slice(n, 1), x);
            Assert.Equal(Enumerable.Range(0, Tokens).Select(t => whole[(t * Rows) + n]), one);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Rows_of_an_embedding_are_unpacked(TensorFormat format)
    {
        using var memory = new FencedMemory();
        Tensor weight = RandomWeight(memory, format, 5, 512, 7), y = memory.Zeros(TensorFormat.F32, 3, 512);
        Embedding.Gather(weight, [4, 0, 4], y);
        Tensor all = Unpacked(weight);
        Assert.Equal(all.Row(4), y.Row(0));
        Assert.Equal(all.Row(0), y.Row(1));
        Assert.Equal(all.Row(4), y.Row(2));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Importance_of_any_size_gives_weights_that_are_numbers_or_is_refused(TensorFormat format)
    {
        if (!FormatInfo.IsWritable(format))
            return;
        var random = new Random(3);
        float[] row = [.. Enumerable.Range(0, 512).Select(_ => random.NextSingle() - 0.5f)], back = new float[512];
        var packed = new byte[FormatInfo.RowBytes(format, 512)];
        foreach (float large in new[] { 0, 1e-44f, 1e-30f, 1e15f, 1e30f, float.MaxValue })
        {
            foreach (int every in new[] { 1, 2, 33, 300 })
            {
                float[] importance = [.. Enumerable.Range(0, 512).Select(i => i % every == 0 ? large : 0)];
                try
                {
                    BlockFormat.Quantize(format, row, importance, packed);
                }
                catch (ArgumentException) when (large > 1e20f)
                {
                    continue;   // its sums overflow
                }

                BlockFormat.Dequantize(format, packed, back);
                Assert.All(back, value => Assert.True(float.IsFinite(value), $"{large} every {every}"));
            }
        }
    }

    [Fact]
    public void A_product_of_any_format_allocates_nothing()
    {
        Tensor weight = Tensor.Zeros(TensorFormat.IQ2_S, 64, 1024), x = Tensor.Zeros(8, 1024), y = Tensor.Zeros(8, 64);
        Assert.Equal(0, Allocations.Of(() => MatMul.Run(_team, weight, x, y, _scratch)));
    }

    /// <summary>Random bytes, of which only the blocks that hold no infinity or NaN are taken.</summary>
    private static Tensor RandomWeight(FencedMemory memory, TensorFormat format, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        Tensor weight = memory.Zeros(format, rows, columns);
        var values = new float[FormatInfo.BlockLength(format)];
        int size = FormatInfo.BlockBytes(format);
        for (int r = 0; r < rows; r++)
        {
            for (int at = 0; at < weight.RowBytes; at += size)
            {
                Span<byte> block = weight.RowData(r).Slice(at, size);
                do
                {
                    random.NextBytes(block);
                    BlockFormat.Dequantize(format, block, values);
                }
                while (!values.All(v => Math.Abs(v) < 1e6f));
            }
        }

        return weight;
    }

    private static Tensor Unpacked(Tensor weight)
    {
        Tensor unpacked = Tensor.Zeros(weight.Rows, weight.Columns);
        for (int r = 0; r < weight.Rows; r++)
            BlockFormat.Dequantize(weight.Format, weight.RowData(r), unpacked.Row(r));
        return unpacked;
    }

    private static Tensor RandomTensor(FencedMemory memory, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        Tensor tensor = memory.Zeros(TensorFormat.F32, rows, columns);
        foreach (ref float value in tensor.AsFloats())
            value = (random.NextSingle() - 0.5f) * 4;
        return tensor;
    }

    private float[] Multiply(InstructionSet set, ThreadTeam team, Tensor weight, Tensor x)
    {
        Tensor y = Tensor.Zeros(x.Rows, weight.Rows);
        MatMul.Run(set, team, x, [new MatMulTarget(weight, y)], _scratch);
        return y.AsFloats().ToArray();
    }
}

using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

public sealed class MatMulTests : IDisposable
{
    private const double Epsilon = 1.0 / (1 << 23);
    private static readonly TensorFormat[] s_formats =
        [.. Enum.GetValues<TensorFormat>().Where(f => FormatInfo.IsWritable(f) && (FormatInfo.BlockLength(f) == 1 || MatMulInteger.IsInterleaved(f)))];

    private readonly ThreadTeam _team = new(1);
    private readonly Arena _scratch = new(1 << 24);

    public static TheoryData<InstructionSet, TensorFormat> Variants
    {
        get
        {
            var data = new TheoryData<InstructionSet, TensorFormat>();
            foreach (InstructionSet set in Enum.GetValues<InstructionSet>())
            {
                foreach (TensorFormat format in s_formats)
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
    [MemberData(nameof(Variants))]
    public void Every_length_agrees_with_double_precision_and_stays_inside_the_fence(InstructionSet set, TensorFormat format)
    {
        int step = FormatInfo.BlockLength(format);
        for (int k = step; k <= Math.Max(257, 3 * step); k += step)
        {
            using var memory = new FencedMemory();
            Check(set, memory, RandomWeight(memory, format, 5, k, k), RandomTensor(memory, 4, k, k + 1));
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Every_tile_remainder_agrees_with_double_precision_and_stays_inside_the_fence(InstructionSet set, TensorFormat format)
    {
        int k = FormatInfo.BlockLength(format) == 1 ? 45 : Math.Max(96, FormatInfo.BlockLength(format));
        for (int tokens = 1; tokens <= 9; tokens++)
        {
            foreach (int rows in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 32, 43 })
            {
                using var memory = new FencedMemory();
                Check(set, memory, RandomWeight(memory, format, rows, k, rows), RandomTensor(memory, tokens, k, tokens));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void The_bits_depend_neither_on_threads_nor_on_the_batch(InstructionSet set, TensorFormat format)
    {
        // More tokens than a token block and more columns than a column block, so that every seam is crossed.
        const int Rows = 41, Tokens = 135;
        int columns = FormatInfo.BlockLength(format) switch { 1 => 1037, 32 => 1056, _ => 1280 };
        using var memory = new FencedMemory();
        Tensor weight = RandomWeight(memory, format, Rows, columns, 1), x = RandomTensor(memory, Tokens, columns, 2);
        float[] whole = Multiply(set, _team, weight, x);

        using var four = new ThreadTeam(4);
        Assert.Equal(whole, Multiply(set, four, weight, x));
        var pieces = new List<float>();
        for (int start = 0, size = 1; start < Tokens; start += size, size = (size * 2 % 7) + 1)
        {
            size = Math.Min(size, Tokens - start);
            pieces.AddRange(Multiply(set, four, weight, x.Slice(start, size)));
        }

        Assert.Equal(whole, pieces);
        for (int n = 0; n < Rows; n += 3)
        {
            float[] one = Multiply(set, _team, weight.Slice(n, 1), x);
            for (int t = 0; t < Tokens; t++)
                Assert.Equal(whole[(t * Rows) + n], one[t]);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Interleaved_weights_give_the_bits_of_stored_ones_slices_of_them_too(InstructionSet set, TensorFormat format)
    {
        if (format == TensorFormat.F32 || set == InstructionSet.Scalar)
            return;
        using var memory = new FencedMemory();
        Tensor weight = RandomWeight(memory, format, 75, 512, 1);
        InterleavedMatrix first = InterleavedMatrix.From(_team, RandomWeight(memory, format, 3, 256, 2), reserve: 1 << 20);
        InterleavedMatrix interleaved = InterleavedMatrix.From(_team, weight, first);
        foreach (int tokens in new[] { 1, 3, 4, 7, 16, 17 })
        {
            Tensor x = RandomTensor(memory, tokens, 512, tokens);
            Assert.Equal(Multiply(set, _team, weight, x), Multiply(set, _team, weight, x, interleaved));
            foreach ((int start, int count) in new[] { (0, 32), (16, 59), (48, 16) })
            {
                float[] part = Multiply(set, _team, weight.Slice(start, count), x);
                Assert.Equal(part, Multiply(set, _team, weight.Slice(start, count), x, interleaved.Slice(start, count)));
            }
        }

        Assert.True(interleaved.Slice(8, 16).IsEmpty);
        Assert.True(interleaved.Slice(16, 8).IsEmpty);
        interleaved.Free();
    }

    [Fact]
    public void Interleaved_weights_of_another_shape_are_refused()
    {
        Tensor weight = Tensor.Zeros(TensorFormat.Q8_0, 32, 64), x = Tensor.Zeros(1, 64), y = Tensor.Zeros(1, 32);
        InterleavedMatrix other = InterleavedMatrix.From(_team, Tensor.Zeros(TensorFormat.Q8_0, 16, 64));
        Assert.Throws<ArgumentException>(() => MatMul.Run(_team, x, [new(weight, y, other)], _scratch));
        Assert.Throws<ArgumentException>(() => InterleavedMatrix.From(_team, Tensor.Zeros(16, 64)));
    }

    [Theory]
    [InlineData(InstructionSet.AdvSimd)]
    [InlineData(InstructionSet.Avx2)]
    [InlineData(InstructionSet.Avx512)]
    public void Extreme_blocks_are_exact_where_all_sums_are_integers(InstructionSet set)
    {
        // Scale 1, every stored byte in turn against activations of ±127: nothing may saturate.
        foreach (TensorFormat format in new[] { TensorFormat.Q8_0, TensorFormat.Q4_0 })
        {
            using var memory = new FencedMemory();
            Tensor weight = memory.Zeros(format, 256, 32), x = memory.Zeros(TensorFormat.F32, 4, 32);
            for (int n = 0; n < 256; n++)
            {
                Span<byte> row = weight.RowData(n);
                row.Fill((byte)n);
                row[0] = 0;
                row[1] = 0x3C;   // 1.0 in F16
            }

            for (int i = 0; i < 32; i++)
            {
                x.Row(0)[i] = 127;
                x.Row(1)[i] = -127;
                x.Row(2)[i] = i % 2 == 0 ? 127 : -127;
                x.Row(3)[i] = (i * 7 % 255) - 127;
            }

            Assert.Equal(Multiply(InstructionSet.Scalar, _team, weight, x), Multiply(set, _team, weight, x));
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void NaN_and_infinity_show_in_the_output(InstructionSet set, TensorFormat format)
    {
        const int K = 64;
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            using var memory = new FencedMemory();
            int k = Math.Max(K, FormatInfo.BlockLength(format));
            Tensor weight = RandomWeight(memory, format, 4, k, 3), x = RandomTensor(memory, 3, k, 4);
            x.Row(1)[37] = bad;
            float[] y = Multiply(set, _team, weight, x);
            Assert.All(y[4..8], v => Assert.False(float.IsFinite(v)));
            Assert.All(y[..4], v => Assert.True(float.IsFinite(v)));
            Assert.All(y[8..], v => Assert.True(float.IsFinite(v)));

            if (format == TensorFormat.MXFP4)
                continue;   // its scales are finite whatever the byte
            Spoil(weight.RowData(2), format, bad);
            y = Multiply(set, _team, weight, x.Slice(0, 1));
            Assert.Equal(new[] { true, true, false, true }, y.Select(float.IsFinite));
        }
    }

    [Theory]
    [InlineData(InstructionSet.AdvSimd)]
    [InlineData(InstructionSet.Avx2)]
    [InlineData(InstructionSet.Avx512)]
    public void Every_F16_and_BF16_pattern_is_widened_exactly(InstructionSet set)
    {
        foreach (TensorFormat format in new[] { TensorFormat.F16, TensorFormat.BF16 })
        {
            // One pattern per row, times 1: the product is the value itself, in the narrow and in the wide path.
            Tensor weight = Tensor.Zeros(format, 1 << 16, 16);
            for (int n = 0; n < weight.Rows; n++)
                BitConverter.TryWriteBytes(weight.RowData(n)[6..], (ushort)n);
            float[] ones = Enumerable.Repeat(1f, 3 * 16).ToArray();
            foreach (int tokens in new[] { 1, 3 })
            {
                float[] y = Multiply(set, _team, weight, Tensor.From(ones.AsSpan(0, tokens * 16), tokens, 16));
                for (int n = 0; n < weight.Rows; n++)
                {
                    float value = format == TensorFormat.F16
                        ? (float)BitConverter.UInt16BitsToHalf((ushort)n)
                        : BitConverter.UInt32BitsToSingle((uint)n << 16);
                    if (!value.Equals(y[n]))
                        Assert.Fail($"{format} {n:X4}: {y[n]:R} for {value:R}");
                }
            }
        }
    }

    [Theory]
    [InlineData(InstructionSet.AdvSimd)]
    [InlineData(InstructionSet.Avx2)]
    [InlineData(InstructionSet.Avx512)]
    public void Finite_F16_weights_give_the_same_bits_without_the_search_for_infinity(InstructionSet set)
    {
        int[] patterns = [.. Enumerable.Range(0, 1 << 16).Where(bits => (bits & 0x7C00) != 0x7C00)];
        Tensor weight = Tensor.Zeros(TensorFormat.F16, patterns.Length, 16);
        for (int n = 0; n < weight.Rows; n++)
            BitConverter.TryWriteBytes(weight.RowData(n)[6..], (ushort)patterns[n]);
        Assert.True(MatMul.IsFinite(_team, weight));
        foreach (int tokens in new[] { 1, 3 })
        {
            Tensor x = Tensor.From([.. Enumerable.Repeat(1f, tokens * 16)], tokens, 16), y = Tensor.Zeros(tokens, weight.Rows);
            MatMul.Run(set, _team, x, [new MatMulTarget(weight, y) { IsFinite = true }], _scratch);
            Assert.Equal(Multiply(set, _team, weight, x), y.AsFloats().ToArray());
        }
    }

    [Fact]
    public void Infinity_and_NaN_are_found_wherever_they_are()
    {
        Tensor weight = Tensor.Zeros(TensorFormat.F16, 7, 33);
        Assert.True(MatMul.IsFinite(_team, weight));
        Assert.False(MatMul.IsFinite(_team, Tensor.Zeros(7, 33)));
        foreach (ushort bad in new ushort[] { 0x7C00, 0xFC00, 0x7E01, 0xFFFF })
        {
            for (int at = 0; at < 7 * 33; at += 5)
            {
                BitConverter.TryWriteBytes(weight.RowData(at / 33)[(at % 33 * 2)..], bad);
                Assert.False(MatMul.IsFinite(_team, weight));
                weight.RowData(at / 33).Clear();
            }
        }
    }

    [Fact]
    public void Products_that_share_the_activations_equal_products_alone()
    {
        using var memory = new FencedMemory();
        using var team = new ThreadTeam(3);
        Tensor x = RandomTensor(memory, 5, 256, 9);
        Tensor[] weights = [.. s_formats.Take(16).Select((format, i) => RandomWeight(memory, format, 3 + (2 * i), 256, i))];
        Tensor[] outputs = [.. weights.Select(w => memory.Zeros(TensorFormat.F32, 5, w.Rows))];
        MatMul.Run(team, x, [.. weights.Zip(outputs, (weight, y) => new MatMulTarget(weight, y))], _scratch);
        for (int i = 0; i < weights.Length; i++)
        {
            Tensor alone = memory.Zeros(TensorFormat.F32, 5, weights[i].Rows);
            MatMul.Run(team, weights[i], x, alone, _scratch);
            Assert.Equal(alone.AsFloats().ToArray(), outputs[i].AsFloats().ToArray());
        }

        Assert.Equal(0, _scratch.Mark);
    }

    [Fact]
    public void A_product_allocates_nothing()
    {
        using var team = new ThreadTeam(2);
        Tensor q8 = Tensor.Zeros(TensorFormat.Q8_0, 64, 1024), f32 = Tensor.Zeros(64, 1024);
        Tensor x = Tensor.Zeros(8, 1024), y = Tensor.Zeros(8, 64), z = Tensor.Zeros(8, 64);
        void Work()
        {
            MatMul.Run(team, q8, x, y, _scratch);
            MatMul.Run(team, x, [new(q8, y), new(f32, z)], _scratch);
        }

        Assert.Equal(0, Allocations.Of(Work));
    }

    [Fact]
    public void The_declared_scratch_is_what_a_product_needs()
    {
        foreach (TensorFormat format in s_formats)
        {
            using var exact = new Arena(MatMul.ScratchBytes(format, 5, 256));
            MatMul.Run(_team, Tensor.Zeros(format, 2, 256), Tensor.Zeros(5, 256), Tensor.Zeros(5, 2), exact);
            Assert.Equal(MatMul.ScratchBytes(format, 5, 256), exact.Capacity);   // it would have grown
        }
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_with_both_shapes()
    {
        Tensor weight = Tensor.Zeros(4, 8);
        var e = Assert.Throws<ArgumentException>(() => MatMul.Run(_team, weight, Tensor.Zeros(2, 9), Tensor.Zeros(2, 4), _scratch));
        Assert.Contains("[4, 8]", e.Message, StringComparison.Ordinal);
        Assert.Contains("[2, 9]", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<ArgumentException>(() => MatMul.Run(_team, weight, Tensor.Zeros(2, 8), Tensor.Zeros(3, 4), _scratch));
        Assert.Contains("[3, 4]", e.Message, StringComparison.Ordinal);
        Assert.Contains("[2, 4]", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => MatMul.Run(_team, default, Tensor.Zeros(2, 8), Tensor.Zeros(2, 4), _scratch));
        Assert.Throws<InvalidOperationException>(
            () => MatMul.Run(_team, weight, Tensor.Zeros(TensorFormat.F16, 2, 8), Tensor.Zeros(2, 4), _scratch));
    }

    [Fact]
    public void Empty_shapes_are_legal()
    {
        MatMul.Run(_team, Tensor.Zeros(4, 8), Tensor.Zeros(0, 8), Tensor.Zeros(0, 4), _scratch);
        MatMul.Run(_team, Tensor.Zeros(0, 8), Tensor.Zeros(2, 8), Tensor.Zeros(2, 0), _scratch);
        Tensor y = Tensor.From([1, 2], 1, 2);
        MatMul.Run(_team, Tensor.Zeros(2, 0), Tensor.Zeros(1, 0), y, _scratch);
        Assert.Equal([0, 0], y.AsFloats().ToArray());
    }

    private static void Spoil(Span<byte> row, TensorFormat format, float bad)
    {
        switch (format)
        {
            case TensorFormat.F32: BitConverter.TryWriteBytes(row[40..], bad); break;
            case TensorFormat.BF16: BitConverter.TryWriteBytes(row[40..], (ushort)(BitConverter.SingleToUInt32Bits(bad) >> 16)); break;
            case TensorFormat.F16: BitConverter.TryWriteBytes(row[40..], BitConverter.HalfToUInt16Bits((Half)bad)); break;
            default: BitConverter.TryWriteBytes(row[ScaleOf(format)..], BitConverter.HalfToUInt16Bits((Half)bad)); break;
        }
    }

    private static int ScaleOf(TensorFormat format) => format switch
    {
        TensorFormat.Q2_K => 80,
        TensorFormat.Q3_K => 108,
        TensorFormat.Q6_K => 208,
        _ => 0,
    };

    private float[] Multiply(InstructionSet set, ThreadTeam team, Tensor weight, Tensor x, InterleavedMatrix interleaved = default)
    {
        Tensor y = Tensor.Zeros(x.Rows, weight.Rows);
        MatMul.Run(set, team, x, [new MatMulTarget(weight, y, interleaved)], _scratch);
        return y.AsFloats().ToArray();
    }

    private void Check(InstructionSet set, FencedMemory memory, Tensor weight, Tensor x)
    {
        Tensor y = memory.Zeros(TensorFormat.F32, x.Rows, weight.Rows);
        y.AsFloats().Fill(float.NaN);
        MatMul.Run(set, _team, x, [new MatMulTarget(weight, y)], _scratch);
        Tensor seen = FormatInfo.BlockLength(weight.Format) == 1 ? x : Rounded(x);
        var row = new float[weight.Columns];
        for (int n = 0; n < weight.Rows; n++)
        {
            BlockFormat.Dequantize(weight.Format, weight.RowData(n), row);
            for (int t = 0; t < x.Rows; t++)
            {
                double sum = 0, size = 0;
                for (int k = 0; k < row.Length; k++)
                {
                    double product = (double)row[k] * seen.Row(t)[k];
                    sum += product;
                    size += Math.Abs(product);
                }

                double error = Math.Abs(y.Row(t)[n] - sum);
                if (!(error <= size * Epsilon * (4 + Math.Sqrt(row.Length))))
                    Assert.Fail($"{set} {weight} x {x} at [{t}, {n}]: {y.Row(t)[n]:R} for {sum:R}");
            }
        }
    }

    /// <summary>What the integer formats see: x in blocks of 32 multiples of max|x|/127.</summary>
    private static Tensor Rounded(Tensor x)
    {
        Tensor rounded = Tensor.Zeros(x.Rows, x.Columns);
        Span<float> from = x.AsFloats(), to = rounded.AsFloats();
        for (int b = 0; b < from.Length; b += 32)
        {
            float max = 0;
            for (int i = b; i < b + 32; i++)
                max = Math.Max(max, Math.Abs(from[i]));
            for (int i = b; i < b + 32; i++)
                to[i] = max == 0 ? 0 : max / 127 * MathF.Round(from[i] * (127 / max), MidpointRounding.ToEven);
        }

        return rounded;
    }

    private static Tensor RandomWeight(FencedMemory memory, TensorFormat format, int rows, int columns, int seed) =>
        memory.Pack(format, RandomFloats(rows * columns, seed), rows, columns);

    private static Tensor RandomTensor(FencedMemory memory, int rows, int columns, int seed) =>
        memory.From(RandomFloats(rows * columns, seed + 1000), rows, columns);

    private static float[] RandomFloats(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        foreach (ref float value in values.AsSpan())
            value = (random.NextSingle() - 0.5f) * 4;
        return values;
    }
}

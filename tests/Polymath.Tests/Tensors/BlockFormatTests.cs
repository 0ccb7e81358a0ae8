using CsCheck;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

public sealed class BlockFormatTests
{
    private static readonly Gen<float[]> s_block =
        Gen.Select(Gen.Float[-1, 1].Array[32], Gen.Int[-12, 12], (values, power) => values.Select(v => v * MathF.Pow(2, power)).ToArray());

    [Theory]
    [InlineData(0f, 0x0000)]
    [InlineData(-0f, 0x8000)]
    [InlineData(1f, 0x3C00)]
    [InlineData(-2f, 0xC000)]
    [InlineData(65504f, 0x7BFF)]               // the largest finite F16
    [InlineData(65519.996f, 0x7BFF)]           // just below the middle to 65536
    [InlineData(65520f, 0x7C00)]               // the middle: to even, which is infinity
    [InlineData(1.00048828125f, 0x3C00)]       // 1 + 2^-11: the middle, down to even
    [InlineData(1.00146484375f, 0x3C02)]       // 1 + 3·2^-11: the middle, up to even
    [InlineData(5.9604645E-08f, 0x0001)]       // 2^-24, the smallest subnormal
    [InlineData(2.9802322E-08f, 0x0000)]       // 2^-25: the middle, to even
    [InlineData(float.PositiveInfinity, 0x7C00)]
    public void F16_rounds_to_nearest_even(float value, int bits) => Assert.Equal(bits, Pack16(TensorFormat.F16, value));

    [Theory]
    [InlineData(0x3F800000u, 0x3F80)]   // 1
    [InlineData(0x3F808000u, 0x3F80)]   // the middle, down to even
    [InlineData(0x3F818000u, 0x3F82)]   // the middle, up to even
    [InlineData(0x3F808001u, 0x3F81)]   // above the middle
    [InlineData(0x7F7FFFFFu, 0x7F80)]   // the largest single rounds to infinity
    [InlineData(0x7F800001u, 0x7FC0)]   // a NaN of low bits alone stays NaN
    [InlineData(0xFFC00000u, 0xFFC0)]
    [InlineData(0x00000001u, 0x0000)]
    [InlineData(0x80008001u, 0x8001)]   // subnormals round like the rest
    public void BF16_rounds_to_nearest_even_and_keeps_NaN(uint single, int bits) =>
        Assert.Equal(bits, Pack16(TensorFormat.BF16, BitConverter.UInt32BitsToSingle(single)));

    [Fact]
    public void Every_F16_and_BF16_pattern_survives_unpacking_and_packing()
    {
        foreach (TensorFormat format in new[] { TensorFormat.F16, TensorFormat.BF16 })
        {
            for (int i = 0; i < 1 << 16; i++)
            {
                var value = new float[1];
                BlockFormat.Dequantize(format, BitConverter.GetBytes((ushort)i), value);
                if (!float.IsNaN(value[0]))
                    Assert.Equal(i, Pack16(format, value[0]));
            }
        }
    }

    [Fact]
    public void Q8_0_bytes_are_the_reference_ones()
    {
        // max 127 → d = 1 = 3C00; halves round away from zero.
        var x = new float[32];
        float[] first = [127, -127, 0.5f, -0.5f, 1.5f, -1.5f, 2.5f, 0.49f, 126.4f];
        first.CopyTo(x, 0);
        byte[] expected = new byte[34];
        new byte[] { 0x00, 0x3C, 127, 0x81, 1, 0xFF, 2, 0xFE, 3, 0, 126 }.CopyTo(expected, 0);
        Assert.Equal(expected, Pack(TensorFormat.Q8_0, x));

        // max 2 → d = 2/127 = 0.015748031…; F16 0x2408 = 2^-6 · (1 + 8/1024) = 0.0157470703125 is the nearest.
        x = new float[32];
        x[31] = -2;
        x[0] = 1;   // 1 · 127/2 = 63.5, or just beside it after the reciprocal; ggml's order of operations decides
        byte[] bytes = Pack(TensorFormat.Q8_0, x);
        Assert.Equal(0x08, bytes[0]);
        Assert.Equal(0x24, bytes[1]);
        Assert.Equal(0x81, bytes[33]);
        Assert.Equal((sbyte)MathF.Round(1 * (1 / (2f / 127)), MidpointRounding.AwayFromZero), (sbyte)bytes[2]);
        Assert.Equal(new byte[34], Pack(TensorFormat.Q8_0, new float[32]));
    }

    [Fact]
    public void Q4_0_bytes_are_the_reference_ones()
    {
        // The largest magnitude is −8 → d = 1, q = trunc(x + 8.5): −8 → 0, 0 → 8, 7 → 15, 7.6 → 16, clamped to 15.
        var x = new float[32];
        x[0] = -8;
        x[1] = 7;
        x[2] = 7.6f;
        x[3] = -0.5f;    // 8.0 → 8
        x[4] = -0.51f;   // 7.99 → 7
        x[16] = 1;
        x[17] = -7.5f;   // 1.0 → 1
        x[31] = 0.5f;    // 9.0 → 9
        byte[] expected = [0x00, 0x3C, 0x90, 0x1F, 0x8F, 0x88, 0x87, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x98];
        Assert.Equal(expected, Pack(TensorFormat.Q4_0, x));

        // A positive maximum of 4 gives d = −0.5 (B800), so +4 is q = 0 and −4, which would be 16, is clamped to 15.
        x = new float[32];
        x[5] = 4;
        x[6] = -4;
        byte[] bytes = Pack(TensorFormat.Q4_0, x);
        Assert.Equal([0x00, 0xB8], bytes[..2]);
        Assert.Equal([0x80, 0x8F], bytes[7..9]);

        // Of equal magnitudes the first one gives the sign.
        x = new float[32];
        x[0] = 2;
        x[1] = -2;
        Assert.Equal(0xB4, Pack(TensorFormat.Q4_0, x)[1]);   // −0.25

        // All zeros: 0 / −8 is −0.
        byte[] zeros = Pack(TensorFormat.Q4_0, new float[32]);
        Assert.Equal([0x00, 0x80, 0x88], zeros[..3]);
    }

    [Fact]
    public void Q8_0_is_off_by_at_most_half_a_step() => s_block.Sample(x =>
    {
        float step = x.Max(Math.Abs) / 127;
        double bound = (step * 0.5 * 1.0001) + (127 * ScaleError(step));
        return Unpack(TensorFormat.Q8_0, Pack(TensorFormat.Q8_0, x)).Zip(x).All(p => Math.Abs(p.First - p.Second) <= bound);
    });

    [Fact]
    public void Q4_0_is_off_by_at_most_a_step() => s_block.Sample(x =>
    {
        float step = x.Max(Math.Abs) / 8;
        double bound = (step * 1.0001) + (8 * ScaleError(step));   // a whole step where the far end is clamped
        return Unpack(TensorFormat.Q4_0, Pack(TensorFormat.Q4_0, x)).Zip(x).All(p => Math.Abs(p.First - p.Second) <= bound);
    });

    public static TheoryData<TensorFormat> Writable => [.. Enum.GetValues<TensorFormat>().Where(FormatInfo.IsWritable)];

    [Theory]
    [MemberData(nameof(Writable))]
    public void Rows_of_every_length_stay_inside_the_fence(TensorFormat format)
    {
        float tolerance = format switch { TensorFormat.Q2_K => 0.45f, TensorFormat.Q3_K => 0.3f, TensorFormat.MXFP4 => 0.26f, _ => 0.14f };
        int step = FormatInfo.BlockLength(format);
        for (int n = step; n <= 257 || n <= 2 * step; n += step)
        {
            using var memory = new FencedMemory();
            Tensor x = memory.Zeros(TensorFormat.F32, 1, n), packed = memory.Zeros(format, 1, n), back = memory.Zeros(TensorFormat.F32, 1, n);
            Tensor importance = memory.Zeros(TensorFormat.F32, 1, n);
            importance.Row(0).Fill(1);
            for (int i = 0; i < n; i++)
                x.Row(0)[i] = MathF.Sin(i);
            foreach (bool weighted in new[] { false, true })
            {
                BlockFormat.Quantize(format, x.Row(0), weighted ? importance.Row(0) : [], packed.RowData(0));
                BlockFormat.Dequantize(format, packed.RowData(0), back.Row(0));
                for (int i = 0; i < n; i++)
                    Assert.Equal(x.Row(0)[i], back.Row(0)[i], tolerance);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Writable))]
    public void Importance_lowers_the_weighted_error(TensorFormat format)
    {
        if (format is TensorFormat.F32 or TensorFormat.F16 or TensorFormat.BF16 or TensorFormat.Q8_0 or TensorFormat.MXFP4)
            return;   // nothing to choose
        var random = new Random(3);
        float[] x = [.. Enumerable.Range(0, 4096).Select(_ => random.NextSingle() - random.NextSingle())];
        float[] importance = [.. Enumerable.Range(0, x.Length).Select(i => i % 7 == 0 ? 100f : 1f)];
        Assert.True(Error(importance) < Error([]) * 0.97);

        double Error(float[] given)
        {
            var packed = new byte[FormatInfo.RowBytes(format, x.Length)];
            BlockFormat.Quantize(format, x, given, packed);
            return Unpack(format, packed).Zip(x, (a, b) => (double)(a - b) * (a - b)).Zip(importance, (e, w) => e * w).Sum();
        }
    }

    [Fact]
    public void What_the_format_cannot_hold_is_refused()
    {
        foreach (float size in new[] { 4e8f, 1e20f, float.MaxValue })
        {
            float[] large = Enumerable.Range(0, 256).Select(i => i == 3 ? -size : size).ToArray();
            foreach (TensorFormat format in Writable.Select(row => row.Data).Where(f => FormatInfo.BlockLength(f) > 1 && f != TensorFormat.MXFP4))
                Assert.Matches("too large|cannot hold", Assert.Throws<ArgumentException>(() => Pack(format, large)).Message);
        }

        Assert.Contains("read only", Assert.Throws<ArgumentException>(() => Pack(TensorFormat.IQ2_XS, new float[256])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => BlockFormat.Quantize(TensorFormat.Q4_0, new float[32], new float[31], new byte[18]));
    }

    [Theory]
    [MemberData(nameof(Writable))]
    public void NaN_and_infinity_are_refused_where_they_would_be_lost(TensorFormat format)
    {
        if (FormatInfo.BlockLength(format) == 1)
            return;
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            var x = new float[256];
            x[7] = bad;
            Assert.Contains(format.ToString(), Assert.Throws<ArgumentException>(() => Pack(format, x)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => BlockFormat.Quantize(TensorFormat.Q8_0, new float[33], new byte[34]));
        Assert.Throws<ArgumentException>(() => BlockFormat.Quantize(TensorFormat.Q8_0, new float[32], new byte[33]));
        Assert.Throws<ArgumentException>(() => BlockFormat.Dequantize(TensorFormat.F16, new byte[5], new float[3]));
        Assert.Throws<ArgumentException>(() => BlockFormat.Dequantize((TensorFormat)99, new byte[4], new float[1]));
    }

    /// <summary>How far rounding to F16 may move a scale; subnormals are 2^-24 apart.</summary>
    private static double ScaleError(double step) => Math.Max(step / 2048, 1.0 / (1 << 25)) * 1.0001;

    private static int Pack16(TensorFormat format, float value) => BitConverter.ToUInt16(Pack(format, [value]));

    private static byte[] Pack(TensorFormat format, float[] x)
    {
        var bytes = new byte[FormatInfo.RowBytes(format, x.Length)];
        BlockFormat.Quantize(format, x, bytes);
        return bytes;
    }

    private static float[] Unpack(TensorFormat format, byte[] bytes)
    {
        var x = new float[bytes.Length / FormatInfo.BlockBytes(format) * FormatInfo.BlockLength(format)];
        BlockFormat.Dequantize(format, bytes, x);
        return x;
    }
}

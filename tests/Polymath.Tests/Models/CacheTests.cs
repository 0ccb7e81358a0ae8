using Polymath.Files;
using Polymath.Generation;
using Polymath.Models;
using Polymath.Models.Layers;
using Polymath.Tensors;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Models;

/// <summary>Cache formats, sliding windows that forget, contexts that are full.</summary>
public sealed class CacheTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(TensorFormat.F16, 0.002)]
    [InlineData(TensorFormat.BF16, 0.02)]
    [InlineData(TensorFormat.Q8_0, 0.02)]
    [InlineData(TensorFormat.Q4_0, 0.5)]
    public void A_cache_in_fewer_bits_changes_the_logits_little(TensorFormat format, double most)
    {
        TinyModel.Write(_path, change: TwoWideHeads);
        using Model model = Model.Load(_path);
        int[] ids = [.. Enumerable.Range(0, 100).Select(i => (i * 37) % TinyModel.Vocabulary)];
        float[] exact = Logits(TensorFormat.F32), rounded = Logits(format);
        double difference = exact.Zip(rounded, (a, b) => Math.Abs(a - b)).Max() / exact.Max(Math.Abs);
        Assert.InRange(difference, 1e-7, most);

        float[] Logits(TensorFormat cache)
        {
            using Session session = model.NewSession(new SessionOptions { KeyFormat = cache, ValueFormat = cache });
            return session.Forward(ids).ToArray();
        }
    }

    [Fact]
    public void A_cache_is_as_small_as_its_format()
    {
        TinyModel.Write(_path, change: TwoWideHeads);
        using Model model = Model.Load(_path);
        var options = new SessionOptions { ContextLength = 128, KeyFormat = TensorFormat.F32, ValueFormat = TensorFormat.F32 };
        long full = model.CacheBytes(options);
        Assert.Equal(2L * 2 * 128 * 32 * sizeof(float), full);
        Assert.Equal(full / 2, model.CacheBytes(options with { KeyFormat = TensorFormat.F16, ValueFormat = TensorFormat.F16 }));
        Assert.Equal(full * 34 / 128, model.CacheBytes(options with { KeyFormat = TensorFormat.Q8_0, ValueFormat = TensorFormat.Q8_0 }));
    }

    [Fact]
    public void A_head_that_does_not_fill_blocks_is_refused()
    {
        TinyModel.Write(_path);   // heads of 16
        using Model model = Model.Load(_path);
        var e = Assert.Throws<ArgumentException>(() => model.NewSession(new SessionOptions { KeyFormat = TensorFormat.Q8_0 }));
        Assert.Contains("head of 16", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sliding_window_keeps_its_window_and_one_batch()
    {
        CacheLayer[] layers = [new(Width: 32, HeadSize: 16, Window: 100), new(Width: 32, HeadSize: 16)];
        long bytes = KvPool.ByteLength(layers, 10_000, 1, 60, TensorFormat.F32, TensorFormat.F32);
        // 159 positions, wherever they begin, lie in at most three pages of 128; 10,000 in 79.
        Assert.Equal(2L * 32 * sizeof(float) * (3 + 79) * Attention.TileLength, bytes);
    }

    [Fact]
    public void Going_back_further_than_a_window_remembers_starts_anew_and_says_so()
    {
        int[] ids = [.. Enumerable.Range(0, 300).Select(i => (i * 37) % TinyFile.Vocabulary)];
        TinyArchitectures.Decoders["gemma2"]().Write(_path);   // a window of 9
        using Model model = Model.Load(_path, new ModelOptions { BatchSize = 16 });
        using Session session = model.NewSession(512);
        session.Forward(ids.AsSpan(0, 50));
        float[] expected = session.Forward(ids.AsSpan(50, 10)).ToArray();
        Assert.Equal(50, session.Rewind(50));
        Assert.Equal(expected, session.Forward(ids.AsSpan(50, 10)).ToArray());
        session.Forward(ids.AsSpan(60, 240));
        Assert.Equal(0, session.Rewind(50));
        Assert.Equal(0, session.Position);
        session.Forward(ids.AsSpan(0, 50));
        Assert.Equal(expected, session.Forward(ids.AsSpan(50, 10)).ToArray());
    }

    [Theory]
    [InlineData(ContextFull.Stop, 0)]
    [InlineData(ContextFull.Shift, 30)]
    public void A_full_context_stops_or_drops_the_older_half_and_says_how_much(ContextFull policy, int dropped)
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using Session session = model.NewSession(32);
        int[] prompt = [256, .. Enumerable.Range(0, 19)];
        var options = new GenerationOptions
        {
            MaxTokens = 40,
            ContextFull = policy,
            KeepTokens = 2,
            Sampling = new SamplingOptions { Temperature = 0 },
        };
        GenerationResult result = Generator.Run(session, prompt, options);
        Assert.Equal(dropped, result.DroppedTokens);
        if (policy == ContextFull.Stop)
        {
            Assert.Equal(StopReason.ContextFull, result.Reason);
            Assert.Equal(13, result.Ids.Count);   // the last one needs no place
            return;
        }

        // What follows the first drop is what a text of just those tokens goes on with.
        Assert.Equal(40, result.Ids.Count);
        int[] all = [.. prompt, .. result.Ids];
        int[] left = [.. all.AsSpan(0, 2), .. all.AsSpan(2 + 15, 15)];
        using Session fresh = model.NewSession(64);
        GenerationResult again = Generator.Run(fresh, [.. left, all[32]], options with { MaxTokens = 10, ContextFull = ContextFull.Stop });
        Assert.Equal(result.Ids.Skip(13).Take(10), again.Ids);
    }

    [Fact]
    public void More_positions_than_the_model_has_vectors_for_are_refused()
    {
        TinyArchitectures.Decoders["gpt2"]().Write(_path);
        using Model model = Model.Load(_path);
        var e = Assert.Throws<ArgumentException>(() => model.NewSession(257));
        Assert.Contains("257", e.Message, StringComparison.Ordinal);
        Assert.Contains("256", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_no_cache_can_hold_is_an_error_about_the_model()
    {
        TinyModel.Write(_path, change: (_, tensors) =>
            tensors.Single(t => t.Name == "blk.0.attn_v.weight").Elements().AsFloats()[0] = float.PositiveInfinity);
        using Model model = Model.Load(_path);
        foreach (TensorFormat format in new[] { TensorFormat.F32, TensorFormat.F16 })
        {
            using Session session = model.NewSession(new SessionOptions { ValueFormat = format });
            Assert.Throws<ModelFormatException>(() => session.Forward([1, 2, 3]).Length);
            Assert.Equal(0, session.Position);
        }
    }

    /// <summary>Two heads of 32 over one: the same widths, but heads that fill blocks of 32.</summary>
    private static void TwoWideHeads(Metadata metadata, List<GgufWriter.Entry> tensors)
    {
        metadata.Set("llama.attention.head_count", 2u);
        metadata.Set("llama.attention.head_count_kv", 1u);
        metadata.Set("llama.attention.key_length", 32u);
        metadata.Set("llama.attention.value_length", 32u);
        metadata.Set("llama.rope.dimension_count", 32u);
    }
}

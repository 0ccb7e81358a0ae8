using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Tests.Files;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Models;

/// <summary>What a model is said to need against what it takes.</summary>
public sealed class MemoryNeedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public MemoryNeedTests() => _path = _folder["model.gguf"];

    public static TheoryData<string> Decoders => [.. TinyArchitectures.Decoders.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Decoders))]
    public void The_need_is_what_a_session_allocates(string name)
    {
        TinyArchitectures.Decoders[name]().Write(_path);
        var options = new SessionOptions { ContextLength = 200, ValueFormat = TensorFormat.F32 };
        using WeightSource source = WeightSource.Open(_path);
        ModelOutline outline = ModelOutline.Read(source);
        using Model model = Model.Load(_path);
        using Session session = model.NewSession(options);
        MemoryNeed need = outline.NeedOf(options);
        Assert.Equal(need with { Mapped = 0, Made = 0 }, model.NeedOf(options));
        Assert.Equal(need.Cache, session.Bytes.Cache);
        Assert.Equal(need.Buffers, session.Bytes.Buffers + model.RopesFor(200).Sum(r => (long)r.Positions * r.RotarySize * sizeof(float)));
        (long, long) before = session.Bytes;
        session.Forward([.. Enumerable.Range(0, 200).Select(i => i % TinyFile.Vocabulary)]);
        Assert.Equal(before, session.Bytes);   // the scratch is an estimate; it would grow where that is short
        Assert.Equal(model.Decoder.Interleaved.Sum(w => InterleavedMatrix.ByteLength(w.Format, w.Rows, w.Columns)), need.Made);
        Assert.Equal(source.Tensors.Where(t => !GuessesLater(t, model)).Sum(t => t.ByteLength), need.Mapped + need.Made);

        static bool GuessesLater(TensorInfo tensor, Model model) =>   // layers of multi-token prediction are not read
            tensor.Name.StartsWith($"blk.{model.Settings.Layers}.", StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_outlined_without_making_its_weights_and_counts_those_that_will_be()
    {
        foreach (TinyFolder folder in TinyFolders.All)
        {
            string path = _folder[folder.Name];
            folder.WriteTo(path);
            using WeightSource source = WeightSource.Open(path);
            if (!Decoder.Supported.Contains(source.Architecture))
                continue;
            ModelOutline outline = ModelOutline.Read(source);
            MemoryNeed need = outline.NeedOf(new SessionOptions());
            long all = source.Tensors.Sum(t => t.ByteLength), made = source.Tensors.Where(t => source.IsMade(t.Name)).Sum(t => t.ByteLength);
            Assert.InRange(need.Made, made, long.MaxValue);
            Assert.InRange(need.Mapped, 0, all - made);
            Assert.InRange(need.Mapped + need.Made, all, long.MaxValue);   // what is copied takes the place of what is mapped

            using var outlined = new WeightOutline(source, small: 1024);   // below the size of these matrices
            Assert.Equal(outline.Settings, Decoder.Load(outlined).Settings);
            Assert.Equal(source.Tensors.Count, outlined.TensorsRead.Count);
        }
    }

    [Fact]
    public void A_token_reads_the_experts_it_uses_one_row_of_the_embedding_and_the_cache_so_far()
    {
        TinyArchitectures.Decoders["mixtral"]().Write(_path);
        using WeightSource source = WeightSource.Open(_path);
        ModelOutline outline = ModelOutline.Read(source);
        var options = new SessionOptions { ContextLength = 100 };
        long experts = source.Tensors.Where(t => t.Name.Contains("_exps.", StringComparison.Ordinal)).Sum(t => t.ByteLength);
        long all = source.Tensors.Sum(t => t.ByteLength);
        long expected = all - experts + (experts / 3) + (TinyFile.Width * sizeof(float));   // two of six; the head is the embedding
        Assert.Equal(expected, outline.BytesPerToken(0, options));
        Assert.Equal(2 * 50 * 2 * 32 * 2, outline.BytesPerToken(50, options) - expected);   // layers, tokens, keys and values, K·S, F16
    }

    [Fact]
    public void With_a_head_of_its_own_the_embedding_is_one_row_and_a_window_bounds_the_cache()
    {
        TinyArchitectures.Decoders["olmo2-window"]().Write(_path);
        using WeightSource source = WeightSource.Open(_path);
        ModelOutline outline = ModelOutline.Read(source);
        var options = new SessionOptions { ContextLength = 100 };
        long embedding = source.Tensors.Single(t => t.Name == "token_embd.weight").ByteLength;
        long weights = source.Tensors.Sum(t => t.ByteLength) - embedding + (TinyFile.Width * sizeof(float));
        Assert.Equal(weights, outline.BytesPerToken(0, options));
        long row = 2 * 32 * 2;
        Assert.Equal(row * ((3 * 9) + 60), outline.BytesPerToken(60, options) - weights);
    }

    [Fact]
    public void The_verdict_tells_mapped_weights_from_memory_of_its_own()
    {
        var need = new MemoryNeed(1000, 10, 20, 30);
        Assert.Equal((60, 1060), (need.Own, need.Total));
        Assert.Equal(MemoryFit.Fits, need.FitIn(new MachineMemory(2000, 1060, false)));
        Assert.Equal(MemoryFit.ExceedsFree, need.FitIn(new MachineMemory(2000, 1059, false)));
        Assert.Equal(MemoryFit.ExceedsFree, need.FitIn(new MachineMemory(60, 0, true)));
        Assert.Equal(MemoryFit.ExceedsMachine, need.FitIn(new MachineMemory(59, 59, true)));
    }

    [Fact]
    public void The_largest_context_fits_and_the_next_step_does_not()
    {
        TinyArchitectures.Decoders["llama"]().Write(_path);
        using WeightSource source = WeightSource.Open(_path);
        ModelOutline outline = ModelOutline.Read(source);
        var options = new SessionOptions { ContextLength = 100_000 };
        long bytes = outline.NeedOf(options).Total / 2;
        int context = outline.LargestContext(options, bytes);
        Assert.InRange(context, 1, 99_999);
        Assert.Equal(0, context % 256);
        Assert.True(outline.NeedOf(options with { ContextLength = context }).Total <= bytes);
        Assert.True(outline.NeedOf(options with { ContextLength = context + 256 }).Total > bytes);
        Assert.Equal(100_000, outline.LargestContext(options, long.MaxValue));
        Assert.Equal(0, outline.LargestContext(options, 1000));
    }

    [Fact]
    public void An_endless_size_is_no_overflow()
    {
        var need = new MemoryNeed(MemoryNeed.Bounded(() => checked(long.MaxValue + (long)_path.Length)), long.MaxValue / 4, long.MaxValue / 4, long.MaxValue / 4);
        Assert.True(need.Total > 0);
        Assert.Equal(MemoryFit.ExceedsMachine, need.FitIn(new MachineMemory(1L << 50, 1L << 50, false)));
    }

    [Fact]
    public void Encoders_are_outlined_too()
    {
        foreach ((string name, Func<TinyFile> make) in TinyArchitectures.Encoders)
        {
            make().Write(_path);
            using WeightSource source = WeightSource.Open(_path);
            ModelOutline outline = ModelOutline.Read(source);
            Assert.True(outline.NeedOf(new SessionOptions()) is { Mapped: > 0, Buffers: > 0 }, name);
        }
    }

    [Fact]
    public void What_loading_refuses_the_outline_refuses()
    {
        TinyModel.Write(_path, change: (metadata, _) => metadata.Set("llama.attention.head_count", 8u));
        using WeightSource source = WeightSource.Open(_path);
        Assert.Throws<ModelFormatException>(() => ModelOutline.Read(source));
    }

    [Theory]
    [InlineData("mixtral")]
    [InlineData("gpt2")]
    [InlineData("qwen35")]
    public void Mutated_models_are_outlined_or_refused_clearly(string name)
    {
        TinyArchitectures.Decoders[name]().Write(_path);
        using GgufFile file = GgufFile.Open(_path);
        new HostileRun($"outline of {name}", 7, [new Specimen(name, File.ReadAllBytes(_path), [], (int)file.DataOffset)], Use).Check(700);

        static void Use(byte[] bytes)
        {
            using WeightSource source = GgufFile.Open(FileImage.FromBytes("test.gguf", bytes));
            ModelOutline outline = ModelOutline.Read(source);
            var options = new SessionOptions { ContextLength = 16 };
            Assert.True(outline.NeedOf(options).Total > 0);
            Assert.True(outline.BytesPerToken(16, options) > 0);
            Assert.InRange(outline.LargestContext(options, long.MaxValue), 16, 16);
        }
    }
}

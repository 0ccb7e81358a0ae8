using System.Text;
using Polymath.Files;
using Polymath.Generation;
using Polymath.Generation.Batching;
using Polymath.Models;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Generation;

/// <summary>Many callers of one model: each gets what he would get alone.</summary>
public sealed class EngineTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(4, 4096, true)]
    [InlineData(3, 300, true)]     // so little room that texts have to wait with what they have written
    [InlineData(5, 300, false)]
    [InlineData(1, 256, true)]
    public async Task Every_answer_is_the_one_a_text_alone_gets(int texts, int cache, bool reuse)
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path, new ModelOptions { Threads = 2 });
        using var engine = new Engine(model, new EngineOptions
        {
            MaxTexts = texts,
            ContextLength = 256,
            CacheTokens = cache,
            PromptTokens = 50,
            PromptTokensBesideOthers = 7,
            ReusePrefixes = reuse,
        });
        var random = new Random(3);
        int[] system = [.. Ids(random, 140)];
        var asked = new List<(int[] Prompt, GenerationOptions Options, PendingAnswer Pending)>();
        for (int i = 0; i < 24; i++)
        {
            int[] prompt = i % 3 == 0 ? [.. system, .. Ids(random, 1 + random.Next(30))] : [.. Ids(random, 1 + random.Next(60))];
            var options = new GenerationOptions { MaxTokens = 1 + random.Next(40), Sampling = new SamplingOptions { Seed = (ulong)i } };
            asked.Add((prompt, options, engine.Start(prompt, options, $"caller {i % 2}", TestContext.Current.CancellationToken)));
            if (i % 5 == 4)
                await asked[i - 2].Pending.Result;
        }

        foreach ((int[] prompt, GenerationOptions options, PendingAnswer pending) in asked)
        {
            var pieces = new StringBuilder();
            await foreach (string piece in pending.Pieces)
                pieces.Append(piece);
            GenerationResult result = await pending.Result;
            using Session session = model.NewSession(256);
            GenerationResult alone = Generator.Run(session, prompt, options);
            Assert.Equal(alone.Ids, result.Ids);
            Assert.Equal(alone.Text, result.Text);
            Assert.Equal(alone.Text, pieces.ToString());
            Assert.Equal(alone.Reason, result.Reason);
            Assert.Equal(prompt.Length, result.PromptTokens);
        }

        EngineStatistics end = engine.Statistics;
        Assert.Equal((0, 0), (end.Running, end.Waiting));
        Assert.Equal(asked.Sum(a => a.Pending.Result.Result.Ids.Count), end.GeneratedTokens);
        Assert.Equal(reuse, end.CachedTokens > 0);
        if (!reuse)
            Assert.Equal(end.Pages, end.FreePages);
    }

    [Theory]
    [InlineData("gemma2")]    // windows
    [InlineData("gpt-oss")]   // windows and experts
    [InlineData("qwen35")]    // recurrent layers, whose beginnings are not kept
    public async Task Other_kinds_of_layers_share_a_model_too(string name)
    {
        TinyArchitectures.Decoders[name]().WithVocabulary(addsBegin: false).Write(_path);
        using Model model = Model.Load(_path, new ModelOptions { Threads = 2 });
        using var engine = new Engine(model, new EngineOptions { MaxTexts = 3, PromptTokens = 40, PromptTokensBesideOthers = 16, ContextLength = 256 });
        var random = new Random(11);
        int[] system = [.. Enumerable.Range(0, 150).Select(_ => random.Next(TinyFile.Vocabulary))];
        for (int round = 0; round < 2; round++)
        {
            (int[] Prompt, PendingAnswer Pending)[] asked = [.. Enumerable.Range(0, 5).Select(i =>
            {
                int[] prompt = [.. system, (i * 7) + round, i];
                return (prompt, engine.Start(prompt, Greedy(20), cancellation: TestContext.Current.CancellationToken));
            })];
            foreach ((int[] prompt, PendingAnswer pending) in asked)
            {
                using Session session = model.NewSession(256);
                Assert.Equal(Generator.Run(session, prompt, Greedy(20)).Ids, (await pending.Result).Ids);
            }
        }

        Assert.Equal(name != "qwen35", engine.Statistics.CachedTokens >= 9 * 128);
    }

    [Fact]
    public async Task The_beginning_of_an_earlier_text_is_not_computed_again()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using var engine = new Engine(model, new EngineOptions { ContextLength = 512 });
        int[] first = [.. Ids(new Random(1), 200)];
        GenerationResult one = await engine.Start(first, Greedy(20), cancellation: TestContext.Current.CancellationToken).Result;
        GenerationResult two = await engine.Start([.. first, .. one.Ids, 7, 8], Greedy(5), cancellation: TestContext.Current.CancellationToken).Result;
        GenerationResult again = await engine.Start(first, Greedy(20), cancellation: TestContext.Current.CancellationToken).Result;
        Assert.Equal(0, one.CachedTokens);
        Assert.Equal(200 + one.Ids.Count - 1, two.CachedTokens);   // the last token written was never computed
        Assert.Equal(199, again.CachedTokens);                     // the last of a prompt is, for its logits
        Assert.Equal(one.Ids, again.Ids);
    }

    [Theory]
    [InlineData("qwen35")]
    [InlineData("qwen3next")]
    public async Task A_text_with_recurrent_layers_that_goes_on_is_not_computed_again(string name)
    {
        TinyArchitectures.Decoders[name]().WithVocabulary(addsBegin: false).Write(_path);
        using Model model = Model.Load(_path);
        using var engine = new Engine(model, new EngineOptions { ContextLength = 256, MaxTexts = 2, PromptTokens = 16 });
        int[] first = [.. Enumerable.Range(0, 40).Select(i => (i * 37) % TinyFile.Vocabulary)];
        GenerationResult one = await engine.Start(first, Greedy(20), cancellation: TestContext.Current.CancellationToken).Result;
        int[] longer = [.. first, .. one.Ids, 7, 8], other = [.. first, 9, 10];
        GenerationResult two = await engine.Start(longer, Greedy(5), cancellation: TestContext.Current.CancellationToken).Result;
        GenerationResult three = await engine.Start(other, Greedy(5), cancellation: TestContext.Current.CancellationToken).Result;
        Assert.Equal(first.Length + one.Ids.Count - 1, two.CachedTokens);
        Assert.Equal(first.Length, three.CachedTokens);   // back to the end of the first prompt
        foreach ((int[] prompt, GenerationResult result) in new[] { (longer, two), (other, three) })
        {
            using Session session = model.NewSession(256);
            Assert.Equal(Generator.Run(session, prompt, Greedy(5)).Ids, result.Ids);
        }
    }

    [Fact]
    public async Task A_cancelled_answer_gives_its_pages_back_and_the_others_go_on()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using var engine = new Engine(model, new EngineOptions { MaxTexts = 2, ReusePrefixes = false, ContextLength = 4096 });
        using var cancel = new CancellationTokenSource();
        var endless = new GenerationOptions { Sampling = new SamplingOptions { Seed = 1, LogitBias = Unending(model) } };
        PendingAnswer first = engine.Start([1, 2, 3], endless, cancellation: cancel.Token);
        PendingAnswer second = engine.Start([1, 2, 3], endless with { MaxTokens = 300 }, cancellation: TestContext.Current.CancellationToken);
        PendingAnswer waits = engine.Start([5], endless, cancellation: cancel.Token);
        await foreach (string piece in first.Pieces)
            await cancel.CancelAsync();
        Assert.Equal(StopReason.Cancelled, (await first.Result).Reason);
        Assert.Equal(StopReason.Cancelled, (await waits.Result).Reason);
        Assert.Equal(300, (await second.Result).Ids.Count);
        await engine.DrainAsync();
        Assert.Equal(engine.Statistics.Pages, engine.Statistics.FreePages);
    }

    [Fact]
    public async Task A_caller_with_many_requests_does_not_keep_another_waiting()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using var engine = new Engine(model, new EngineOptions { MaxTexts = 2, ContextLength = 512 });
        var options = new GenerationOptions { MaxTokens = 30, Sampling = new SamplingOptions { Seed = 1, LogitBias = Unending(model) } };
        PendingAnswer[] many = [.. Enumerable.Range(0, 12).Select(i => engine.Start([i, 1], options, "many", TestContext.Current.CancellationToken))];
        PendingAnswer one = engine.Start([50, 2], options, "one", TestContext.Current.CancellationToken);
        await one.Result;
        Assert.InRange(many.Count(m => m.Result.IsCompleted), 0, 4);   // of the two before it, and their successors at most
        await Task.WhenAll(many.Select(m => m.Result));
    }

    [Fact]
    public void A_long_prompt_is_read_in_parts_beside_the_answers_of_others()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        using var scheduler = new Scheduler(model, new EngineOptions { ContextLength = 1024, PromptTokens = 100, PromptTokensBesideOthers = 20 });
        var options = new GenerationOptions { MaxTokens = 200, Sampling = new SamplingOptions { Seed = 1, LogitBias = Unending(model) } };
        scheduler.Take([scheduler.NewRequest([1, 2], options, "", default)]);
        scheduler.Step();
        scheduler.Take([scheduler.NewRequest([.. Ids(new Random(1), 500)], options, "", default)]);
        scheduler.Publish();
        EngineStatistics before = scheduler.Statistics;
        for (int step = 0; step < 25; step++)
        {
            scheduler.Step();
            scheduler.Publish();
            EngineStatistics now = scheduler.Statistics;
            Assert.Equal(20, now.PromptTokens - before.PromptTokens);
            Assert.Equal(step < 24 ? 1 : 2, now.GeneratedTokens - before.GeneratedTokens);
            before = now;
        }
    }

    [Fact]
    public async Task What_cannot_be_done_is_refused_at_once()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        var engine = new Engine(model, new EngineOptions { MaxTexts = 1, MaxWaiting = 1, ContextLength = 64 });
        CancellationToken none = TestContext.Current.CancellationToken;
        Assert.Throws<ArgumentException>(() => engine.Start([], Greedy(1), cancellation: none));
        Assert.Throws<ArgumentException>(() => engine.Start([TinyModel.Vocabulary], Greedy(1), cancellation: none));
        Assert.Throws<ArgumentException>(() => engine.Start([1], Greedy(1) with { ContextFull = ContextFull.Shift }, cancellation: none));
        string message = Assert.Throws<ArgumentException>(() => engine.Start(new int[65], Greedy(1), cancellation: none)).Message;
        Assert.Contains("65", message, StringComparison.Ordinal);
        Assert.Contains("64", message, StringComparison.Ordinal);
        using (var cancel = new CancellationTokenSource())
        {
            var long_ = new GenerationOptions { Sampling = new SamplingOptions { Seed = 1, LogitBias = Unending(model) } };
            PendingAnswer full = engine.Start(new int[64], long_, cancellation: none);
            Assert.Equal(StopReason.ContextFull, (await full.Result).Reason);
            Assert.Single((await full.Result).Ids);
            PendingAnswer[] two = [engine.Start([1], long_, cancellation: none), engine.Start([2], long_, cancellation: none)];
            Assert.True(Record.Exception(() => engine.Start([3], long_, cancellation: none)) is null or EngineBusyException);
            await Task.WhenAll(two.Select(t => t.Result));
        }

        await engine.DrainAsync();
        Assert.Throws<ObjectDisposedException>(() => engine.Start([1], Greedy(1), cancellation: none));
        engine.Dispose();
    }

    [Fact]
    public async Task Disposing_ends_what_is_being_written()
    {
        TinyModel.Write(_path);
        using Model model = Model.Load(_path);
        var engine = new Engine(model, new EngineOptions { ContextLength = 4096 });
        var endless = new GenerationOptions { Sampling = new SamplingOptions { Seed = 1, LogitBias = Unending(model) } };
        PendingAnswer pending = engine.Start([1], endless, cancellation: TestContext.Current.CancellationToken);
        engine.Dispose();
        Assert.True((await pending.Result).Reason is StopReason.Cancelled);
    }

    [Fact]
    public async Task Damaged_weights_are_an_error_for_the_one_who_asks()
    {
        TinyModel.Write(_path, change: (_, tensors) =>
            tensors.Single(t => t.Name == "token_embd.weight").Elements().Row(7)[0] = float.NaN);
        using Model model = Model.Load(_path);
        using var engine = new Engine(model, new EngineOptions { ContextLength = 64 });
        var options = Greedy(10) with { Sampling = new SamplingOptions { Temperature = 0, LogitBias = new Dictionary<int, float> { [7] = float.NegativeInfinity } } };
        PendingAnswer bad = engine.Start([7], options, cancellation: TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<ModelFormatException>(() => bad.Result);
        await Assert.ThrowsAsync<ModelFormatException>(async () =>
        {
            await foreach (string piece in bad.Pieces)
                Assert.Fail(piece);
        });
    }

    private static IEnumerable<int> Ids(Random random, int count) => Enumerable.Range(0, count).Select(_ => random.Next(TinyModel.Vocabulary));

    private static GenerationOptions Greedy(int tokens) => new() { MaxTokens = tokens, Sampling = new SamplingOptions { Temperature = 0 } };

    /// <summary>No token that ends a text.</summary>
    private static Dictionary<int, float> Unending(Model model) =>
        Enumerable.Range(0, model.Tokenizer.VocabularySize).Where(model.Tokenizer.IsEndOfGeneration).ToDictionary(id => id, _ => float.NegativeInfinity);
}

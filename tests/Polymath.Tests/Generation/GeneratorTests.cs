using System.Text;
using Polymath.Generation;
using Polymath.Models;
using Xunit;

namespace Polymath.Tests.Generation;

public sealed class GeneratorTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");
    private readonly Model _model;

    public GeneratorTests()
    {
        // Without an end token: a random model would draw it now and then.
        TinyModel.Write(_path, change: (metadata, _) =>
        {
            metadata.Remove("tokenizer.ggml.eos_token_id");
            metadata.GetArray<string>("tokenizer.ggml.tokens")![256] = "<begin>";
        });
        _model = Model.Load(_path);
    }

    public void Dispose()
    {
        _model.Dispose();
        File.Delete(_path);
    }

    private static GenerationOptions Options(int tokens, ulong seed = 5, params string[] stop) => new()
    {
        MaxTokens = tokens,
        Stop = stop,
        Sampling = new SamplingOptions { Seed = seed, Temperature = 1.5f, TopK = 0, TopP = 1, MinP = 0 },
    };

    private GenerationResult Run(GenerationOptions options, TextSink? sink = null, int context = 0, CancellationToken cancellation = default)
    {
        using Session session = _model.NewSession(context);
        return Generator.Run(session, _model.Tokenizer.Encode("Hi"), options, sink, cancellation);
    }

    [Fact]
    public void The_streamed_pieces_joined_are_the_collected_text()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            var streamed = new StringBuilder();
            GenerationResult result = Run(Options(60, seed), piece => streamed.Append(piece));
            Assert.Equal(result.Text, streamed.ToString());
            Assert.Equal(_model.Tokenizer.Decode([.. result.Ids]), result.Text);
        }
    }

    [Fact]
    public void The_reported_seed_gives_the_same_text_again()
    {
        GenerationResult first = Run(Options(40) with { Sampling = new SamplingOptions() });
        GenerationResult again = Run(Options(40) with { Sampling = new SamplingOptions { Seed = first.Seed } });
        Assert.Equal(first.Ids, again.Ids);
    }

    [Fact]
    public void An_end_token_ends_the_answer_and_is_not_part_of_it()
    {
        TinyModel.Write(_path + ".end");
        using Model model = Model.Load(_path + ".end");
        File.Delete(_path + ".end");
        int ended = 0;
        for (ulong seed = 0; seed < 40; seed++)
        {
            using Session session = model.NewSession();
            GenerationResult result = Generator.Run(session, [1, 2], Options(100, seed));
            Assert.DoesNotContain(256, result.Ids);
            ended += result.Reason == StopReason.EndOfText ? 1 : 0;
        }

        Assert.InRange(ended, 1, 39);
    }

    [Fact]
    public void The_number_of_tokens_is_kept()
    {
        foreach (int count in new[] { 0, 1, 7 })
        {
            GenerationResult result = Run(Options(count));
            Assert.Equal(StopReason.MaxTokens, result.Reason);
            Assert.Equal(count, result.Ids.Count);
        }
    }

    [Fact]
    public void A_full_context_ends_the_answer()
    {
        GenerationResult result = Run(Options(-1), context: 12);
        Assert.Equal(StopReason.ContextFull, result.Reason);
        Assert.Equal(12 - 3 + 1, result.Ids.Count);    // begin, H, i; the last token need not go through the model
    }

    [Fact]
    public void A_stop_text_ends_the_answer_and_is_not_part_of_it()
    {
        string whole = Run(Options(60)).Text;
        string stop = whole.Substring(whole.Length / 2, 3);
        GenerationResult result = Run(Options(60, 5, stop));
        Assert.Equal(StopReason.StopText, result.Reason);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], result.Text);
    }

    [Fact]
    public void Cancelling_ends_the_answer_and_keeps_what_was_written()
    {
        using var cancel = new CancellationTokenSource();
        int pieces = 0;
        GenerationResult result = Run(Options(-1), _ => { if (++pieces == 5) cancel.Cancel(); }, cancellation: cancel.Token);
        Assert.Equal(StopReason.Cancelled, result.Reason);
        Assert.InRange(result.Ids.Count, 5, 40);
        Assert.NotEmpty(result.Text);
    }
}

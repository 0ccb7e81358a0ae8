using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Tests.Files;
using Polymath.Training;
using Xunit;

namespace Polymath.Tests.Training;

public sealed class StartingModelTests
{
    [Fact]
    public void A_run_starts_from_the_weights_sizes_and_vocabulary_of_the_model()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions first = Runs.Options(folder.Path, "first.gguf", 30);
        double learned = Trainer.Run(first).ValidationLoss!.Value;
        // A learning rate of almost nothing: what comes out is what went in.
        TrainingOptions second = Further(first, folder["second.gguf"]) with { Steps = 1, HighestRate = 1e-12, LowestRate = 0 };
        Assert.Equal(learned, Trainer.Run(second).ValidationLoss!.Value, 4);

        using WeightSource a = WeightSource.Open(first.Output), b = WeightSource.Open(second.Output);
        Assert.Equal(a.Metadata.GetArray<string>("tokenizer.ggml.tokens"), b.Metadata.GetArray<string>("tokenizer.ggml.tokens"));
        Assert.Equal(ModelSettings.Read(a), ModelSettings.Read(b));
    }

    [Fact]
    public void It_goes_on_bit_for_bit_after_an_interruption_and_insists_on_the_same_start()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions first = Runs.Options(folder.Path, "first.gguf", 10);
        Trainer.Run(first);
        TrainingOptions whole = Further(first, folder["whole.gguf"]) with { Name = "same" }, parts = whole with { Output = folder["parts.gguf"] };
        Trainer.Run(whole);
        Runs.Until(5, parts);
        Trainer.Run(parts);
        Assert.Equal(File.ReadAllBytes(whole.Output), File.ReadAllBytes(parts.Output));

        TrainingOptions broken = whole with { Output = folder["broken.gguf"] };
        Runs.Until(5, broken);
        var e = Assert.Throws<TrainingException>(() => Trainer.Run(broken with { From = whole.Output }));
        Assert.Contains("the model of --from is not the same", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_in_any_format_are_taken()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions first = Runs.Options(folder.Path, "first.gguf", 20) with { Width = 32, Format = TensorFormat.Q8_0 };
        double learned = Trainer.Run(first).ValidationLoss!.Value;
        TrainingOptions second = Further(first, folder["second.gguf"]) with { Steps = 1, HighestRate = 1e-12, LowestRate = 0 };
        Assert.Equal(learned, Trainer.Run(second).ValidationLoss!.Value, 1);
    }

    [Fact]
    public void What_contradicts_the_model_is_refused()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions first = Runs.Options(folder.Path, "first.gguf", 2);
        Trainer.Run(first);
        TrainingOptions next = Further(first, folder["next.gguf"]);
        Refused(next with { Width = 32 }, "--width 32 contradicts the model of --from, which has 16");
        Refused(next with { Tied = false }, "--no-tied contradicts");
        Refused(next with { VocabularySize = 300 }, "--vocab-size are for new models");
        Refused(next with { Output = first.Output, Overwrite = true }, "is the model to start from");

        static void Refused(TrainingOptions options, string message)
        {
            var e = Assert.Throws<TrainingException>(() => Trainer.Run(options));
            Assert.Contains(message, e.Message, StringComparison.Ordinal);
        }
    }

    private static TrainingOptions Further(TrainingOptions first, string output) => first with
    {
        From = first.Output,
        Output = output,
        VocabularySize = null,
        Layers = null,
        Width = null,
        Heads = null,
        KeyValueHeads = null,
        FeedForward = null,
        Context = null,
        Seed = 7,
    };
}

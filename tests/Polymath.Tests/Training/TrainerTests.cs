using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Tests.Files;
using Polymath.Training;
using Xunit;

namespace Polymath.Tests.Training;

public sealed class TrainerTests
{
    [Fact]
    public void A_run_writes_a_model_that_loads_and_lowers_the_loss()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path, steps: 60) with { HighestRate = 0.01, Name = "Tiny", License = "Apache-2.0" };
        var losses = new List<double>();
        TrainingReport report = Trainer.Run(options, p => losses.Add(p.Loss));

        Assert.Equal(TrainingEnd.Completed, report.End);
        Assert.Equal(60, losses.Count);
        Assert.InRange(losses[0], Math.Log(280) - 0.5, Math.Log(280) + 0.5);
        Assert.True(losses[^1] < losses[0] - 1, $"{losses[0]} to {losses[^1]}");
        Assert.NotNull(report.ValidationLoss);
        using Model model = Model.Load(options.Output);
        Assert.Equal(280, model.Tokenizer.VocabularySize);
        Assert.Equal(2, model.Settings.KeyValueHeads);
        Assert.Equal("Tiny", model.Source.Metadata.GetString("general.name"));
        Assert.Equal("Apache-2.0", model.Source.Metadata.GetString("general.license"));
        Assert.Equal(60, model.Source.Metadata.GetInt32("polymath.training.step"));
        Assert.Contains("</svg>", File.ReadAllText(report.ChartPath), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 2)]
    [InlineData(11, 3)]
    public void A_run_that_was_stopped_ends_with_the_bits_of_one_that_was_not(int stop, int threads)
    {
        using var folder = new TemporaryFolder();
        TrainingOptions whole = Runs.Options(folder.Path, "whole.gguf"), parts = Runs.Options(folder.Path, "parts.gguf");
        whole = whole with { Name = "same" };
        parts = parts with { Name = "same" };
        TrainingReport expected = Trainer.Run(whole);
        TrainingReport first = Runs.Until(stop, parts);
        Assert.Equal(TrainingEnd.Cancelled, first.End);
        Assert.Equal(stop, first.Step);
        TrainingReport second = Trainer.Run(parts with { Threads = threads, Resume = true });

        Assert.Equal(TrainingEnd.Completed, second.End);
        Assert.Equal(Runs.NewestCheckpoint(whole.Output), Runs.NewestCheckpoint(parts.Output));
        Assert.Equal(File.ReadAllBytes(whole.Output), File.ReadAllBytes(parts.Output));
        Assert.Equal(Runs.Log(whole.Output), Runs.Log(parts.Output));
        Assert.Equal(expected.SmoothedLoss, second.SmoothedLoss);
        Assert.Equal(expected.ValidationLoss, second.ValidationLoss);
    }

    [Fact]
    public void Minutes_end_a_run_and_the_same_call_goes_on()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path);
        Assert.Equal(TrainingEnd.OutOfTime, Trainer.Run(options with { Minutes = 1e-9 }).End);
        Assert.True(File.Exists(options.Output));
        Assert.Equal(TrainingEnd.Completed, Trainer.Run(options).End);
        TrainingReport again = Trainer.Run(options);   // nothing left to do
        Assert.Equal((TrainingEnd.Completed, 12), (again.End, again.Step));
    }

    [Fact]
    public void Lines_of_the_log_behind_the_checkpoint_are_dropped()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path);
        Runs.Until(5, options);
        string log = Path.ChangeExtension(options.Output, ".train.jsonl");
        // As a crash after step 7, in the middle of a line, would leave it.
        string fifth = File.ReadAllLines(log)[4];
        File.AppendAllText(
            log, fifth.Replace("\"step\":5", "\"step\":6", StringComparison.Ordinal) + "\n"
            + fifth.Replace("\"step\":5", "\"step\":7", StringComparison.Ordinal) + "\n{\"step\":8,\"tok");
        Trainer.Run(options);
        string[] lines = File.ReadAllLines(log);
        Assert.Equal(12, lines.Length);
        for (int i = 0; i < lines.Length; i++)
            Assert.StartsWith($"{{\"step\":{i + 1},", lines[i], StringComparison.Ordinal);
    }

    [Fact]
    public void Other_options_than_those_of_the_checkpoint_are_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path);
        Runs.Until(2, options);
        byte[] before = Runs.NewestCheckpoint(options.Output);
        var e = Assert.Throws<TrainingException>(() => Trainer.Run(options with { Steps = 13, Seed = 2, Layers = 1 }));
        Assert.Contains("--steps was 12, now 13", e.Message, StringComparison.Ordinal);
        Assert.Contains("--seed was 1, now 2", e.Message, StringComparison.Ordinal);
        Assert.Contains("--layers was 2, now 1", e.Message, StringComparison.Ordinal);
        File.AppendAllText(options.Data[0], "more");
        e = Assert.Throws<TrainingException>(() => Trainer.Run(options));
        Assert.Contains("the data is not the same", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Runs.NewestCheckpoint(options.Output));
    }

    [Fact]
    public void A_model_without_a_checkpoint_is_not_overwritten_unasked()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path, steps: 2);
        File.WriteAllText(options.Output, "precious");
        Assert.Contains("--overwrite", Assert.Throws<TrainingException>(() => Trainer.Run(options)).Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(options.Output));
        Assert.False(Directory.Exists(options.Output + ".checkpoint"));
        Trainer.Run(options with { Overwrite = true });
        Assert.NotEqual("precious", File.ReadAllText(options.Output));
    }

    [Fact]
    public void A_damaged_checkpoint_is_passed_over_for_the_one_before()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions whole = Runs.Options(folder.Path, "whole.gguf"), options = Runs.Options(folder.Path) with { CheckpointSteps = 3 };
        Trainer.Run(whole);
        Runs.Until(9, options);
        string[] data = [.. Directory.GetFiles(options.Output + ".checkpoint", "*.data").Order(StringComparer.Ordinal)];
        Assert.Equal(["step-000000006.data", "step-000000009.data"], data.Select(Path.GetFileName));
        byte[] bytes = File.ReadAllBytes(data[1]);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(data[1], bytes);
        var told = new List<string>();
        Trainer.Run(options, tell: told.Add);
        Assert.Contains(told, line => line.Contains("step-000000009.json: damaged", StringComparison.Ordinal));
        Assert.Contains(told, line => line.Contains("going on from step 6", StringComparison.Ordinal));
        Assert.Equal(Runs.NewestCheckpoint(whole.Output), Runs.NewestCheckpoint(options.Output));
        Assert.Equal(Runs.Log(whole.Output), Runs.Log(options.Output));

        foreach (string file in Directory.GetFiles(options.Output + ".checkpoint", "*.json"))
            File.WriteAllText(file, "{\"step\":");
        Assert.Contains("damaged", Assert.Throws<TrainingException>(() => Trainer.Run(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_process_at_a_time_trains_a_model()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path);
        using var held = new CheckpointFolder(options.Output + ".checkpoint");
        Assert.Contains("another process", Assert.Throws<TrainingException>(() => Trainer.Run(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path, steps: 400) with
        {
            HighestRate = 1,
            LowestRate = 1,
            Warmup = 0,
            Clip = 0,
            WeightDecay = 10,
            CheckpointSteps = 1,
            SampleSteps = 0,
            EvaluationSteps = 0,
        };
        var e = Assert.Throws<TrainingException>(() => Trainer.Run(options));
        Assert.Contains("no number", e.Message, StringComparison.Ordinal);
        Assert.NotEmpty(Runs.NewestCheckpoint(options.Output));
    }

    [Fact]
    public void A_vocabulary_is_taken_from_another_model()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions first = Runs.Options(folder.Path, "first.gguf", steps: 1);
        Trainer.Run(first);
        TrainingOptions second = Runs.Options(folder.Path, "second.gguf", steps: 1) with { Vocabulary = first.Output, VocabularySize = null };
        Trainer.Run(second);
        using GgufFile a = GgufFile.Open(first.Output), b = GgufFile.Open(second.Output);
        Assert.Equal(a.Metadata.GetArray<string>("tokenizer.ggml.tokens"), b.Metadata.GetArray<string>("tokenizer.ggml.tokens"));
    }

    [Theory]
    [InlineData(TensorFormat.F16)]
    [InlineData(TensorFormat.BF16)]
    [InlineData(TensorFormat.Q8_0)]
    public void Matrices_are_stored_as_asked(TensorFormat format)
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path, steps: 1) with { Format = format, Width = 32 };
        Trainer.Run(options);
        using GgufFile file = GgufFile.Open(options.Output);
        Assert.Equal(format, file.Tensors.Single(t => t.Name == "blk.1.attn_q.weight").Format);
        Assert.Equal(TensorFormat.F32, file.Tensors.Single(t => t.Name == "blk.1.attn_norm.weight").Format);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Inference_gives_the_logits_that_training_saw(bool tied)
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path, steps: 30) with { Tied = tied, HighestRate = 0.01 };
        Trainer.Run(options);
        using Model model = Model.Load(options.Output);
        using Session session = model.NewSession();
        using var team = new ThreadTeam(1);
        using var training = new TrainingModel(team, model.Settings, tied, 1, 16);
        foreach (Parameter p in training.Weights.Parameters)
            model.Source.Read(p.Name, p.Rows, p.Columns).AsFloats().CopyTo(training.Weights.View(p.Name).AsFloats());
        int[] ids = model.Tokenizer.Encode("the cat sat on a mat and then")[..12];
        float[] expected = training.Logits(ids).ToArray(), found = session.Forward(ids).ToArray();
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], found[i], 1e-4f);
    }
}

using Polymath.Tests.Files;
using Polymath.Training;
using Xunit;

namespace Polymath.Tests.Training;

public sealed class CoolDownTests
{
    [Fact]
    public void The_rate_falls_from_where_it_was_to_the_lowest_and_never_rises()
    {
        var planned = new LearningRate(1e-2, 1e-3, 5, 100);
        LearningRate cooled = planned with { CoolDown = new CoolDown(40, 10) };
        Assert.Equal(50, cooled.End);
        for (int step = 0; step < 40; step++)
            Assert.Equal(planned.At(step), cooled.At(step));
        for (int step = 40; step < 50; step++)
            Assert.True(cooled.At(step) < cooled.At(step - 1));
        Assert.Equal(1e-3, cooled.At(49), 12);
    }

    [Fact]
    public void A_cool_down_ends_a_longer_run_early_and_survives_interruption_bit_for_bit()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions whole = Runs.Options(folder.Path, "whole.gguf", 40) with { Name = "same" };
        TrainingOptions parts = whole with { Output = folder["parts.gguf"] };
        var rates = new List<double>();
        Runs.Until(6, whole);
        TrainingReport expected = Trainer.Run(whole with { CoolDown = 8 }, p => rates.Add(p.LearningRate));
        Assert.Equal((TrainingEnd.Completed, 14, 14), (expected.End, expected.Step, expected.Steps));
        Assert.Equal(8, rates.Count);

        Runs.Until(6, parts);
        Runs.Until(9, parts with { CoolDown = 8 });
        Assert.Equal(14, Trainer.Run(parts with { CoolDown = 8, Threads = 2 }).Step);
        Assert.Equal(Runs.NewestCheckpoint(whole.Output), Runs.NewestCheckpoint(parts.Output));
        Assert.Equal(File.ReadAllBytes(whole.Output), File.ReadAllBytes(parts.Output));
    }

    [Fact]
    public void A_cool_down_that_was_begun_is_neither_forgotten_nor_changed()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Runs.Options(folder.Path, steps: 40);
        var e = Assert.Throws<TrainingException>(() => Trainer.Run(options with { CoolDown = 5 }));
        Assert.Contains("no checkpoint", e.Message, StringComparison.Ordinal);
        Runs.Until(3, options);
        Runs.Until(5, options with { CoolDown = 8 });
        e = Assert.Throws<TrainingException>(() => Trainer.Run(options));
        Assert.Contains("--cool-down was 3+8, now none", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<TrainingException>(() => Trainer.Run(options with { CoolDown = 9 }));
        Assert.Contains("--cool-down was 3+8, now 3+9", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<TrainingException>(() => Trainer.Run(options with { CoolDown = 8, Seed = 2 }));
        Assert.Contains("--seed was 1, now 2", e.Message, StringComparison.Ordinal);
    }
}

using Polymath.Tests.Cli;
using Polymath.Tests.Files;
using Xunit;

namespace Polymath.Tests.Training;

public sealed class TrainCommandTests
{
    private static readonly string[] Small =
        ["--vocab-size", "280", "--layers", "1", "--width", "16", "--heads", "2", "--ffn", "24", "--context", "16", "--batch", "2", "-t", "1"];

    [Fact]
    public void What_train_writes_runs()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["data.txt"], Runs.Text(2000));
        CliRun run = CliRun.Of(["train", "--data", folder["data.txt"], "-o", folder["m.gguf"], "--steps", "5", "--log-every", "1", .. Small]);
        Assert.True(run.Code == 0, run.Error);
        Assert.Empty(run.Output);
        Assert.Contains("step 5/5", run.Error, StringComparison.Ordinal);
        Assert.Contains("validation loss", run.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(folder["m.loss.svg"]) && File.Exists(folder["m.train.jsonl"]));
        Assert.NotEmpty(CliRun.Succeed("run", "-m", folder["m.gguf"], "-p", "the cat", "-n", "5", "--seed", "1"));
    }

    [Theory]
    [InlineData("--data is missing", "-o", "m.gguf")]
    [InlineData("-o is missing", "--data", "x.txt")]
    [InlineData("exclude each other", "--data", "x.txt", "-o", "m.gguf", "--tied", "--no-tied")]
    [InlineData("--format takes", "--data", "x.txt", "-o", "m.gguf", "--format", "Q9")]
    [InlineData("--steps takes", "--data", "x.txt", "-o", "m.gguf", "--steps", "0")]
    public void A_command_line_that_makes_no_sense_is_refused_with_2(string message, params string[] args)
    {
        CliRun run = CliRun.Of(["train", .. args]);
        Assert.Equal(2, run.Code);
        Assert.Contains(message, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no such file")]
    [InlineData("--width 30 does not split into 4 heads", "--width", "30", "--heads", "4")]
    [InlineData("only one of", "--steps", "5", "--epochs", "2")]
    [InlineData("--min-lr cannot be 2", "--lr", "0.1", "--min-lr", "2")]
    public void What_cannot_be_trained_is_one_line_and_1(string message, params string[] args)
    {
        using var folder = new TemporaryFolder();
        if (args.Length > 0)
            File.WriteAllText(folder["data.txt"], Runs.Text(2000));
        CliRun run = CliRun.Of(["train", "--data", folder["data.txt"], "-o", folder["m.gguf"], "--vocab-size", "280", "--context", "16", .. args]);
        Assert.Equal(1, run.Code);
        Assert.Contains(message, run.ErrorLines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["m.gguf"]));
    }

    [Fact]
    public void An_interrupt_leaves_a_checkpoint_and_130()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["data.txt"], Runs.Text(2000));
        using var error = new InterruptAtStep(3);
        using var terminal = new Polymath.Cli.Terminal(new MemoryStream(), new MemoryStream(), error);
        error.Terminal = terminal;
        string[] args = ["train", "--data", folder["data.txt"], "-o", folder["m.gguf"], "--steps", "1000", "--log-every", "1", .. Small];
        Assert.Equal(130, Polymath.Cli.CommandLine.Run(args, terminal));
        Assert.Contains("the same command goes on", error.ToString(), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(folder["m.gguf.checkpoint"], "step-000000003.json"));
    }

    /// <summary>A standard error that presses Ctrl-C when it reads of a step.</summary>
    private sealed class InterruptAtStep(int step) : StringWriter
    {
        public Polymath.Cli.Terminal? Terminal { get; set; }

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith($"step {step}/", StringComparison.Ordinal) == true)
                Terminal!.Interrupt();
        }
    }
}

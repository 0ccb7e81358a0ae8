using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Polymath.Generation;
using Polymath.Tests.Files;
using Polymath.Training;
using Xunit;

namespace Polymath.Tests.Training;

public sealed class KillTests
{
    private const int Rounds = 50, Steps = 100_000;

    [Fact]
    public void Fifty_kills_while_checkpoints_are_written_change_no_bit_and_lose_no_step_that_was_saved()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Options(folder.Path, "killed.gguf"), whole = Options(folder.Path, "whole.gguf");
        Runs.Until(1, options);
        var random = new RandomSource(17);
        int last = 1, resumed = 0;
        for (int round = 0; round < Rounds; round++)
        {
            (int from, int seen) = RunAndKill(options, 1 + random.NextInt32(4), random.NextInt32(30));
            Assert.True(from >= last - 1, $"round {round}: step {last - 1} was saved, the run went on from {from}");
            last = Math.Max(from, seen);
            resumed = from;
        }

        Assert.True(resumed > Rounds, $"only {resumed} steps: the rounds were too short to show anything");
        TrainingReport report = Runs.Until(last + 3, options);
        Assert.Equal(last + 3, report.Step);
        Runs.Until(last + 3, whole);
        Assert.Equal(Runs.NewestCheckpoint(whole.Output), Runs.NewestCheckpoint(options.Output));
        Assert.Equal(Runs.Log(whole.Output), Runs.Log(options.Output));
        Assert.Empty(Directory.GetFiles(options.Output + ".checkpoint", ".*"));   // what the kills left was cleared away
    }

    private static TrainingOptions Options(string folder, string output) => Runs.Options(folder, output, Steps) with
    {
        Layers = 1,
        Accumulate = 1,
        Batch = 1,
        Warmup = 10,
        HighestRate = 0.001,
        LowestRate = 0.0001,
        CheckpointMinutes = 1000,
        EvaluationSteps = 0,
        SampleSteps = 0,
    };

    /// <summary>Starts the command line, waits for some steps and a moment longer, and kills it.</summary>
    /// <returns>The step it went on from, and the last step it told of.</returns>
    private static (int From, int Seen) RunAndKill(TrainingOptions o, int steps, int milliseconds)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Polymath.Cli.exe" : "Polymath.Cli"))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        FormattableString arguments =
            $"train --data {o.Data[0]} -o {o.Output} --vocab-size {o.VocabularySize} --layers {o.Layers} --width {o.Width} --heads {o.Heads} --kv-heads {o.KeyValueHeads} --ffn {o.FeedForward} --context {o.Context} --batch {o.Batch} --steps {o.Steps} --warmup {o.Warmup} --lr {o.HighestRate} --min-lr {o.LowestRate} --checkpoint-every 1000 --checkpoint-steps 1 --log-every 1 --eval-every 0 --sample-every 0 -t 1 --resume";
        foreach (string word in arguments.ToString(CultureInfo.InvariantCulture).Split(' '))
            start.ArgumentList.Add(word);
        using Process child = Process.Start(start)!;
        int from = -1, seen = -1;
        var said = new List<string>();
        while (child.StandardError.ReadLine() is { } line)
        {
            said.Add(line);
            if (from < 0 && Regex.Match(line, @"^going on from step ([\d,]+)") is { Success: true } at)
            {
                from = Number(at);
            }
            else if (Regex.Match(line, @"^step ([\d,]+)/") is { Success: true } step)
            {
                seen = Number(step);
                if (--steps == 0)
                    break;
            }
        }

        Thread.Sleep(milliseconds);
        child.Kill();
        foreach (Match step in Regex.Matches(child.StandardError.ReadToEnd(), @"^step ([\d,]+)/", RegexOptions.Multiline))
            seen = Number(step);
        child.WaitForExit();
        Assert.True(from >= 0 && seen > from, string.Join('\n', said));
        return (from, seen);
    }

    private static int Number(Match match) => int.Parse(match.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
}

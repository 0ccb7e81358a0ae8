using System.Text;
using Polymath.Generation;
using Polymath.Training;

namespace Polymath.Tests.Training;

/// <summary>Small training runs: their text, their options.</summary>
internal static class Runs
{
    /// <summary>A text of known words in random order.</summary>
    public static string Text(int words, ulong seed = 1)
    {
        string[] known = ["the", "cat", "sat", "on", "a", "mat", "and", "then", "ran", "home", "quickly,", "they", "said.", "naïve", "짧은"];
        var random = new RandomSource(seed);
        var text = new StringBuilder();
        for (int i = 0; i < words; i++)
            text.Append(known[random.NextInt32(known.Length)]).Append(i % 12 == 11 ? '\n' : ' ');
        return text.ToString();
    }

    /// <summary>Options of a model that trains in milliseconds, on a text written into <paramref name="folder"/>.</summary>
    public static TrainingOptions Options(string folder, string output = "model.gguf", int steps = 12)
    {
        string data = Path.Combine(folder, "data.txt");
        if (!File.Exists(data))
            File.WriteAllText(data, Text(4000));
        return new TrainingOptions
        {
            Data = [data],
            Output = Path.Combine(folder, output),
            VocabularySize = 280,
            Layers = 2,
            Width = 16,
            Heads = 4,
            KeyValueHeads = 2,
            FeedForward = 24,
            Context = 16,
            Batch = 3,
            Accumulate = 2,
            Steps = steps,
            Threads = 1,
            LogSteps = 1,
            EvaluationSteps = 4,
            SampleSteps = 5,
        };
    }

    /// <summary>Runs until <paramref name="lastStep"/> is done and cancels there.</summary>
    public static TrainingReport Until(int lastStep, TrainingOptions options, Action<string>? tell = null)
    {
        using var stop = new CancellationTokenSource();
        return Trainer.Run(
            options,
            p =>
            {
                if (p.Step == lastStep)
                    stop.Cancel();
            },
            tell, stop.Token);
    }

    /// <summary>The bytes of weights and moments of the newest checkpoint.</summary>
    public static byte[] NewestCheckpoint(string output) =>
        File.ReadAllBytes(Directory.GetFiles(output + ".checkpoint", "step-*.data").Max(StringComparer.Ordinal)!);

    /// <summary>The log without what depends on the clock.</summary>
    public static string[] Log(string output) => [.. File.ReadAllLines(Path.ChangeExtension(output, ".train.jsonl"))
        .Select(line => System.Text.RegularExpressions.Regex.Replace(line, "\"(tokens_per_second|time)\":[^,}]*,?", ""))];
}

using System.CommandLine;
using System.Globalization;
using Polymath.Tensors;
using Polymath.Training;

namespace Polymath.Cli.Commands;

/// <summary>Trains a model from text.</summary>
internal sealed class TrainCommand : CliCommand
{
    private const string FromData = "chosen from the amount of data";

    private readonly Option<string[]> _data = Files("--data", "Text in UTF-8, gzipped or not. A file is one document, or several divided by lines <|endoftext|>.");
    private readonly Option<string?> _output = Declare.Text(["--output", "-o"], "FILE", "The model to write (GGUF).");
    private readonly Option<string[]> _validation = Files("--validation", "Held-out text to measure the loss on (default: the last hundredth of the data).");
    private readonly Option<string?> _vocab = Declare.Text(["--vocab"], "MODEL", "Take the vocabulary of this model instead of learning one.");
    private readonly Option<string?> _from = Declare.Text(["--from"], "MODEL", "Go on with the sizes, vocabulary and weights of this Llama model instead of random weights.");
    private readonly Option<int> _vocabSize = Whole("--vocab-size", "Tokens of the vocabulary to learn", FromData, least: 257, most: 1 << 20);

    private readonly Option<int> _layers = Whole("--layers", "Layers", FromData);
    private readonly Option<int> _width = Whole("--width", "Width of the model", FromData);
    private readonly Option<int> _heads = Whole("--heads", "Attention heads", "heads of 32 to 64");
    private readonly Option<int> _kvHeads = Whole("--kv-heads", "Key and value heads, shared by groups of attention heads", "as many as --heads");
    private readonly Option<int> _ffn = Whole("--ffn", "Width of the feed-forward layers", "8/3 of --width");
    private readonly Option<int> _context = Whole("--context", "Tokens the model sees at once", FromData);
    private readonly Option<bool> _tied = Declare.Switch("--tied", "Use the embedding as the output head too (this is the default).");
    private readonly Option<bool> _untied = Declare.Switch("--no-tied", "Give the output head weights of its own.");

    private readonly Option<long?> _steps = Long("--steps", "Optimiser steps in all.");
    private readonly Option<long?> _tokens = Long("--tokens", "Tokens to see in all.");
    private readonly Option<double?> _epochs = Real("--epochs", "Passes over the data (default: 4).");
    private readonly Option<int> _batch = Whole("--batch", "Sequences that go through the model together", "4096 tokens' worth");
    private readonly Option<int> _accumulate = Declare.Integer(["--accumulate"], "N", "Batches in one step", 1, least: 1);
    private readonly Option<double?> _rate = Real("--lr", "Highest learning rate (default: chosen from --width).");
    private readonly Option<double?> _lowRate = Real("--min-lr", "Learning rate at the end (default: a tenth of --lr).", zero: true);
    private readonly Option<int> _warmup = Declare.Integer(["--warmup"], "N", "Steps over which the learning rate rises", -1, least: -1, shown: "a fiftieth of all, at most 500");
    private readonly Option<int> _coolDown = Declare.Integer(["--cool-down"], "N", "End a run that was begun before: within N steps from its checkpoint the learning rate falls to the lowest. The same command goes on if that is interrupted", -1, least: -1, shown: "as planned");
    private readonly Option<float> _decay = Declare.Number(["--weight-decay"], "X", "Decay of the matrices", 0.1f);
    private readonly Option<float> _clip = Declare.Number(["--clip"], "X", "Largest norm of the gradient; 0 for no limit", 1f);
    private readonly Option<ulong?> _seed = Declare.Seed("Start of all random numbers (default: 1).");
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    private readonly Option<double?> _minutes = Real("--minutes", "End this run cleanly after so many minutes; the same command goes on.");
    private readonly Option<double?> _checkpointMinutes = Real("--checkpoint-every", "Minutes between checkpoints (default: 5).");
    private readonly Option<int> _checkpointSteps = Declare.Integer(["--checkpoint-steps"], "N", "Steps between checkpoints, besides; 0 for none", 0);
    private readonly Option<int> _logSteps = Declare.Integer(["--log-every"], "N", "Steps between two lines of the log", 10, least: 1);
    private readonly Option<int> _evalSteps = Declare.Integer(["--eval-every"], "N", "Steps between two measures of the validation loss; 0 for only the last", -1, least: -1, shown: "a fiftieth of all");
    private readonly Option<int> _sampleSteps = Declare.Integer(["--sample-every"], "N", "Steps between two sample texts; 0 for none", -1, least: -1, shown: "a twentieth of all");
    private readonly Option<string?> _samplePrompt = Declare.Text(["--sample-prompt"], "TEXT", "Start of the sample texts.");
    private readonly Option<string?> _name = Declare.Text(["--name"], "NAME", "Name of the model (default: that of the file).");
    private readonly Option<string?> _license = Declare.Text(["--license"], "SPDX", "Licence of the weights, such as Apache-2.0.");
    private readonly Option<TensorFormat> _format = new("--format")
    {
        HelpName = "TYPE",
        Description = "How the matrices are stored: F32, F16, BF16, Q8_0 or Q4_0 (default: F32).",
        CustomParser = ParseFormat,
    };

    private readonly Option<bool> _resume = Declare.Switch("--resume", "Insist on going on from a checkpoint. Without it, one that fits is used when there is one.");
    private readonly Option<bool> _overwrite = Declare.Switch("--overwrite", "Start anew, even where a model or a checkpoint of that name exists.");

    public TrainCommand()
        : base("train", "Train a model from text: vocabulary, weights and all.")
    {
        AddGroup("Data", _data, _output, _validation, _from, _vocab, _vocabSize);
        AddGroup("Model", _layers, _width, _heads, _kvHeads, _ffn, _context, _tied, _untied);
        AddGroup(
            "Training", _steps, _tokens, _epochs, _batch, _accumulate, _rate, _lowRate, _warmup, _coolDown, _decay, _clip, _seed, _threads);
        AddGroup(
            "Runs and results", _minutes, _checkpointMinutes, _checkpointSteps, _resume, _overwrite, _logSteps, _evalSteps,
            _sampleSteps, _samplePrompt, _name, _license, _format);
        Notes =
        [
            "Writes FILE, beside it the loss curve (.loss.svg) and a log (.train.jsonl), and checkpoints in FILE.checkpoint. "
            + "A run that was stopped, by --minutes, Ctrl-C or a crash, goes on when the same command is given again, and ends "
            + "with the same bits as if it had never stopped.",
            "Layers, widths, data, steps, rates and the seed decide the bits and must stay the same from run to run; the other options may change.",
        ];
        AddExample("polymath train --data book.txt -o book.gguf", "Sizes and steps chosen from the data.");
        AddExample("polymath train --data a.txt.gz b.txt.gz -o m.gguf --layers 6 --width 192 --tokens 100000000 --minutes 30", "Half an hour of a longer plan.");
        AddExample("polymath train --from m.gguf --data poems.txt -o poems.gguf --epochs 2 --lr 5e-4", "Teach a trained model something new.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        TrainingOptions options = Read(parse);
        using var display = TrainingDisplay.On(terminal);
        TrainingReport report;
        try
        {
            report = Trainer.Run(options, display.Show, display.Tell, terminal.Cancellation);
        }
        finally
        {
            display.End();
        }

        display.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"step {report.Step:N0} of {report.Steps:N0}: loss {report.SmoothedLoss:F4}, validation loss {Loss(report.ValidationLoss)}"));
        display.Tell($"wrote {report.ModelPath} ({Figures.Parameters(report.Parameters)} parameters) and {report.ChartPath}");
        if (report.End != TrainingEnd.Completed)
            display.Tell("not finished: the same command goes on from here");
        return report.End == TrainingEnd.Cancelled ? ExitCode.Interrupted : ExitCode.Success;
    }

    private static string Loss(double? loss) => loss?.ToString("F4", CultureInfo.InvariantCulture) ?? "not measured";

    private TrainingOptions Read(ParseResult parse)
    {
        string[] data = parse.GetValue(_data) ?? [];
        if (data.Length == 0)
            throw new UsageException("--data is missing: name at least one text file");
        string output = parse.GetValue(_output) ?? throw new UsageException("-o is missing: name the model to write");
        if (parse.GetValue(_tied) && parse.GetValue(_untied))
            throw new UsageException("--tied and --no-tied exclude each other");
        if (parse.GetValue(_resume) && parse.GetValue(_overwrite))
            throw new UsageException("--resume and --overwrite exclude each other");
        return new TrainingOptions
        {
            Data = data,
            Output = output,
            Validation = parse.GetValue(_validation) ?? [],
            Vocabulary = parse.GetValue(_vocab),
            From = parse.GetValue(_from),
            VocabularySize = Given(parse, _vocabSize),
            Layers = Given(parse, _layers),
            Width = Given(parse, _width),
            Heads = Given(parse, _heads),
            KeyValueHeads = Given(parse, _kvHeads),
            FeedForward = Given(parse, _ffn),
            Context = Given(parse, _context),
            Tied = !parse.GetValue(_untied),
            Batch = Given(parse, _batch),
            Accumulate = parse.GetValue(_accumulate),
            Steps = parse.GetValue(_steps),
            Tokens = parse.GetValue(_tokens),
            Epochs = parse.GetValue(_epochs),
            HighestRate = parse.GetValue(_rate),
            LowestRate = parse.GetValue(_lowRate),
            Warmup = Given(parse, _warmup, none: -1),
            CoolDown = Given(parse, _coolDown, none: -1),
            WeightDecay = Exactly(parse.GetValue(_decay)),
            Clip = Exactly(parse.GetValue(_clip)),
            Seed = parse.GetValue(_seed) ?? 1,
            Threads = parse.GetValue(_threads),
            Minutes = parse.GetValue(_minutes),
            CheckpointMinutes = parse.GetValue(_checkpointMinutes) ?? 5,
            CheckpointSteps = parse.GetValue(_checkpointSteps),
            LogSteps = parse.GetValue(_logSteps),
            EvaluationSteps = Given(parse, _evalSteps, none: -1),
            SampleSteps = Given(parse, _sampleSteps, none: -1),
            SamplePrompt = parse.GetValue(_samplePrompt),
            Name = parse.GetValue(_name),
            License = parse.GetValue(_license),
            Format = parse.GetValue(_format),
            Resume = parse.GetValue(_resume),
            Overwrite = parse.GetValue(_overwrite),
        };
    }

    private static int? Given(ParseResult parse, Option<int> option, int none = 0) =>
        parse.GetValue(option) is var value && value != none ? value : null;

    /// <summary>0.1f as 0.1, not as 0.10000000149.</summary>
    private static double Exactly(float value) => (double)(decimal)value;

    private static Option<string[]> Files(string name, string description) =>
        new(name) { HelpName = "FILE...", Description = description, AllowMultipleArgumentsPerToken = true };

    private static Option<int> Whole(string name, string description, string fallback, int least = 1, int most = 1 << 24) =>
        Declare.Integer([name], "N", description, 0, least, most, fallback);

    private static Option<long?> Long(string name, string description) => Optional<long>(name, "N", description, "a whole number of at least 1", text =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long n) && n > 0 ? n : null);

    private static Option<double?> Real(string name, string description, bool zero = false) =>
        Optional<double>(name, "X", description, zero ? "a number of at least 0" : "a number above 0", text =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double x) && double.IsFinite(x)
                && (x > 0 || (zero && x == 0)) ? x : null);

    private static Option<T?> Optional<T>(string name, string value, string description, string wanted, Func<string, T?> parse)
        where T : struct => new(name)
        {
            HelpName = value,
            Description = description,
            CustomParser = result =>
            {
                string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                T? number = parse(text);
                if (number is null)
                    result.AddError($"{name} takes {wanted}, not \"{text}\"");
                return number;
            },
        };

    private static TensorFormat ParseFormat(System.CommandLine.Parsing.ArgumentResult result)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (Enum.TryParse(text, ignoreCase: true, out TensorFormat format) && Enum.IsDefined(format) && !char.IsDigit(text[0]))
            return format;
        result.AddError($"--format takes F32, F16, BF16, Q8_0 or Q4_0, not \"{text}\"");
        return TensorFormat.F32;
    }
}

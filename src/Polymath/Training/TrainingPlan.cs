using System.Globalization;
using Polymath.Models;

namespace Polymath.Training;

/// <summary>
/// Everything that decides the bits of a trained model, with all defaults filled in. A checkpoint holds it, and only
/// an equal plan may go on from there.
/// </summary>
public sealed record TrainingPlan
{
    private const string CoolDownName = "--cool-down", NoCoolDown = "none", FromName = "--from", FromNothing = "random weights";

    /// <summary>Sizes of the model.</summary>
    public required ModelSettings Settings { get; init; }

    /// <summary>True when the output head is the embedding.</summary>
    public required bool Tied { get; init; }

    /// <summary>Sequences that go through the model together.</summary>
    public required int Batch { get; init; }

    /// <summary>Batches in a step.</summary>
    public required int Accumulate { get; init; }

    /// <summary>Rate of each step, and the number of steps.</summary>
    public required LearningRate Rate { get; init; }

    /// <summary>Weight decay of the matrices.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>Largest norm of the gradient; 0 for no limit.</summary>
    public required double Clip { get; init; }

    /// <summary>Start of all random numbers.</summary>
    public required ulong Seed { get; init; }

    /// <summary>SHA-256 of the weights that training starts from; null for random ones.</summary>
    public string? StartDigest { get; init; }

    /// <summary>SHA-256 of the training ids.</summary>
    public required string DataDigest { get; init; }

    /// <summary>Steps in all.</summary>
    public int Steps => Rate.End;

    /// <summary>Tokens of one step.</summary>
    public long TokensPerStep => (long)Batch * Accumulate * Settings.ContextLength;

    /// <summary>Vocabulary size that suits <paramref name="bytes"/> of text.</summary>
    public static int VocabularyFor(long bytes) => bytes switch { < 4 << 20 => 1024, < 24 << 20 => 2048, _ => 4096 };

    /// <summary>Fills in what <paramref name="options"/> leave open.</summary>
    /// <param name="options">Wishes.</param>
    /// <param name="vocabulary">V.</param>
    /// <param name="tokens">Training ids.</param>
    /// <param name="digest">SHA-256 of them.</param>
    /// <param name="start">The model whose sizes and weights training starts from; null for none.</param>
    /// <exception cref="TrainingException">A value makes no sense or contradicts another.</exception>
    public static TrainingPlan From(TrainingOptions options, int vocabulary, int tokens, string digest, StartingModel? start = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ModelSettings settings = start is null ? SizesFor(options, vocabulary, tokens) : SizesOf(start, options, vocabulary);
        settings.Check("training");
        int batch = Positive("--batch", options.Batch ?? Math.Max(1, 4096 / settings.ContextLength));
        int accumulate = Positive("--accumulate", options.Accumulate);
        int steps = StepsOf(options, (long)batch * accumulate * settings.ContextLength, tokens);
        double highest = options.HighestRate ?? Math.Min(3e-3, 0.04 / Math.Sqrt(settings.Width));
        double lowest = options.LowestRate ?? highest / 10;
        int warmup = options.Warmup ?? Math.Min(500, Math.Max(1, steps / 50));
        Require(highest is > 0 and <= 1, "--lr", highest);
        Require(lowest >= 0 && lowest <= highest, "--min-lr", lowest);
        Require(warmup >= 0 && warmup <= steps, "--warmup", warmup);
        Require(options.WeightDecay is >= 0 and <= 10, "--weight-decay", options.WeightDecay);
        Require(options.Clip >= 0, "--clip", options.Clip);
        return new TrainingPlan
        {
            Settings = settings,
            Tied = start?.Tied ?? options.Tied,
            Batch = batch,
            Accumulate = accumulate,
            Rate = new LearningRate(highest, lowest, warmup, steps),
            WeightDecay = options.WeightDecay,
            Clip = options.Clip,
            Seed = options.Seed,
            StartDigest = start?.Digest(),
            DataDigest = digest,
        };
    }

    private static ModelSettings SizesFor(TrainingOptions options, int vocabulary, int tokens)
    {
        // Small data is learned by heart quickly by a large model: grow with it.
        (int layers, int width, int heads, int context) = tokens switch
        {
            < 1_000_000 => (4, 128, 4, 128),
            < 6_000_000 => (6, 160, 5, 256),
            _ => (6, 192, 6, 256),
        };
        width = Positive("--width", options.Width ?? width);
        heads = Positive("--heads", options.Heads ?? (options.Width is null ? heads : HeadsFor(width)));
        if (width % heads != 0 || width / heads % 2 != 0)
            throw new TrainingException($"--width {width} does not split into {heads} heads of even size");
        int keyValueHeads = Positive("--kv-heads", options.KeyValueHeads ?? heads);
        if (heads % keyValueHeads != 0)
            throw new TrainingException($"--heads {heads} is no multiple of --kv-heads {keyValueHeads}");
        context = options.Context ?? (int)Math.Min(context, Math.Max(8, tokens / 4));
        return new ModelSettings
        {
            Architecture = "llama",
            Layers = Positive("--layers", options.Layers ?? layers),
            Width = width,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = width / heads,
            RopeSize = width / heads,
            FeedForward = Positive("--ffn", options.FeedForward ?? FeedForwardFor(width)),
            Vocabulary = vocabulary,
            ContextLength = Positive("--context", context),
        };
    }

    private static ModelSettings SizesOf(StartingModel start, TrainingOptions options, int vocabulary)
    {
        ModelSettings s = start.Settings;
        Same("--layers", options.Layers, s.Layers);
        Same("--width", options.Width, s.Width);
        Same("--heads", options.Heads, s.Heads);
        Same("--kv-heads", options.KeyValueHeads, s.KeyValueHeads);
        Same("--ffn", options.FeedForward, s.FeedForward);
        if (!options.Tied && start.Tied)
            throw new TrainingException("--no-tied contradicts the model of --from, whose output head is its embedding");
        if (options.Vocabulary is not null || options.VocabularySize is not null)
            throw new TrainingException("the vocabulary is that of the model of --from; --vocab and --vocab-size are for new models");
        if (vocabulary > s.Vocabulary)
            throw new TrainingException($"the model of --from has {vocabulary} tokens in its vocabulary, but weights for {s.Vocabulary}");
        return s with { ContextLength = Positive("--context", options.Context ?? s.ContextLength) };

        static void Same(string name, int? asked, int has)
        {
            if (asked is { } value && value != has)
                throw new TrainingException($"{name} {value} contradicts the model of --from, which has {has}");
        }
    }

    /// <summary>Every value under the name of its option, as a checkpoint stores it.</summary>
    public IReadOnlyList<(string Name, string Value)> Describe()
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        return
        [
            ("--layers", Settings.Layers.ToString(c)), ("--width", Settings.Width.ToString(c)),
            ("--heads", Settings.Heads.ToString(c)), ("--kv-heads", Settings.KeyValueHeads.ToString(c)),
            ("--ffn", Settings.FeedForward.ToString(c)), ("--vocab-size", Settings.Vocabulary.ToString(c)),
            ("--context", Settings.ContextLength.ToString(c)), ("--tied", Tied ? "true" : "false"),
            ("--batch", Batch.ToString(c)), ("--accumulate", Accumulate.ToString(c)),
            ("--steps", Rate.Steps.ToString(c)), ("--lr", Rate.Highest.ToString("R", c)), ("--min-lr", Rate.Lowest.ToString("R", c)),
            ("--warmup", Rate.Warmup.ToString(c)), ("--weight-decay", WeightDecay.ToString("R", c)),
            ("--clip", Clip.ToString("R", c)), ("--seed", Seed.ToString(c)), ("data", DataDigest),
            (FromName, StartDigest ?? FromNothing),
            (CoolDownName, Rate.CoolDown?.ToString() ?? NoCoolDown),
        ];
    }

    /// <summary>
    /// The plan that goes on from a checkpoint: this one, or with <paramref name="coolDown"/> steps the one that ends so
    /// many steps behind the checkpoint at which the cool-down was first asked for.
    /// </summary>
    /// <param name="saved">The plan of the checkpoint, as <see cref="Describe"/> gave it.</param>
    /// <param name="step">Steps done at the checkpoint.</param>
    /// <param name="coolDown">Steps of the cool-down, or null for none.</param>
    /// <param name="path">Of the checkpoint, for messages.</param>
    /// <exception cref="TrainingException">The checkpoint was made under another plan; names every value that differs.</exception>
    public TrainingPlan Resume(IReadOnlyDictionary<string, string> saved, int step, int? coolDown, string path)
    {
        ArgumentNullException.ThrowIfNull(saved);
        var asked = new Dictionary<string, string>(saved);
        asked.TryAdd(CoolDownName, NoCoolDown);
        asked.TryAdd(FromName, FromNothing);
        TrainingPlan plan = this;
        if (coolDown is { } count)
        {
            string was = asked[CoolDownName];
            int from = was == NoCoolDown ? step : FirstNumber(was);
            plan = this with { Rate = Rate with { CoolDown = new CoolDown(from, Positive(CoolDownName, count)) } };
            if (was == NoCoolDown)
                asked[CoolDownName] = plan.Rate.CoolDown.ToString()!;
        }

        plan.RequireSame(asked, path);
        return plan;
    }

    private void RequireSame(IReadOnlyDictionary<string, string> saved, string path)
    {
        var differences = new List<string>();
        foreach ((string name, string value) in Describe())
        {
            string was = saved.GetValueOrDefault(name, "missing");
            if (was != value)
                differences.Add(name is "data" or FromName ? $"{(name == FromName ? "the model of --from" : "the data")} is not the same" : $"{name} was {was}, now {value}");
        }

        if (differences.Count > 0)
        {
            throw new TrainingException(
                $"{path} was made with other options: {string.Join("; ", differences)} (give the same, another -o, or --overwrite)");
        }
    }

    private static int StepsOf(TrainingOptions options, long tokensPerStep, int tokens)
    {
        int given = (options.Steps is null ? 0 : 1) + (options.Tokens is null ? 0 : 1) + (options.Epochs is null ? 0 : 1);
        if (given > 1)
            throw new TrainingException("give only one of --steps, --tokens and --epochs");
        double steps = options.Steps
            ?? Math.Ceiling((options.Tokens ?? ((options.Epochs ?? 4) * tokens)) / (double)tokensPerStep);
        Require(steps is >= 1 and <= int.MaxValue, "number of steps", steps);
        return (int)steps;
    }

    private static int HeadsFor(int width)
    {
        // Heads of 32 to 64 elements where the width allows it.
        for (int size = 32; size <= 64; size += 2)
        {
            if (width % size == 0)
                return width / size;
        }

        return 1;
    }

    private static int FeedForwardFor(int width) => ((width * 8 / 3) + 31) / 32 * 32;

    private static int FirstNumber(string text) =>
        int.TryParse(text.Split('+')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;

    private static int Positive(string name, int value)
    {
        Require(value > 0, name, value);
        return value;
    }

    private static void Require(bool holds, string name, double value)
    {
        if (!holds)
            throw new TrainingException(string.Create(CultureInfo.InvariantCulture, $"{name} cannot be {value}"));
    }
}

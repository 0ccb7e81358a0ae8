using Polymath.Tensors;

namespace Polymath.Training;

/// <summary>What to train, on what, for how long. Sizes left null are chosen from the amount of data.</summary>
public sealed record TrainingOptions
{
    /// <summary>Text files, plain or gzipped.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>Where the model goes; log, loss curve and checkpoints stand beside it.</summary>
    public required string Output { get; init; }

    /// <summary>Files held out to measure the loss on; when empty the last hundredth of the data is.</summary>
    public IReadOnlyList<string> Validation { get; init; } = [];

    /// <summary>A model file whose vocabulary is used; null to learn one from the data.</summary>
    public string? Vocabulary { get; init; }

    /// <summary>A Llama model file whose sizes, vocabulary and weights training starts from; null for random weights.</summary>
    public string? From { get; init; }

    /// <summary>V, tokens to learn.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>Blocks.</summary>
    public int? Layers { get; init; }

    /// <summary>D.</summary>
    public int? Width { get; init; }

    /// <summary>H.</summary>
    public int? Heads { get; init; }

    /// <summary>K; null for as many as <see cref="Heads"/>.</summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>F; null for about 8/3 of the width.</summary>
    public int? FeedForward { get; init; }

    /// <summary>T, tokens of one sequence.</summary>
    public int? Context { get; init; }

    /// <summary>True when the output head is the embedding.</summary>
    public bool Tied { get; init; } = true;

    /// <summary>Sequences that go through the model together.</summary>
    public int? Batch { get; init; }

    /// <summary>Batches whose gradients make one step.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Optimiser steps in all. At most one of Steps, Tokens, Epochs is given.</summary>
    public long? Steps { get; init; }

    /// <summary>Tokens to see in all.</summary>
    public long? Tokens { get; init; }

    /// <summary>Passes over the data.</summary>
    public double? Epochs { get; init; }

    /// <summary>Highest learning rate; null for one that suits the width.</summary>
    public double? HighestRate { get; init; }

    /// <summary>Learning rate at the end; null for a tenth of the highest.</summary>
    public double? LowestRate { get; init; }

    /// <summary>Steps of warm-up; null for a fiftieth of all, at most 500.</summary>
    public int? Warmup { get; init; }

    /// <summary>
    /// Steps in which to end a run that was begun under a longer plan: from its checkpoint on, the rate falls to the lowest.
    /// Null to follow the plan.
    /// </summary>
    public int? CoolDown { get; init; }

    /// <summary>Weight decay of the matrices.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Largest norm of the gradient; 0 for no limit.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>Same seed, data and options: same bits.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads; 0 for one per processor. They do not change the bits.</summary>
    public int Threads { get; init; }

    /// <summary>Ends this run cleanly after so many minutes; null for no limit. The plan of steps stays the same.</summary>
    public double? Minutes { get; init; }

    /// <summary>Minutes between checkpoints.</summary>
    public double CheckpointMinutes { get; init; } = 5;

    /// <summary>Steps between checkpoints; 0 for none by steps.</summary>
    public int CheckpointSteps { get; init; }

    /// <summary>Steps between two lines of the log.</summary>
    public int LogSteps { get; init; } = 10;

    /// <summary>Steps between two measures of the validation loss; null for a fiftieth of all, 0 for only the last.</summary>
    public int? EvaluationSteps { get; init; }

    /// <summary>Steps between two sample texts; null for a twentieth of all, 0 for none.</summary>
    public int? SampleSteps { get; init; }

    /// <summary>Start of the sample texts; null for the start of the held-out data.</summary>
    public string? SamplePrompt { get; init; }

    /// <summary>general.name of the model; null for the name of the file.</summary>
    public string? Name { get; init; }

    /// <summary>general.license, an SPDX identifier.</summary>
    public string? License { get; init; }

    /// <summary>How the matrices are stored.</summary>
    public TensorFormat Format { get; init; } = TensorFormat.F32;

    /// <summary>Insist that there is a checkpoint to go on from.</summary>
    public bool Resume { get; init; }

    /// <summary>Start anew even if a model or checkpoint of that name exists.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Most bytes of text to read, after inflating.</summary>
    public long MaxDataBytes { get; init; } = 8L << 30;

    /// <summary>Bytes of text, spread over the data, that the vocabulary is learned from.</summary>
    public long VocabularySampleBytes { get; init; } = 64L << 20;
}

/// <summary>The state after a step.</summary>
public sealed record TrainingProgress
{
    /// <summary>Steps done.</summary>
    public required int Step { get; init; }

    /// <summary>Steps in all.</summary>
    public required int Steps { get; init; }

    /// <summary>Tokens seen.</summary>
    public required long Tokens { get; init; }

    /// <summary>Loss of this step, nats per token.</summary>
    public required double Loss { get; init; }

    /// <summary>Mean of the last losses, the latest weighing most.</summary>
    public required double SmoothedLoss { get; init; }

    /// <summary>Validation loss, measured at this step; null when it was not.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Learning rate of the step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Norm of the gradient before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Speed of this run.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Time to the last step at that speed.</summary>
    public required TimeSpan TimeLeft { get; init; }

    /// <summary>A text the model wrote after this step; null when it did not.</summary>
    public string? Sample { get; init; }

    /// <summary>True when the step went to the log.</summary>
    public bool IsLogged { get; init; }
}

/// <summary>Why a run ended.</summary>
public enum TrainingEnd
{
    /// <summary>All steps are done.</summary>
    Completed,

    /// <summary>The minutes of this run are over; the same command goes on.</summary>
    OutOfTime,

    /// <summary>Cancelled; the same command goes on.</summary>
    Cancelled,
}

/// <summary>What a run gave.</summary>
/// <param name="End">Why it ended.</param>
/// <param name="Step">Steps done, in all runs.</param>
/// <param name="Steps">Steps planned.</param>
/// <param name="Tokens">Tokens seen, in all runs.</param>
/// <param name="SmoothedLoss">Mean of the last training losses.</param>
/// <param name="ValidationLoss">Last validation loss; null when never measured.</param>
/// <param name="Parameters">Parameters of the model.</param>
/// <param name="ModelPath">The GGUF file.</param>
/// <param name="ChartPath">The loss curve.</param>
public sealed record TrainingReport(
    TrainingEnd End, int Step, int Steps, long Tokens, double SmoothedLoss, double? ValidationLoss, long Parameters,
    string ModelPath, string ChartPath);

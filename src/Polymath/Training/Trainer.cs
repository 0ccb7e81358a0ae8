using System.Diagnostics;
using System.Globalization;
using Polymath.Files;
using Polymath.Generation;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Text;

namespace Polymath.Training;

/// <summary>
/// Trains a Llama model from text. A run may end at any time, cleanly or by a crash, and the same call goes on from
/// the last checkpoint; the weights at the end are the same bits as if it had never stopped, whatever the threads.
/// </summary>
public sealed class Trainer : IDisposable
{
    private const double LossDecay = 0.98;       // of the smoothed loss
    private const float Beta1 = 0.9f, Beta2 = 0.95f, Epsilon = 1e-8f;
    private const int SampleTokens = 64;

    private readonly TrainingOptions _options;
    private TrainingPlan _plan;
    private readonly TrainingData _data;
    private readonly CheckpointFolder _folder;
    private readonly ThreadTeam _team;
    private readonly TrainingModel _model;
    private readonly Tensor _m, _v;              // moments, as flat as the weights
    private readonly WindowOrder _order;
    private readonly TrainingLog _log;
    private readonly int[] _window, _ids, _targets;
    private readonly Evaluation? _evaluation;

    private int _step;                           // steps done
    private double _lossSum;                     // decaying mean of the losses, before the correction of its start
    private double? _validationLoss;

    private Trainer(
        TrainingOptions options, TrainingPlan plan, TrainingData data, StartingModel? start, CheckpointFolder folder, ThreadTeam team,
        Action<string> tell)
    {
        _options = options;
        _plan = plan;
        _data = data;
        _folder = folder;
        _team = team;
        int length = plan.Settings.ContextLength;
        _order = new WindowOrder(data.Training.Count, length, plan.Seed);
        _model = new TrainingModel(team, plan.Settings, plan.Tied, plan.Batch, length);
        _m = Tensor.Zeros(1, _model.Weights.Flat.Columns);
        _v = Tensor.Zeros(1, _model.Weights.Flat.Columns);
        _window = new int[length + 1];
        _ids = new int[plan.Batch * length];
        _targets = new int[plan.Batch * length];
        _evaluation = data.Validation.Count > length ? new Evaluation(_model, data, length) : null;
        Restore(start, tell);
        _log = new TrainingLog(LogPath(options.Output), _step);
    }

    private double SmoothedLoss => _step == 0 ? 0 : _lossSum / (1 - Math.Pow(LossDecay, _step));

    /// <summary>Trains until the last step, the end of the minutes given, or cancellation; always leaves a model file.</summary>
    /// <param name="options">What to train.</param>
    /// <param name="onProgress">Called after each step.</param>
    /// <param name="tell">Hears remarks for people, one line each.</param>
    /// <param name="cancellation">Ends the run with a checkpoint.</param>
    /// <exception cref="TrainingException">Data, options or a checkpoint that cannot be used, or a loss that is no number.</exception>
    public static TrainingReport Run(
        TrainingOptions options, Action<TrainingProgress>? onProgress = null, Action<string>? tell = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        tell ??= _ => { };
        RequireUsable(options);
        long start = Stopwatch.GetTimestamp();
        using var folder = new CheckpointFolder(options.Output + ".checkpoint");
        AtomicFile.RemoveOrphans(options.Output);
        if (options.Overwrite)
        {
            folder.Clear();
            File.Delete(LogPath(options.Output));
        }
        else if (!folder.HasAny && (options.Resume || File.Exists(options.Output)))
        {
            throw new TrainingException(options.Resume
                ? $"{folder.Path}: no checkpoint to go on from"
                : $"{options.Output}: exists, and there is no checkpoint to go on from (--overwrite replaces it)");
        }

        var data = TrainingData.Load(options, folder.HasAny ? folder.VocabularyPath : null, tell, cancellation);
        using StartingModel? from = options.From is null ? null : StartingModel.Open(options.From);
        var plan = TrainingPlan.From(options, data.Tokenizer.VocabularySize, data.Training.Count, data.Training.Digest(), from);
        using var team = new ThreadTeam(options.Threads > 0 ? options.Threads : Environment.ProcessorCount);
        using var trainer = new Trainer(options, plan, data, from, folder, team, tell);
        if (!folder.HasAny)
            WriteVocabulary(folder.VocabularyPath, data.Vocabulary);
        tell(trainer.Describe());
        return trainer.Run(start, onProgress, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _log.Dispose();
        _model.Dispose();
    }

    private static string LogPath(string output) => Path.ChangeExtension(output, ".train.jsonl");

    private static string ChartPath(string output) => Path.ChangeExtension(output, ".loss.svg");

    private static void RequireUsable(TrainingOptions options)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(options.Output)) ?? "";
        if (!Directory.Exists(folder))
            throw new TrainingException($"{options.Output}: its folder does not exist");
        if (Directory.Exists(options.Output))
            throw new TrainingException($"{options.Output}: is a folder, not a file to write");
        if (options.From is not null && Path.GetFullPath(options.From) == Path.GetFullPath(options.Output))
            throw new TrainingException($"{options.Output}: is the model to start from; name another to write");
        if (options.LogSteps < 1)
            throw new TrainingException($"the steps between two lines of the log cannot be {options.LogSteps}");
        if (!FormatInfo.IsSupported(options.Format))
            throw new TrainingException($"--format cannot be {options.Format}");
    }

    private static void WriteVocabulary(string path, Metadata vocabulary)
    {
        var metadata = new Metadata();
        metadata.Set("general.architecture", "llama");
        foreach ((string key, MetadataValue value) in vocabulary)
            metadata.Set(key, value);
        GgufWriter.Write(path, metadata, []);
    }

    private string Describe()
    {
        ModelSettings s = _plan.Settings;
        double epochs = _plan.Steps * (double)_plan.TokensPerStep / _data.Training.Count;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"model: {s.CountParameters(_plan.Tied):N0} parameters ({s.Layers} layers, width {s.Width}, {s.Heads} heads, "
            + $"{s.KeyValueHeads} key/value heads, feed-forward {s.FeedForward}, vocabulary {s.Vocabulary}, context {s.ContextLength})\n"
            + $"plan: {_plan.Steps:N0} steps of {_plan.TokensPerStep:N0} tokens, {epochs:F2} epochs, learning rate "
            + $"{_plan.Rate.Highest:G3} after {_plan.Rate.Warmup} steps, {_plan.Rate.Lowest:G3} at the end");
    }

    private void Restore(StartingModel? start, Action<string> tell)
    {
        TrainingPlan plan = _plan;
        CheckpointState? state = _folder.Load(
            s => _plan = plan.Resume(s.Plan, s.Step, _options.CoolDown, _folder.Path), tell, _model.Weights.Flat, _m, _v);
        if (state is null)
        {
            if (_options.CoolDown is not null)
                throw new TrainingException("--cool-down ends a run that was begun before; there is no checkpoint to go on from");
            if (start is null)
                _model.Weights.Initialize(_plan.Seed);
            else
                start.CopyTo(_model.Weights);
            return;
        }

        _step = state.Step;
        _lossSum = state.LossSum;
        _validationLoss = state.ValidationLoss;
        tell(FormattableString.Invariant($"going on from step {_step:N0} of {_plan.Steps:N0}"));
    }

    private TrainingReport Run(long start, Action<TrainingProgress>? onProgress, CancellationToken cancellation)
    {
        long firstStep = Stopwatch.GetTimestamp(), lastCheckpoint = firstStep;
        int first = _step, saved = _step;
        TrainingEnd end = TrainingEnd.Completed;
        while (_step < _plan.Steps)
        {
            if (cancellation.IsCancellationRequested || Stopwatch.GetElapsedTime(start).TotalMinutes >= _options.Minutes)
            {
                end = cancellation.IsCancellationRequested ? TrainingEnd.Cancelled : TrainingEnd.OutOfTime;
                break;
            }

            if (Step(cancellation) is not { } progress)
                continue;   // cancelled in the middle: the step counts for nothing
            double seconds = Stopwatch.GetElapsedTime(firstStep).TotalSeconds / (_step - first);
            Report(progress with
            {
                TokensPerSecond = _plan.TokensPerStep / seconds,
                TimeLeft = TimeSpan.FromSeconds(seconds * (_plan.Steps - _step)),
            }, onProgress);
            bool due = Stopwatch.GetElapsedTime(lastCheckpoint).TotalMinutes >= _options.CheckpointMinutes
                || (_options.CheckpointSteps > 0 && _step % _options.CheckpointSteps == 0);
            if (due && _step < _plan.Steps)
            {
                Save();
                saved = _step;
                lastCheckpoint = Stopwatch.GetTimestamp();
            }
        }

        if (saved != _step || !File.Exists(_options.Output) || !_folder.HasAny)
            Save();
        return new TrainingReport(
            end, _step, _plan.Steps, _step * _plan.TokensPerStep, SmoothedLoss, _validationLoss,
            _plan.Settings.CountParameters(_plan.Tied), _options.Output, ChartPath(_options.Output));
    }

    /// <summary>One optimiser step; null when cancelled before the weights changed.</summary>
    private TrainingProgress? Step(CancellationToken cancellation)
    {
        int length = _plan.Settings.ContextLength;
        double loss = 0;
        _model.ClearGradients();
        for (int part = 0; part < _plan.Accumulate; part++)
        {
            if (cancellation.IsCancellationRequested)
                return null;
            long sample = (((long)_step * _plan.Accumulate) + part) * _plan.Batch;
            for (int i = 0; i < _plan.Batch; i++)
                CopyWindow(_data.Training, _order.Start(sample + i), _data.Tokenizer, _window, _ids, _targets, i * length);
            loss += _model.Learn(_ids, _targets, _plan.Batch) / _plan.Accumulate;
        }

        double norm = Math.Sqrt(Elementwise.SumOfSquares(_team, _model.Gradients.Flat)) / _plan.Accumulate;
        Finite(loss + norm, _step + 1);
        double rate = _plan.Rate.At(_step);
        Update(rate, (_plan.Clip > 0 && norm > _plan.Clip ? _plan.Clip / norm : 1) / _plan.Accumulate);
        _step++;
        _lossSum = (LossDecay * _lossSum) + ((1 - LossDecay) * loss);
        return new TrainingProgress
        {
            Step = _step,
            Steps = _plan.Steps,
            Tokens = _step * _plan.TokensPerStep,
            Loss = loss,
            SmoothedLoss = SmoothedLoss,
            LearningRate = rate,
            GradientNorm = norm,
            TokensPerSecond = 0,
            TimeLeft = default,
        };
    }

    private double Finite(double loss, int step) => double.IsFinite(loss) ? loss : throw new TrainingException(
        $"step {step}: the loss is no number any more; the last checkpoint is kept in {_folder.Path} (a lower --lr may help)");

    private void Update(double rate, double gradientScale)
    {
        TrainingWeights w = _model.Weights;
        int matrices = w.MatrixCount, all = w.Flat.Columns;
        // Only matrices decay: pulling the scales of norms towards zero would do harm.
        Part(0, matrices, (float)_plan.WeightDecay);
        Part(matrices, all - matrices, 0);

        void Part(int start, int count, float decay) => AdamW.Step(
            _team, w.Flat.Elements(start, count), _model.Gradients.Flat.Elements(start, count), _m.Elements(start, count),
            _v.Elements(start, count), (float)rate, Beta1, Beta2, Epsilon, decay, _step + 1, (float)gradientScale);
    }

    /// <summary>
    /// Copies T ids and those that follow them. The first is replaced by the begin token where the vocabulary wants
    /// one before a text: whatever text the model is given later starts that way.
    /// </summary>
    internal static void CopyWindow(
        TokenSequence from, int start, Tokenizer tokenizer, int[] window, int[] ids, int[] targets, int to)
    {
        from.CopyTo(start, window);
        window.AsSpan(0, window.Length - 1).CopyTo(ids.AsSpan(to));
        window.AsSpan(1).CopyTo(targets.AsSpan(to));
        if (tokenizer.AddsBegin && tokenizer.BeginId is { } begin)
            ids[to] = begin;
    }

    /// <summary>Measures, samples and logs where the plan says so, and tells the caller.</summary>
    private void Report(TrainingProgress progress, Action<TrainingProgress>? onProgress)
    {
        bool last = _step == _plan.Steps;
        int every = _options.EvaluationSteps ?? Math.Max(1, _plan.Steps / 50);
        if (_evaluation is not null && (last || (every > 0 && _step % every == 0)))
        {
            _validationLoss = Finite(_evaluation.Run(everything: last), _step);
            progress = progress with { ValidationLoss = _validationLoss };
        }

        every = _options.SampleSteps ?? Math.Max(1, _plan.Steps / 20);
        if (every > 0 && (last || _step % every == 0))
            progress = progress with { Sample = Sample() };
        if (last || progress.ValidationLoss is not null || progress.Sample is not null || _step % _options.LogSteps == 0)
        {
            progress = progress with { IsLogged = true };
            _log.Add(progress);
        }

        onProgress?.Invoke(progress);
    }

    /// <summary>A text written by the model as it is now; the same for the same weights.</summary>
    private string Sample()
    {
        int[] prompt = _options.SamplePrompt is { } text
            ? _data.Tokenizer.Encode(text)
            : [_data.Tokenizer.BeginId ?? _data.Tokenizer.EndId ?? 0];
        int length = _plan.Settings.ContextLength;
        var ids = new List<int>(prompt.Take(Math.Max(1, length - 1)));
        var sampler = new SamplerChain(
            new SamplingOptions { Seed = _plan.Seed + (ulong)_step }, _plan.Settings.Vocabulary);
        while (ids.Count < Math.Min(length, prompt.Length + SampleTokens))
        {
            int id = sampler.Next(_model.Logits(ids.ToArray()));
            if (_data.Tokenizer.IsEndOfGeneration(id))
                break;
            ids.Add(id);
        }

        return _data.Tokenizer.Decode(ids.ToArray());
    }

    private void Save()
    {
        _log.Sync();
        _folder.Save(
            new CheckpointState(_step, _lossSum, _validationLoss, _plan.Describe().ToDictionary(p => p.Name, p => p.Value)),
            _model.Weights.Flat, _m, _v);
        ModelExport.Write(_options.Output, _model.Weights, _data.Vocabulary, Facts(), _options.Format);
        LossChart.Write(ChartPath(_options.Output), Path.GetFileName(_options.Output), _log.Points);
    }

    private Metadata Facts()
    {
        var facts = new Metadata();
        facts.Set("general.name", _options.Name ?? Path.GetFileNameWithoutExtension(_options.Output));
        if (_options.License is not null)
            facts.Set("general.license", _options.License);
        facts.Set("polymath.training.step", (uint)_step);
        facts.Set("polymath.training.steps", (uint)_plan.Steps);
        facts.Set("polymath.training.tokens", (ulong)(_step * _plan.TokensPerStep));
        facts.Set("polymath.training.loss", (float)SmoothedLoss);
        if (_validationLoss is { } loss)
            facts.Set("polymath.training.validation_loss", (float)loss);
        facts.Set("polymath.training.seed", _plan.Seed);
        return facts;
    }
}

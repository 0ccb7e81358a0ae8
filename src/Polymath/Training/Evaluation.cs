namespace Polymath.Training;

/// <summary>Measures the loss on held-out ids: on windows spread evenly over them, or on all at the end.</summary>
internal sealed class Evaluation
{
    private const int QuickTokens = 1 << 15, ThoroughTokens = 1 << 19;

    private readonly TrainingModel _model;
    private readonly TrainingData _data;
    private readonly int _length, _windows;
    private readonly int[] _window, _ids, _targets;

    /// <summary>Plans windows of <paramref name="length"/> ids; there must be room for one and the id behind it.</summary>
    public Evaluation(TrainingModel model, TrainingData data, int length)
    {
        _model = model;
        _data = data;
        _length = length;
        _windows = (data.Validation.Count - 1) / length;
        _window = new int[length + 1];
        _ids = new int[model.MaxBatch * length];
        _targets = new int[model.MaxBatch * length];
    }

    /// <summary>Mean loss, nats per token.</summary>
    public double Run(bool everything)
    {
        int count = Math.Clamp((everything ? ThoroughTokens : QuickTokens) / _length, 1, _windows);
        double sum = 0;
        for (int done = 0; done < count;)
        {
            int batch = Math.Min(_model.MaxBatch, count - done);
            for (int i = 0; i < batch; i++)
            {
                int window = (int)((long)(done + i) * _windows / count);
                Trainer.CopyWindow(_data.Validation, window * _length, _data.Tokenizer, _window, _ids, _targets, i * _length);
            }

            int rows = batch * _length;
            sum += _model.Evaluate(_ids.AsSpan(0, rows), _targets.AsSpan(0, rows), batch) * batch;
            done += batch;
        }

        return sum / count;
    }
}

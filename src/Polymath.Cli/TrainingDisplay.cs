using System.Globalization;
using Polymath.Training;

namespace Polymath.Cli;

/// <summary>
/// Shows the progress of a training run on standard error: a status line that redraws itself for a person, plain lines
/// for a file.
/// </summary>
internal sealed class TrainingDisplay : IDisposable
{
    private const int BarLength = 16;

    private readonly Terminal _terminal;
    private bool _open;   // a status line stands there without its end
    private double? _validation;

    private TrainingDisplay(Terminal terminal) => _terminal = terminal;

    /// <summary>A display on the terminal's standard error.</summary>
    public static TrainingDisplay On(Terminal terminal) => new(terminal);

    /// <summary>Prints a remark.</summary>
    public void Tell(string remark)
    {
        Break();
        foreach (string line in remark.Split('\n'))
            _terminal.Error.WriteLine(line);
    }

    /// <summary>Shows a step.</summary>
    public void Show(TrainingProgress p)
    {
        _validation = p.ValidationLoss ?? _validation;
        if (_terminal.ErrorIsTerminal)
        {
            _terminal.Error.Write($"\r\u001b[K{StatusLine(p, _validation)}");
            _open = true;
        }
        else if (p.IsLogged)
        {
            _terminal.Error.WriteLine(LogLine(p));
        }

        if (p.ValidationLoss is not null)
            Break();   // the line stays, the next step starts a new one
        if (p.Sample is not null)
            Tell("  | " + Printable.OneLine(p.Sample));
    }

    /// <summary>Ends the status line.</summary>
    public void End() => Break();

    /// <inheritdoc/>
    public void Dispose() => End();

    /// <summary>At most 80 columns as a rule: a line that wraps could not be redrawn.</summary>
    private static string StatusLine(TrainingProgress p, double? validation)
    {
        int done = (int)((long)BarLength * p.Step / p.Steps);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{new string('█', done)}{new string('░', BarLength - done)} {p.Step:N0}/{p.Steps:N0}  loss {p.SmoothedLoss:F3}"
            + $"{Validation(validation, "F3")}  {p.TokensPerSecond:N0} tok/s  {Left(p.TimeLeft)} left");
    }

    private static string LogLine(TrainingProgress p) => string.Create(
        CultureInfo.InvariantCulture,
        $"step {p.Step:N0}/{p.Steps:N0}  loss {p.SmoothedLoss:F4}{Validation(p.ValidationLoss, "F4")}  lr {p.LearningRate:0.00e+0}"
        + $"  grad {p.GradientNorm:F2}  {p.TokensPerSecond:N0} tok/s  {Left(p.TimeLeft)} left");

    private static string Validation(double? loss, string format) =>
        loss is { } value ? $"  valid {value.ToString(format, CultureInfo.InvariantCulture)}" : "";

    private static string Left(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}h{time.Minutes:D2}m")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}m{time.Seconds:D2}s");

    private void Break()
    {
        if (_open)
            _terminal.Error.WriteLine();
        _open = false;
    }
}

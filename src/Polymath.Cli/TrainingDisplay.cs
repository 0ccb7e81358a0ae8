using System.Globalization;
using Polymath.Training;

namespace Polymath.Cli;

/// <summary>
/// Shows the progress of a training run on standard error: a status line that redraws itself for a person, plain lines
/// for a file.
/// </summary>
internal sealed class TrainingDisplay : IDisposable
{
    private readonly Terminal _terminal;
    private readonly StatusLine _line;
    private double? _validation;

    private TrainingDisplay(Terminal terminal)
    {
        _terminal = terminal;
        _line = new StatusLine(terminal);
    }

    /// <summary>A display on the terminal's standard error.</summary>
    public static TrainingDisplay On(Terminal terminal) => new(terminal);

    /// <summary>Prints a remark.</summary>
    public void Tell(string remark)
    {
        _line.Break();
        foreach (string line in remark.Split('\n'))
            _terminal.Error.WriteLine(line);
    }

    /// <summary>Shows a step.</summary>
    public void Show(TrainingProgress p)
    {
        _validation = p.ValidationLoss ?? _validation;
        if (_terminal.ErrorIsTerminal)
        {
            _line.Draw(Status(p, _validation));
        }
        else if (p.IsLogged)
        {
            _terminal.Error.WriteLine(LogLine(p));
        }

        if (p.ValidationLoss is not null)
            _line.Break();   // the line stays, the next step starts a new one
        if (p.Sample is not null)
            Tell("  | " + Printable.OneLine(p.Sample));
    }

    /// <summary>Ends the status line.</summary>
    public void End() => _line.Break();

    /// <inheritdoc/>
    public void Dispose() => End();

    private static string Status(TrainingProgress p, double? validation) => string.Create(
        CultureInfo.InvariantCulture,
        $"{StatusLine.Bar(p.Step, p.Steps)} {p.Step:N0}/{p.Steps:N0}  loss {p.SmoothedLoss:F3}"
        + $"{Validation(validation, "F3")}  {p.TokensPerSecond:N0} tok/s  {StatusLine.Left(p.TimeLeft)} left");

    private static string LogLine(TrainingProgress p) => string.Create(
        CultureInfo.InvariantCulture,
        $"step {p.Step:N0}/{p.Steps:N0}  loss {p.SmoothedLoss:F4}{Validation(p.ValidationLoss, "F4")}  lr {p.LearningRate:0.00e+0}"
        + $"  grad {p.GradientNorm:F2}  {p.TokensPerSecond:N0} tok/s  {StatusLine.Left(p.TimeLeft)} left");

    private static string Validation(double? loss, string format) =>
        loss is { } value ? $"  valid {value.ToString(format, CultureInfo.InvariantCulture)}" : "";
}

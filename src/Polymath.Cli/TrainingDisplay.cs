using System.Globalization;
using Polymath.Training;

namespace Polymath.Cli;

/// <summary>Shows the progress of a training run on standard error: a status line that redraws itself for a person, plain lines for a file.</summary>
internal sealed class TrainingDisplay : IDisposable
{
    private readonly Terminal _terminal;
    private bool _open;   // a status line stands there without its end

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
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"step {p.Step:N0}/{p.Steps:N0}  loss {p.SmoothedLoss:F4}{Validation(p)}  lr {p.LearningRate:0.00e+0}  grad {p.GradientNorm:F2}  {p.TokensPerSecond:N0} tok/s  {Left(p.TimeLeft)} left");
        if (_terminal.ErrorIsTerminal)
        {
            _terminal.Error.Write($"\r\u001b[K{line}");
            _open = true;
        }
        else if (p.IsLogged)
        {
            _terminal.Error.WriteLine(line);
        }

        if (p.ValidationLoss is not null && _terminal.ErrorIsTerminal)
            Break();
        if (p.Sample is not null)
            Tell("  | " + Printable.OneLine(p.Sample));
    }

    /// <summary>Ends the status line.</summary>
    public void End() => Break();

    /// <inheritdoc/>
    public void Dispose() => End();

    private static string Validation(TrainingProgress p) =>
        p.ValidationLoss is { } loss ? string.Create(CultureInfo.InvariantCulture, $"  valid {loss:F4}") : "";

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

using System.Diagnostics;
using System.Globalization;
using Polymath.Hub;

namespace Polymath.Cli;

/// <summary>Shows a download on standard error: a bar for a person, a line every tenth for a file.</summary>
internal sealed class DownloadDisplay(Terminal terminal) : IDisposable
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(3);

    private readonly StatusLine _line = new(terminal);
    private long _drawn;
    private long _from;            // the speed is that since this time …
    private long _fromBytes = -1;  // … and this many bytes
    private double _speed;
    private int _tenth = -1;

    /// <summary>Prints a remark.</summary>
    public void Tell(string remark)
    {
        _line.Break();
        terminal.Error.WriteLine(Printable.OneLine(remark));
    }

    /// <summary>Shows how far it is.</summary>
    public void Show(PullProgress p)
    {
        Measure(p.Done);
        bool ended = p.Done >= p.Total;
        if (!terminal.ErrorIsTerminal)
        {
            int tenth = p.Total == 0 ? 10 : (int)(10 * (double)p.Done / p.Total);
            if (tenth > _tenth && _tenth >= 0)
                terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tenth * 10} % of {Figures.Bytes(p.Total)}"));
            _tenth = Math.Max(tenth, _tenth);
            return;
        }

        if (!ended && _drawn != 0 && Stopwatch.GetElapsedTime(_drawn) < s_redraw)
            return;
        _drawn = Stopwatch.GetTimestamp();
        string left = _speed > 0 ? $"  {StatusLine.Left(TimeSpan.FromSeconds(Math.Min((p.Total - p.Done) / _speed, 1e7)))} left" : "";
        _line.Draw($"{StatusLine.Bar(p.Done, p.Total)} {Figures.Bytes(p.Done)} of {Figures.Bytes(p.Total)}  {Figures.Bytes((long)_speed)}/s{left}");
    }

    /// <inheritdoc/>
    public void Dispose() => _line.Break();

    private void Measure(long done)
    {
        if (_fromBytes < 0 || done < _fromBytes)
        {
            (_from, _fromBytes) = (Stopwatch.GetTimestamp(), done);   // what was there before was not downloaded now
            return;
        }

        TimeSpan passed = Stopwatch.GetElapsedTime(_from);
        if (passed < s_redraw)
            return;
        double now = (done - _fromBytes) / passed.TotalSeconds;
        _speed = _speed == 0 ? now : _speed + ((now - _speed) * 0.2);
        if (passed > s_window)
            (_from, _fromBytes) = (Stopwatch.GetTimestamp(), done);
    }
}

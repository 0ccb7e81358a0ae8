using System.Globalization;

namespace Polymath.Cli;

/// <summary>One line on standard error that redraws itself for a person.</summary>
internal sealed class StatusLine(Terminal terminal)
{
    private const int BarLength = 16;
    private bool _open;   // it stands there without its end

    /// <summary>Draws over what the line showed; at most 80 columns as a rule, a line that wraps could not be redrawn.</summary>
    public void Draw(string text)
    {
        terminal.Error.Write($"\r\u001b[K{text}");
        _open = true;
    }

    /// <summary>Ends the line; what comes next starts a new one.</summary>
    public void Break()
    {
        if (_open)
            terminal.Error.WriteLine();
        _open = false;
    }

    /// <summary>Takes the line away.</summary>
    public void Clear()
    {
        if (_open)
            terminal.Error.Write("\r\u001b[K");
        _open = false;
    }

    /// <summary>A bar of the share that is done.</summary>
    public static string Bar(long done, long all)
    {
        int filled = all <= 0 ? BarLength : (int)(BarLength * Math.Clamp((double)done / all, 0, 1));
        return new string('█', filled) + new string('░', BarLength - filled);
    }

    /// <summary>A time that is left: "1h05m", "3m09s".</summary>
    public static string Left(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}h{time.Minutes:D2}m")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}m{time.Seconds:D2}s");
}

using System.Diagnostics;
using System.Globalization;

namespace Polymath.Benchmarks;

/// <summary>
/// What the processors did, from Linux's /proc: all they were busy with, less what the measured process and this one took.
/// The rest is what others took, an idle peer that should be asleep and stolen time of a virtual machine included.
/// </summary>
internal readonly struct ProcessorTime
{
    private const double TicksPerSecond = 100;   // USER_HZ, the same for all processors that Linux runs on today

    private static readonly int[] s_busyFields = [1, 2, 3, 6, 7, 8];

    private readonly long _timestamp;
    private readonly long _others;

    private ProcessorTime(int process)
    {
        _timestamp = Stopwatch.GetTimestamp();
        _others = Busy() - Of(process) - Of(Environment.ProcessId);
    }

    /// <summary>The counts at this moment.</summary>
    public static ProcessorTime Now(int process) => new(process);

    /// <summary>Cores that others took on average since then.</summary>
    public double OthersSince(int process)
    {
        ProcessorTime now = Now(process);
        double seconds = Stopwatch.GetElapsedTime(_timestamp, now._timestamp).TotalSeconds;
        return Math.Max(0, (now._others - _others) / TicksPerSecond / seconds);
    }

    /// <summary>user, nice, system, irq, softirq and steal of the first line of /proc/stat.</summary>
    private static long Busy()
    {
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return s_busyFields.Sum(i => Number(fields[i]));
    }

    /// <summary>utime and stime, the 14th and 15th field; the second may hold spaces and ends with the last parenthesis.</summary>
    private static long Of(int process)
    {
        string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return Number(fields[11]) + Number(fields[12]);
    }

    private static long Number(string field) => long.Parse(field, CultureInfo.InvariantCulture);
}

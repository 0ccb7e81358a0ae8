using System.Diagnostics;

namespace Polymath.Tensors;

/// <summary>The best of many runs of the same work, since other work on the machine only ever slows one down.</summary>
/// <param name="Seconds">Of the shortest run.</param>
/// <param name="ProcessorSeconds">Of the mean run, over all threads of the process; turns of other processes do not count.</param>
internal readonly record struct BestRun(double Seconds, double ProcessorSeconds)
{
    private const int LeastRuns = 2;

    /// <summary>Runs <paramref name="work"/> again and again for as long as <paramref name="time"/>, at least twice, after one run to warm up.</summary>
    public static BestRun Of(TimeSpan time, Action work)
    {
        work();
        TimeSpan used = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        double best = double.MaxValue;
        int runs = 0;
        for (; runs < LeastRuns || Stopwatch.GetElapsedTime(start) < time; runs++)
        {
            long began = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        return new BestRun(Math.Max(best, 1e-9), (Environment.CpuUsage.TotalTime - used).TotalSeconds / runs);
    }
}

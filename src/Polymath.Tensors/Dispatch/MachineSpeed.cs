using System.Diagnostics;

namespace Polymath.Tensors;

/// <summary>What this machine can do at best, measured: the bounds of decoding (reading) and of prompts (multiply-adds).</summary>
/// <param name="Threads">Threads of the team that was measured.</param>
/// <param name="ReadAlone">Bytes a second that one thread reads from memory.</param>
/// <param name="ReadTeam">Bytes a second that the team reads from memory.</param>
/// <param name="FlopsAlone">F32 operations a second of one thread, a fused multiply-add counted as two.</param>
/// <param name="FlopsTeam">F32 operations a second of the team.</param>
public readonly record struct MachineSpeed(int Threads, double ReadAlone, double ReadTeam, double FlopsAlone, double FlopsTeam)
{
    private const long LeastBytes = 1 << 20, UsualBytes = 256 << 20, MostBytes = 1 << 30;
    private const int CacheMultiple = 8;
    private const int FreeShare = 4;
    private const int PageBytes = 4096;
    private const int LeastPasses = 2;
    private const int IndicesPerThread = 64;   // about a millisecond, so that waking threads does not count
    private static readonly TimeSpan s_reading = TimeSpan.FromMilliseconds(120), s_computing = TimeSpan.FromMilliseconds(40);

    /// <summary>Measures for about half a second: the best of several passes.</summary>
    /// <param name="team">Threads to measure with, beside one alone.</param>
    /// <param name="free">Bytes of memory that are free; a quarter of them is used at most.</param>
    public static MachineSpeed Measure(ThreadTeam team, long free)
    {
        ArgumentNullException.ThrowIfNull(team);
        using var alone = new ThreadTeam(1);
        using var buffer = new NativeBuffer(BufferBytes(Processor.LastLevelCacheBytes(), free));
        Touch(team, buffer);
        double readAlone = Reading(alone, buffer), readTeam = team.Count == 1 ? readAlone : Reading(team, buffer);
        double flopsAlone = Computing(alone), flopsTeam = team.Count == 1 ? flopsAlone : Computing(team);
        return new MachineSpeed(team.Count, readAlone, readTeam, flopsAlone, flopsTeam);
    }

    /// <summary>Bytes a second that the team reads from memory, the best of the passes of an eighth of a second.</summary>
    /// <param name="team">Threads to measure with.</param>
    /// <param name="free">Bytes of memory that are free; a quarter of them is used at most.</param>
    public static double MeasureReading(ThreadTeam team, long free)
    {
        ArgumentNullException.ThrowIfNull(team);
        using var buffer = new NativeBuffer(BufferBytes(Processor.LastLevelCacheBytes(), free));
        Touch(team, buffer);
        return Reading(team, buffer);
    }

    /// <summary>Much larger than the caches, as long as there is memory for that; whole MiB.</summary>
    internal static long BufferBytes(long cache, long free)
    {
        long wanted = Math.Clamp(CacheMultiple * Math.Min(cache, MostBytes), UsualBytes, MostBytes);
        return Math.Max(LeastBytes, Math.Min(wanted, free / FreeShare) / LeastBytes * LeastBytes);
    }

    private static double Reading(ThreadTeam team, NativeBuffer buffer) =>
        Best(s_reading, buffer.Length, () => _ = WordSum.Run(team, buffer, buffer.Length));

    private static double Computing(ThreadTeam team)
    {
        int count = IndicesPerThread * team.Count;
        return Best(s_computing, count * MultiplyAddLoop.OperationsEach, () =>
        {
            var job = default(MultiplyAddLoop);
            team.Run(ref job, count);
        });
    }

    /// <summary>The most of <paramref name="amount"/> a second over the passes that fit <paramref name="time"/>.</summary>
    private static double Best(TimeSpan time, double amount, Action pass)
    {
        long start = Stopwatch.GetTimestamp();
        double best = 0;
        for (int passes = 0; passes < LeastPasses || Stopwatch.GetElapsedTime(start) < time; passes++)
        {
            long began = Stopwatch.GetTimestamp();
            pass();
            best = Math.Max(best, amount / Math.Max(Stopwatch.GetElapsedTime(began).TotalSeconds, 1e-9));
        }

        return best;
    }

    /// <summary>Writes to every page: what was never written is one page of zeros to the system, and lies in the cache.</summary>
    private static unsafe void Touch(ThreadTeam team, NativeBuffer buffer)
    {
        var job = new TouchJob { Data = buffer.Data };
        team.Run(ref job, checked((int)(buffer.Length / PageBytes)), (int)(LeastBytes / PageBytes));
        GC.KeepAlive(buffer);
    }

    private unsafe struct TouchJob : IRangeJob
    {
        public byte* Data;

        public readonly void Run(int from, int to)
        {
            for (int page = from; page < to; page++)
                Data[(long)page * PageBytes] = 1;
        }
    }
}

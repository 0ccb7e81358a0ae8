namespace Polymath.Tensors;

/// <summary>What this machine can do at best, measured: the bounds of decoding (reading) and of prompts (multiply-adds).</summary>
/// <param name="Threads">Threads of the team that was measured.</param>
/// <param name="ReadAlone">Bytes a second that one thread reads from memory.</param>
/// <param name="ReadTeam">Bytes a second that the team reads from memory.</param>
/// <param name="FlopsAlone">F32 operations a second of one thread, a fused multiply-add counted as two.</param>
/// <param name="FlopsTeam">F32 operations a second of the team.</param>
public readonly record struct MachineSpeed(int Threads, double ReadAlone, double ReadTeam, double FlopsAlone, double FlopsTeam)
{
    private const int IndicesPerThread = 64;   // about a millisecond, so that waking threads does not count
    private static readonly TimeSpan s_computing = TimeSpan.FromMilliseconds(40);

    /// <summary>Measures for about half a second: the best of several passes.</summary>
    /// <param name="team">Threads to measure with, beside one alone.</param>
    /// <param name="free">Bytes of memory that are free; a quarter of them is used at most.</param>
    public static MachineSpeed Measure(ThreadTeam team, long free)
    {
        ArgumentNullException.ThrowIfNull(team);
        using var alone = new ThreadTeam(1);
        using var memory = new MemoryBandwidth(team, free);
        double readAlone = memory.Measure(alone), readTeam = team.Count == 1 ? readAlone : memory.Measure(team);
        double flopsAlone = Computing(alone), flopsTeam = team.Count == 1 ? flopsAlone : Computing(team);
        return new MachineSpeed(team.Count, readAlone, readTeam, flopsAlone, flopsTeam);
    }

    private static double Computing(ThreadTeam team)
    {
        int count = IndicesPerThread * team.Count;
        BestRun best = BestRun.Of(s_computing, () =>
        {
            var job = default(MultiplyAddLoop);
            team.Run(ref job, count);
        });
        return count * MultiplyAddLoop.OperationsEach / best.Seconds;
    }
}

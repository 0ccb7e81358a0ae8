namespace Polymath;

/// <summary>What a piece of work allocates.</summary>
internal static class Allocations
{
    /// <summary>
    /// Managed bytes that <paramref name="work"/> allocates on this thread, the least of several rounds: a collection
    /// that another test causes, or a lock that is waited for the first time, adds to one round; work that allocates
    /// does so in every round.
    /// </summary>
    public static long Of(Action work)
    {
        work();
        long least = long.MaxValue;
        for (int round = 0; round < 8 && least > 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 20; i++)
                work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}

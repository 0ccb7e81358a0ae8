namespace Polymath.Tensors;

/// <summary>How fast memory can be read: the threads of a team add up the words of a buffer that is far larger than the caches.</summary>
public sealed class MemoryBandwidth : IDisposable
{
    private const long LeastBytes = 1 << 20, UsualBytes = 256 << 20, MostBytes = 1 << 30;
    private const int CacheMultiple = 8;
    private const int FreeShare = 4;
    private const int PageBytes = 4096;
    private static readonly TimeSpan s_usualTime = TimeSpan.FromMilliseconds(120);

    private readonly NativeBuffer _buffer;

    /// <summary>Takes the memory.</summary>
    /// <param name="team">Threads that write to it first, so that it is there.</param>
    /// <param name="free">Bytes of memory that are free; a quarter of them is used at most.</param>
    public MemoryBandwidth(ThreadTeam team, long free)
    {
        ArgumentNullException.ThrowIfNull(team);
        _buffer = new NativeBuffer(BufferBytes(Processor.LastLevelCacheBytes(), free));
        Touch(team);
    }

    /// <summary>Bytes a second: the best of the passes that fit <paramref name="time"/>, an eighth of a second unless given.</summary>
    public double Measure(ThreadTeam team, TimeSpan? time = null) =>
        _buffer.Length / BestRun.Of(time ?? s_usualTime, () => _ = WordSum.Run(team, _buffer, _buffer.Length)).Seconds;

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    /// <summary>Much larger than the caches, as long as there is memory for that; whole MiB.</summary>
    internal static long BufferBytes(long cache, long free)
    {
        long wanted = Math.Clamp(CacheMultiple * Math.Min(cache, MostBytes), UsualBytes, MostBytes);
        return Math.Max(LeastBytes, Math.Min(wanted, free / FreeShare) / LeastBytes * LeastBytes);
    }

    /// <summary>Writes to every page: what was never written is one page of zeros to the system, and lies in the cache.</summary>
    private unsafe void Touch(ThreadTeam team)
    {
        var job = new TouchJob { Data = _buffer.Data };
        team.Run(ref job, checked((int)(_buffer.Length / PageBytes)), (int)(LeastBytes / PageBytes));
        GC.KeepAlive(_buffer);
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

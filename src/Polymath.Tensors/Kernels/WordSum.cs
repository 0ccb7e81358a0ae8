using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Adds up the 64-bit words of a buffer: so little work for each byte that it runs as fast as memory can be read.</summary>
public static unsafe class WordSum
{
    private const int WordsOfChunk = 1 << 17;   // 1 MiB, the unit that threads share out

    /// <summary>Σ of the words modulo 2^64. Allocates nothing.</summary>
    /// <param name="team">Threads to use.</param>
    /// <param name="buffer">What to read.</param>
    /// <param name="length">Bytes from its start; a multiple of 8.</param>
    /// <exception cref="ArgumentOutOfRangeException">No whole words, or more than the buffer holds.</exception>
    public static ulong Run(ThreadTeam team, NativeBuffer buffer, long length)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(buffer);
        if (length < 0 || length % sizeof(ulong) != 0 || length > buffer.Length)
            throw new ArgumentOutOfRangeException(nameof(length), $"WordSum: {length} bytes of {buffer.Length}");
        ulong sum = 0;
        long words = length / sizeof(ulong);
        var job = new Job { Words = (ulong*)buffer.Data, Count = words, Sum = &sum };
        team.Run(ref job, checked((int)((words + WordsOfChunk - 1) / WordsOfChunk)));
        GC.KeepAlive(buffer);
        return sum;
    }

    private struct Job : IRangeJob
    {
        public ulong* Words;
        public long Count;
        public ulong* Sum;

        public readonly void Run(int from, int to)
        {
            long start = (long)from * WordsOfChunk;
            ulong part = Add(Words + start, (nint)(Math.Min((long)to * WordsOfChunk, Count) - start));
            Interlocked.Add(ref Unsafe.AsRef<ulong>(Sum), part);   // whole numbers: the order does not matter
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong Add(ulong* words, nint count)
    {
        Vector256<ulong> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        nint i = 0;
        for (; i <= count - 32; i += 32)
        {
            s0 += Vector256.Load(words + i);
            s1 += Vector256.Load(words + i + 4);
            s2 += Vector256.Load(words + i + 8);
            s3 += Vector256.Load(words + i + 12);
            s4 += Vector256.Load(words + i + 16);
            s5 += Vector256.Load(words + i + 20);
            s6 += Vector256.Load(words + i + 24);
            s7 += Vector256.Load(words + i + 28);
        }

        ulong sum = Vector256.Sum(s0 + s1 + s2 + s3 + (s4 + s5 + s6 + s7));
        for (; i < count; i++)
            sum += words[i];
        return sum;
    }
}

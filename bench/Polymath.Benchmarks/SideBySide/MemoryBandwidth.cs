using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Polymath.Benchmarks;

/// <summary>How fast memory can be read: every thread adds up its part of a buffer that is far larger than the caches.</summary>
internal sealed unsafe class MemoryBandwidth : IDisposable
{
    private const nuint Bytes = 1 << 29;
    private const int Step = 8 * 64;   // bytes of one turn of the loop

    private readonly int _threads;
    private readonly byte* _buffer = (byte*)NativeMemory.AlignedAlloc(Bytes, 4096);
    private long _sum;

    /// <summary>Takes the memory.</summary>
    public MemoryBandwidth(int threads)
    {
        _threads = threads;
        NativeMemory.Fill(_buffer, Bytes, 1);
    }

    /// <summary>Bytes per second over at least as many <paramref name="seconds"/>.</summary>
    public double Measure(double seconds)
    {
        long start = Stopwatch.GetTimestamp();
        long read = 0;
        double taken;
        do
        {
            read += ReadAll();
            taken = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        while (taken < seconds);
        return read / taken;
    }

    public void Dispose() => NativeMemory.AlignedFree(_buffer);

    private long ReadAll()
    {
        long part = (long)Bytes / _threads / Step * Step;
        var threads = new Thread[_threads - 1];
        for (int i = 0; i < threads.Length; i++)
        {
            byte* from = _buffer + (part * (i + 1));
            threads[i] = new Thread(() => Interlocked.Add(ref _sum, Add(from, part)));
            threads[i].Start();
        }

        Interlocked.Add(ref _sum, Add(_buffer, part));
        foreach (Thread thread in threads)
            thread.Join();
        return part * _threads;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static long Add(byte* from, long count)
    {
        Vector512<long> a = default, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        for (byte* end = from + count; from < end; from += Step)
        {
            a += Vector512.Load((long*)from);
            b += Vector512.Load((long*)(from + 64));
            c += Vector512.Load((long*)(from + 128));
            d += Vector512.Load((long*)(from + 192));
            e += Vector512.Load((long*)(from + 256));
            f += Vector512.Load((long*)(from + 320));
            g += Vector512.Load((long*)(from + 384));
            h += Vector512.Load((long*)(from + 448));
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h);
    }
}

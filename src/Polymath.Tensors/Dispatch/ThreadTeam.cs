using System.Runtime.CompilerServices;

namespace Polymath.Tensors;

/// <summary>A loop body over the indices [from, to). A struct, so that each loop compiles to its own code.</summary>
public interface IRangeJob
{
    /// <summary>Does the work of the indices [<paramref name="from"/>, <paramref name="to"/>).</summary>
    void Run(int from, int to);
}

/// <summary>
/// A fixed team of threads that share out the chunks of a loop. The caller is one of them. Each thread begins with a
/// stretch of its own, chunk after chunk, so that it reads memory from front to back, and then helps with what is left of
/// the others'. Which thread takes a chunk is left to chance, so a job's result must not depend on it: each index writes
/// only its own output.
/// A loop waits only for the workers that came in time to join it, so a descheduled one delays nobody.
/// Workers spin briefly for the next loop and then park. A loop allocates nothing.
/// </summary>
public sealed unsafe class ThreadTeam : IDisposable
{
    private const int SpinsBeforePark = 20_000;
    private const int SpinsBeforeYield = 4_000;
    private const int Line = 16;               // integers from one counter to the next: no two share a cache line
    private const int Closed = int.MinValue;   // added to _inside while no loop may be joined

    private readonly Thread[] _workers;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Lock _oneLoopAtATime = new();

    private delegate*<void*, int, int, void> _body;
    private void* _job;
    private int _count;
    private int _chunk;
    private readonly int[] _next;   // of each thread's stretch the next index to hand out
    private int _inside = Closed; // workers inside the current loop, plus Closed between loops
    private volatile int _epoch;  // counts loops; a change is the starting signal
    private int _parked;
    private readonly int _spins;
    private Exception? _failure;
    private volatile bool _disposed;

    /// <summary>Starts a team of <paramref name="threads"/> threads, the caller included.</summary>
    public ThreadTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _workers = new Thread[threads - 1];
        _next = new int[(threads + 1) * Line];
        _spins = threads <= Environment.ProcessorCount ? SpinsBeforePark : 0;
        for (int i = 0; i < _workers.Length; i++)
        {
            int index = i + 1;
            _workers[i] = new Thread(() => Work(index)) { IsBackground = true, Name = $"polymath {index}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads in the team, the caller included.</summary>
    public int Count => _workers.Length + 1;

    /// <summary>Runs <paramref name="job"/> over [0, <paramref name="count"/>) in chunks of <paramref name="chunk"/> indices and waits for its end.</summary>
    /// <exception cref="AggregateException">The job threw.</exception>
    public void Run<TJob>(ref TJob job, int count, int chunk = 1)
        where TJob : struct, IRangeJob
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunk, 1);
        if (count <= 0)
            return;
        if (_workers.Length == 0 || count <= chunk)
        {
            job.Run(0, count);
            return;
        }

        lock (_oneLoopAtATime)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            // The job lives in a caller's frame or field for the whole call; workers only use it before we return.
            fixed (void* pointer = &Unsafe.As<TJob, byte>(ref job))
                Share(&Body<TJob>, pointer, count, chunk);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_oneLoopAtATime)
        {
            if (_disposed)
                return;
            _disposed = true;
        }

        Interlocked.Increment(ref _epoch);
        _wake.Release(_workers.Length + 1);
        foreach (Thread worker in _workers)
            worker.Join();
        _wake.Dispose();
    }

    private static void Body<TJob>(void* job, int from, int to)
        where TJob : struct, IRangeJob
        => Unsafe.AsRef<TJob>(job).Run(from, to);

    private void Share(delegate*<void*, int, int, void> body, void* job, int count, int chunk)
    {
        _body = body;
        _job = job;
        _count = count;
        _chunk = chunk;
        _failure = null;
        for (int thread = 0; thread < Count; thread++)
            Volatile.Write(ref _next[(thread + 1) * Line], StartOf(thread));
        Interlocked.Add(ref _inside, Closed);   // Closed + Closed wraps to 0: open
        Interlocked.Increment(ref _epoch);
        int parked = Volatile.Read(ref _parked);
        if (parked > 0)
            _wake.Release(parked);

        TakeChunks(0);
        Interlocked.Add(ref _inside, Closed);
        for (int i = 0; i < SpinsBeforeYield && Volatile.Read(ref _inside) != Closed; i++)
            Thread.SpinWait(1);
        var spinner = default(SpinWait);
        while (Volatile.Read(ref _inside) != Closed)
            spinner.SpinOnce(sleep1Threshold: -1);
        if (_failure is not null)
            throw new AggregateException(_failure);
    }

    /// <summary>Where the stretch of a thread begins: a multiple of the chunk.</summary>
    private int StartOf(int thread)
    {
        int chunks = (_count - 1) / _chunk + 1;
        return (int)Math.Min(_count, (long)chunks * thread / Count * _chunk);
    }

    private void TakeChunks(int self)
    {
        try
        {
            for (int i = 0; i < Count; i++)
                TakeChunksOf((self + i) % Count);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            for (int thread = 0; thread < Count; thread++)
                Volatile.Write(ref _next[(thread + 1) * Line], _count);
        }
    }

    private void TakeChunksOf(int thread)
    {
        int chunk = _chunk, end = StartOf(thread + 1);
        ref int next = ref _next[(thread + 1) * Line];
        while (Volatile.Read(ref next) < end)   // else a counter that is asked again and again would overflow
        {
            int from = Interlocked.Add(ref next, chunk) - chunk;
            if ((uint)from >= (uint)end)
                return;
            _body(_job, from, Math.Min(from + chunk, end));
        }
    }

    private void Work(int index)
    {
        int seen = 0;
        while (true)
        {
            WaitForLoop(seen);
            seen = _epoch;
            if (_disposed)
                return;
            if (Interlocked.Increment(ref _inside) > 0)   // negative: the loop is over already
                TakeChunks(index);
            Interlocked.Decrement(ref _inside);
        }
    }

    private void WaitForLoop(int seen)
    {
        for (int i = 0; i < _spins; i++)
        {
            if (_epoch != seen)
                return;
            Thread.SpinWait(1);
        }

        while (_epoch == seen)
        {
            Interlocked.Increment(ref _parked);
            if (_epoch == seen && !_disposed)
                _wake.Wait();
            Interlocked.Decrement(ref _parked);
        }
    }
}

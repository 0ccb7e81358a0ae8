using Polymath.Models;

namespace Polymath.Extensions.AI;

/// <summary>
/// Texts that wait for an encoder. One batch is computed at a time, and takes all that have come meanwhile; the encoder
/// cuts it into passes by itself.
/// </summary>
internal sealed class EmbeddingQueue(TextEncoder encoder) : IDisposable
{
    private const int MostTexts = 256;   // of one batch, unless one caller brings more: the others shall not wait for too long

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = new();   // under the lock
    private Task _work = Task.CompletedTask;            // under the lock
    private bool _isWorking;                            // under the lock
    private bool _closed;                               // under the lock

    /// <summary>The vectors of some texts.</summary>
    public async Task<float[][]> EmbedAsync(int[][] texts, CancellationToken cancellation)
    {
        var waiting = new Waiting(texts, cancellation);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _waiting.Enqueue(waiting);
            if (!_isWorking)
            {
                _isWorking = true;
                _work = Task.Run(Work, CancellationToken.None);
            }
        }

        return await waiting.Vectors.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes no more and waits for the batch that runs; who waits for a later one is told that it is over.</summary>
    public void Dispose()
    {
        Task work;
        lock (_lock)
        {
            _closed = true;
            work = _work;
        }

        work.Wait();
    }

    private void Work()
    {
        while (NextBatch() is { } batch)
        {
            using var nobody = new CancellationTokenSource();
            int left = batch.Count;
            List<CancellationTokenRegistration> registrations =
                [.. batch.Select(waiting => waiting.Cancellation.Register(() =>
                {
                    if (Interlocked.Decrement(ref left) == 0)
                        nobody.Cancel();
                }))];
            try
            {
                float[][] vectors = encoder.Embed([.. batch.SelectMany(waiting => waiting.Texts)], nobody.Token);
                int first = 0;
                foreach (Waiting waiting in batch)
                {
                    waiting.Vectors.SetResult(vectors[first..(first + waiting.Texts.Length)]);
                    first += waiting.Texts.Length;
                }
            }
            catch (OperationCanceledException)
            {
                batch.ForEach(waiting => waiting.Vectors.TrySetCanceled(waiting.Cancellation));
            }
            catch (Exception e)   // whatever it is, it belongs to those who wait
            {
                batch.ForEach(waiting => Fail(waiting, e));
            }

            registrations.ForEach(registration => registration.Dispose());   // none runs any more when the source is disposed
        }
    }

    /// <summary>What is computed next; null when nothing waits, and then the worker is over.</summary>
    private List<Waiting>? NextBatch()
    {
        lock (_lock)
        {
            while (_closed && _waiting.TryDequeue(out Waiting? late))
                Fail(late, new ObjectDisposedException(nameof(PolymathEmbeddingGenerator)));
            var batch = new List<Waiting>();
            int texts = 0;
            while (_waiting.TryPeek(out Waiting? next) && (batch.Count == 0 || texts + next.Texts.Length <= MostTexts))
            {
                _waiting.Dequeue();
                if (next.Cancellation.IsCancellationRequested)
                {
                    next.Vectors.TrySetCanceled(next.Cancellation);
                    continue;
                }

                batch.Add(next);
                texts += next.Texts.Length;
            }

            _isWorking = batch.Count > 0;
            return _isWorking ? batch : null;
        }
    }

    private static void Fail(Waiting waiting, Exception exception)
    {
        waiting.Vectors.TrySetException(exception);
        _ = waiting.Vectors.Task.Exception;   // seen: who has cancelled does not look
    }

    private sealed record Waiting(int[][] Texts, CancellationToken Cancellation)
    {
        public TaskCompletionSource<float[][]> Vectors { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

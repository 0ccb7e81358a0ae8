using Polymath.Files;
using Polymath.Generation.Constraints;
using Polymath.Models;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Generation.Batching;

/// <summary>Decides what each step computes, and computes it. On the engine's thread alone, but for <see cref="NewRequest"/>.</summary>
internal sealed class Scheduler : IDisposable
{
    private const int MostCacheTokens = 1 << 16;

    private readonly Model _model;
    private readonly EngineOptions _options;
    private readonly KvPool _pool;
    private readonly PrefixCache? _prefixes;
    private readonly ParkedTexts? _parked;        // in its place, where layers are recurrent
    private readonly Batch _batch;
    private readonly int[][] _pages;              // of a beginning that was found
    private readonly List<Request> _waiting = [];
    private readonly List<Request> _running = [];   // the first to come is the first
    private readonly List<Request> _inside = [];    // whose tokens are in the batch
    private long _promptTokens;
    private long _cachedTokens;
    private long _generatedTokens;
    private long _steps;
    private int _over;                            // requests that ended in this step

    public Scheduler(Model model, EngineOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxTexts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.PromptTokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.PromptTokensBesideOthers);
        ArgumentOutOfRangeException.ThrowIfNegative(options.CacheTokens);
        _model = model;
        _options = options;
        ContextLength = model.Decoder.ContextOf(new SessionOptions { ContextLength = options.ContextLength });
        long tokens = options.CacheTokens > 0
            ? options.CacheTokens : Math.Max(ContextLength, Math.Min((long)options.MaxTexts * ContextLength, MostCacheTokens));
        if (tokens < ContextLength)
            throw new ArgumentException($"a cache of {tokens} tokens for texts of {ContextLength}", nameof(options));
        int batch = Math.Max(options.PromptTokens, options.PromptTokensBesideOthers);
        IReadOnlyList<CacheLayer> layers = model.Decoder.CacheLayers;
        // Twice as many windows as texts: beginnings are kept too.
        _pool = new KvPool(
            layers, tokens + KvPool.PageLength, 2 * options.MaxTexts, batch, options.KeyFormat, options.ValueFormat);
        bool recurrent = KvCache.StateBytes(layers) > 0;
        _prefixes = options.ReusePrefixes && !recurrent ? new PrefixCache(_pool) : null;
        _parked = options.ReusePrefixes && recurrent ? new ParkedTexts(options.MaxTexts) : null;
        _batch = model.NewBatch(batch + options.MaxTexts, options.MaxTexts);
        _pages = new int[_pool.Groups.Length][];
        for (int group = 0; group < _pages.Length; group++)
            _pages[group] = new int[(ContextLength / KvPool.PageLength) + 1];
        Publish();
    }

    public int ContextLength { get; }

    public int MaxTexts => _options.MaxTexts;

    /// <summary>How it stood at the last <see cref="Publish"/>.</summary>
    public EngineStatistics Statistics { get; private set; }

    public bool IsIdle => _running.Count == 0 && _waiting.Count == 0;

    /// <summary>Checks a request; on any thread.</summary>
    public Request NewRequest(ReadOnlySpan<int> prompt, GenerationOptions options, string caller, CancellationToken cancellation)
    {
        if (prompt.IsEmpty)
            throw new ArgumentException("the prompt is empty", nameof(prompt));
        if (prompt.Length > ContextLength)
            throw new ArgumentException($"the prompt has {prompt.Length} tokens, the context holds {ContextLength}", nameof(prompt));
        if (options.ContextFull != ContextFull.Stop)
            throw new ArgumentException("a text beside others is not shortened when its context is full", nameof(options));
        foreach (int id in prompt)
        {
            if ((uint)id >= (uint)_model.Settings.Vocabulary)
                throw new ArgumentException($"id {id} is not in the vocabulary of {_model.Settings.Vocabulary}", nameof(prompt));
        }

        return new Request(_model, prompt.ToArray(), options, ContextLength, caller, cancellation);
    }

    /// <summary>Takes over what has arrived.</summary>
    public void Take(List<Request> arrivals) => _waiting.AddRange(arrivals);

    /// <summary>Makes <see cref="Statistics"/> anew.</summary>
    public void Publish() => Statistics = new EngineStatistics(
        _waiting.Count, _running.Count, _promptTokens, _cachedTokens, _generatedTokens, _steps, _pool.Groups.Length == 0 ? 0 : _pool.Groups[0].Count,
        _pool.Groups.Length == 0 ? 0 : _pool.FreePages);

    /// <summary>One pass through the layers for all that can take part. Returns how many requests are over.</summary>
    public int Step()
    {
        _over = 0;
        DropCancelled();
        Admit();
        Compose();
        if (_batch.Texts > 0)
            Run();
        return _over;
    }

    /// <summary>Ends everything as cancelled; returns how many requests that were.</summary>
    public int CancelAll()
    {
        _over = 0;
        foreach (Request request in _running.Concat(_waiting).ToArray())
            End(request, StopReason.Cancelled);
        return _over;
    }

    /// <summary>Ends everything with a failure.</summary>
    public void FailAll(Exception exception)
    {
        foreach (Request request in _running.Concat(_waiting))
            request.Pending.Fail(exception);
    }

    public void Dispose()
    {
        foreach (Request request in _running)
            request.Session?.Dispose();
        _parked?.Dispose();
        _batch.Dispose();
        _pool.Dispose();
    }

    private void DropCancelled()
    {
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            if (_running[i].Cancellation.IsCancellationRequested)
                End(_running[i], StopReason.Cancelled);
        }

        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            if (_waiting[i].Cancellation.IsCancellationRequested)
                End(_waiting[i], StopReason.Cancelled);
        }
    }

    private void Admit()
    {
        while (_running.Count < _options.MaxTexts && NextWaiting() is { } request && TryBegin(request))
        {
            _waiting.Remove(request);
            _running.Add(request);
        }
    }

    /// <summary>Of the callers that have fewest texts running, the first to come; not one whose beginning is just being read.</summary>
    private Request? NextWaiting()
    {
        Request? best = null;
        int fewest = int.MaxValue;
        foreach (Request request in _waiting)
        {
            int running = _running.Count(other => other.Caller == request.Caller);
            if (running < fewest && !IsBeingRead(request))
                (best, fewest) = (request, running);
        }

        return best;
    }

    /// <summary>Another one reads the same first page: waiting for it costs less than reading it twice.</summary>
    private bool IsBeingRead(Request request)
    {
        if (_prefixes is null)
            return false;
        foreach (Request other in _running)
        {
            if (other.IsWriting || !other.IsReading || other.Text.CommonPrefixLength(request.Text) < KvPool.PageLength)
                continue;
            return true;
        }

        return false;
    }

    /// <summary>Gives a request its session, with the beginning that is there already. False where there is no room yet.</summary>
    private bool TryBegin(Request request)
    {
        ReadOnlySpan<int> text = request.Text;
        Session session = _parked?.TryTake(text[..^1]) ?? new Session(_model, request.Capacity, _pool);
        int found = _prefixes?.Find(text[..^1], _pages) ?? session.Position;
        if (_prefixes is not null && found > 0 && !session.TryBegin(_pages, found))
            found = 0;
        // The first of all must get in; others leave each running text a page to go on with.
        int needed = session.Cache.PagesToAdd(found, text.Length - found) + (_running.Count == 0 ? 0 : _running.Count + 1);
        if (!HasRoom(needed) && _running.Count > 0)
        {
            session.Dispose();
            return false;
        }

        request.Session = session;
        if (request.CachedTokens < 0)
        {
            request.CachedTokens = found;
            _cachedTokens += found;
        }

        return true;
    }

    private bool HasRoom(int pages)
    {
        while (_pool.FreePages < pages && _parked?.DropOldest() == true)
        {
        }

        return _pool.FreePages >= pages || (_prefixes?.Evict(pages) ?? false);
    }

    /// <summary>Puts the next tokens of every text into the batch: first those that are being written, then parts of prompts.</summary>
    private void Compose()
    {
        _inside.Clear();
        for (int i = 0; i < _running.Count; i++)
        {
            Request request = _running[i];
            if (request.IsReading || !MakeRoom(request, 1))
                continue;
            Put(request, request.Text[^1..], logits: true);
        }

        int left = _inside.Count > 0 ? _options.PromptTokensBesideOthers : _options.PromptTokens;
        for (int i = 0; i < _running.Count && left > 0; i++)
        {
            Request request = _running[i];
            int count = Math.Min(left, request.Missing);
            if (!request.IsReading || !MakeRoom(request, count))
                continue;
            Put(request, request.Text.Slice(request.Session!.Position, count), count == request.Missing);
            left -= count;
            _promptTokens += count;
        }
    }

    private void Put(Request request, ReadOnlySpan<int> ids, bool logits)
    {
        request.Row = _batch.Add(request.Session!, ids, logits);
        _inside.Add(request);
    }

    /// <summary>
    /// Takes the pages for the next tokens of a text: kept beginnings make room first, then the text that came last has to
    /// wait with what it has written. False where that is this one.
    /// </summary>
    private bool MakeRoom(Request request, int count)
    {
        Session session = request.Session!;
        while (!session.Cache.TryReserve(session.Position, count))
        {
            if (HasRoom(session.Cache.PagesToAdd(session.Position, count)))
                continue;
            Request last = _running.Last(other => !_inside.Contains(other));   // this one at the latest
            last.Session!.Dispose();
            last.Session = null;
            _running.Remove(last);
            _waiting.Insert(0, last);
            if (last == request)
                return false;
        }

        return true;
    }

    private void Run()
    {
        try
        {
            Tensor logits = _batch.Forward(_inside.Count == 1 ? _inside[0].Cancellation : default);
            _steps++;
            foreach (Request request in _inside)
            {
                if (request.Row >= 0)
                    TakeLogits(request, logits.Row(request.Row));
            }
        }
        catch (OperationCanceledException)
        {
            End(_inside[0], StopReason.Cancelled);
        }
        catch (ModelFormatException e) when (_inside.Count == 1)
        {
            Fail(_inside[0], e);
        }
        catch (ModelFormatException)
        {
            foreach (Request request in _inside)   // the others shall not pay for it
                RunAlone(request);
        }
    }

    private void RunAlone(Request request)
    {
        try
        {
            bool last = request.Missing <= _options.PromptTokensBesideOthers;
            int count = Math.Min(request.Missing, _options.PromptTokensBesideOthers);
            request.Row = _batch.Add(request.Session!, request.Text.Slice(request.Session!.Position, count), last);
            Tensor logits = _batch.Forward(request.Cancellation);
            if (last)
                TakeLogits(request, logits.Row(0));
        }
        catch (OperationCanceledException)
        {
            End(request, StopReason.Cancelled);
        }
        catch (ModelFormatException e)
        {
            Fail(request, e);
        }
    }

    private void TakeLogits(Request request, ReadOnlySpan<float> logits)
    {
        if (!request.IsWriting)
        {
            _prefixes?.Add(WholePages(request), request.Session!.Cache);   // those that come now need not wait for the answer
            request.Session!.Cache.TakeSnapshot(request.Session.Position);
        }

        int before = request.Answer.Ids.Count;
        try
        {
            if (!request.Next(logits))
                End(request, request.Answer.Reason);
        }
        catch (ConstraintException e)   // its grammar needs more memory than it may have
        {
            Fail(request, e);
        }

        _generatedTokens += request.Answer.Ids.Count - before;
    }

    private static ReadOnlySpan<int> WholePages(Request request) =>
        request.Text[..(request.Session!.Position / KvPool.PageLength * KvPool.PageLength)];

    private void End(Request request, StopReason reason)
    {
        if (request.Session is { Position: > 0 } session)
        {
            _prefixes?.Add(request.Text[..session.Position], session.Cache);
            _parked?.Add(request.Text[..session.Position], session);
            request.Session = _parked is null ? session : null;
        }

        request.Answer.End(reason);
        Leave(request);
        request.Complete();
    }

    private void Fail(Request request, Exception exception)
    {
        Leave(request);
        request.Pending.Fail(exception);
    }

    private void Leave(Request request)
    {
        request.Session?.Dispose();
        request.Session = null;
        _running.Remove(request);
        _waiting.Remove(request);
        _over++;
    }
}

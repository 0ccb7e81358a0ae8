using Polymath.Models;

namespace Polymath.Generation.Batching;

/// <summary>
/// One model for many callers: requests join and leave at every step, and the texts of a step go through the layers
/// together. A long prompt is read in parts beside the answers of others. What a request gets depends neither on the
/// requests beside it nor on what was there before. Safe for concurrent callers.
/// </summary>
public sealed class Engine : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly List<Request> _arrivals = [];   // under the lock
    private readonly Scheduler _scheduler;
    private readonly int _maxWaiting;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private int _inside;        // requests that are not over; under the lock
    private bool _closed;       // takes no more; under the lock
    private bool _abandoned;    // gives up what it has; under the lock
    private Exception? _broken; // under the lock

    /// <summary>Starts an engine over <paramref name="model"/>, which must outlive it.</summary>
    /// <exception cref="ArgumentException">An option is out of its range, or the model's heads do not fill a cache format.</exception>
    public Engine(Model model, EngineOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new EngineOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxWaiting);
        Model = model;
        _maxWaiting = options.MaxWaiting;
        _scheduler = new Scheduler(model, options);
        _thread = new Thread(Loop) { IsBackground = true, Name = "polymath engine" };
        _thread.Start();
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>Most tokens of a text.</summary>
    public int ContextLength => _scheduler.ContextLength;

    /// <summary>How it stands.</summary>
    public EngineStatistics Statistics
    {
        get
        {
            lock (_lock)
                return _scheduler.Statistics with { Waiting = _scheduler.Statistics.Waiting + _arrivals.Count };
        }
    }

    /// <summary>Asks for an answer to <paramref name="prompt"/>; the answer is written while the caller waits for it.</summary>
    /// <param name="prompt">The ids; at least one, and fewer than <see cref="ContextLength"/>.</param>
    /// <param name="options">How much, how chosen, when to stop.</param>
    /// <param name="caller">Whose request it is: callers get their turn however many requests another has.</param>
    /// <param name="cancellation">Ends the answer; its memory is free after the step that runs.</param>
    /// <exception cref="ArgumentException">The prompt is empty or too long, an id is not in the vocabulary, or an option is out of its range.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait.</exception>
    /// <exception cref="ObjectDisposedException">The engine takes no more requests.</exception>
    public PendingAnswer Start(
        ReadOnlySpan<int> prompt, GenerationOptions options, string caller = "", CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(caller);
        Request request = _scheduler.NewRequest(prompt, options, caller, cancellation);
        lock (_lock)
        {
            if (_broken is not null)
                throw new InvalidOperationException($"the engine has stopped: {_broken.Message}", _broken);
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_inside >= _maxWaiting + _scheduler.MaxTexts)
                throw new EngineBusyException($"{_inside} requests are being worked on or wait; no more can");
            _arrivals.Add(request);
            _inside++;
        }

        _work.Release();
        return request.Pending;
    }

    /// <summary>Takes no more requests and returns when those that are there are over.</summary>
    public Task DrainAsync()
    {
        lock (_lock)
        {
            _closed = true;
            if (_inside == 0)
                _drained.TrySetResult();
        }

        return _drained.Task;
    }

    /// <summary>Cancels what is being written and waits for the step that runs.</summary>
    public void Dispose()
    {
        lock (_lock)
            (_closed, _abandoned) = (true, true);
        _work.Release();
        _thread.Join();
        _scheduler.Dispose();
        _work.Dispose();
    }

    private void Loop()
    {
        try
        {
            while (true)
            {
                if (_scheduler.IsIdle)
                    _work.Wait();
                lock (_lock)
                {
                    _scheduler.Take(_arrivals);
                    _arrivals.Clear();
                    if (_abandoned)
                        break;
                }

                Leave(_scheduler.Step());
            }

            Leave(_scheduler.CancelAll());
        }
        catch (Exception e)   // a defect, or no memory: nobody may wait for ever
        {
            lock (_lock)
                _broken = e;
            _scheduler.FailAll(e);
        }
    }

    private void Leave(int count)
    {
        lock (_lock)
        {
            _inside -= count;
            _scheduler.Publish();
            if (_closed && _inside == 0)
                _drained.TrySetResult();
        }
    }
}

using System.Diagnostics;
using Polymath.Models;

namespace Polymath.Generation.Batching;

/// <summary>One request in an engine, from its arrival to its end.</summary>
internal sealed class Request
{
    private readonly int[] _prompt;
    private readonly List<int> _ids;   // the prompt and what is written
    private readonly long _arrived = Stopwatch.GetTimestamp();
    private TimeSpan _promptTime;

    public Request(Model model, int[] prompt, GenerationOptions options, int capacity, string caller, CancellationToken cancellation)
    {
        _prompt = prompt;
        _ids = [.. prompt];
        Caller = caller;
        Capacity = capacity;
        Cancellation = cancellation;
        Answer = new Answer(model.Tokenizer, options, capacity, piece => Pending.Write(piece));
        Answer.Begin(prompt);
    }

    public PendingAnswer Pending { get; } = new();

    public Answer Answer { get; }

    /// <summary>Who asks; the engine is fair among them.</summary>
    public string Caller { get; }

    /// <summary>Most tokens of its text.</summary>
    public int Capacity { get; }

    public CancellationToken Cancellation { get; }

    /// <summary>Keys and values; null while it waits.</summary>
    public Session? Session { get; set; }

    /// <summary>Prompt tokens that were there already when it first began.</summary>
    public int CachedTokens { get; set; } = -1;

    /// <summary>The whole text so far.</summary>
    public ReadOnlySpan<int> Text => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ids);

    /// <summary>Tokens that are not computed yet: of the prompt, or the last one written.</summary>
    public int Missing => _ids.Count - (Session?.Position ?? 0);

    /// <summary>What it writes has begun.</summary>
    public bool IsWriting { get; private set; }

    /// <summary>Its prompt, or what it had written before it had to make room, is being computed.</summary>
    public bool IsReading => Missing > 1 || !IsWriting;

    /// <summary>Row of the logits in the step that runs, or −1.</summary>
    public int Row { get; set; } = -1;

    /// <summary>Takes the logits [V] after all of its tokens. False: the answer is over.</summary>
    public bool Next(ReadOnlySpan<float> logits)
    {
        if (!IsWriting)
            _promptTime = Stopwatch.GetElapsedTime(_arrived);
        IsWriting = true;
        if (!Answer.Next(logits))
            return false;
        if (_ids.Count == Capacity)
        {
            Answer.End(StopReason.ContextFull);
            return false;
        }

        _ids.Add(Answer.Last);
        return true;
    }

    /// <summary>Ends it for its caller.</summary>
    public void Complete()
    {
        Answer.Flush();
        TimeSpan all = Stopwatch.GetElapsedTime(_arrived);
        TimeSpan promptTime = IsWriting ? _promptTime : all;
        Pending.Complete(new GenerationResult(
            Answer.Ids, Answer.Text, Answer.Reason, _prompt.Length, promptTime, all - promptTime, Answer.Seed)
        {
            CachedTokens = Math.Max(0, CachedTokens),
            LogProbs = Answer.LogProbs,
        });
    }
}

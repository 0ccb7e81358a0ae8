using System.Diagnostics;
using System.Runtime.InteropServices;
using Polymath.Models;

namespace Polymath.Generation;

/// <summary>Writes on from one text; many at once are the business of <see cref="Batching.Engine"/>.</summary>
public static class Generator
{
    /// <summary>Adds <paramref name="prompt"/> to the session's text and writes on from there.</summary>
    /// <param name="session">The text so far.</param>
    /// <param name="prompt">Ids to add first; at least one.</param>
    /// <param name="options">How much, how chosen, when to stop.</param>
    /// <param name="onText">Receives each piece of text as soon as it is certain; never half a character.</param>
    /// <param name="cancellation">Ends the answer early; what is written so far is returned.</param>
    /// <exception cref="InvalidOperationException">The prompt does not fit the session's context.</exception>
    public static GenerationResult Run(
        Session session,
        ReadOnlySpan<int> prompt,
        GenerationOptions options,
        TextSink? onText = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(options);
        var answer = new Answer(session.Model.Tokenizer, options, session.Capacity, onText);
        var context = new ShiftingContext(session, prompt, options);
        long start = Stopwatch.GetTimestamp();
        TimeSpan promptTime = default;
        answer.Begin(prompt);
        try
        {
            ReadOnlySpan<float> logits = session.Forward(prompt, cancellation);
            promptTime = Stopwatch.GetElapsedTime(start);
            cancellation.ThrowIfCancellationRequested();
            while (answer.Next(logits))
            {
                if (session.Position == session.Capacity && !context.TryShift(cancellation))
                {
                    answer.End(StopReason.ContextFull);
                    break;
                }

                logits = session.Forward([answer.Last], cancellation);
                context.Add(answer.Last);
                cancellation.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException)
        {
            answer.End(StopReason.Cancelled);
        }

        TimeSpan decodeTime = Stopwatch.GetElapsedTime(start) - promptTime;
        answer.Flush();
        return new GenerationResult(answer.Ids, answer.Text, answer.Reason, prompt.Length, promptTime, decodeTime, answer.Seed)
        {
            DroppedTokens = context.Dropped,
            LogProbs = answer.LogProbs,
        };
    }

    /// <summary>
    /// What a session holds, where it may have to be shortened: the older half of what need not be kept is dropped and the
    /// rest read anew; at its new positions it is what it would be in a text of its own.
    /// </summary>
    private sealed class ShiftingContext
    {
        private readonly Session _session;
        private readonly List<int>? _ids;
        private readonly int _keep;

        public ShiftingContext(Session session, ReadOnlySpan<int> prompt, GenerationOptions options)
        {
            _session = session;
            _keep = options.KeepTokens;
            if (options.ContextFull != ContextFull.Shift)
                return;
            _ids = new List<int>(session.Capacity);
            if (session.Position == 0)
                _ids.AddRange(prompt);
        }

        /// <summary>Tokens dropped so far.</summary>
        public int Dropped { get; private set; }

        public void Add(int id) => _ids?.Add(id);

        /// <summary>Makes room. False when that is not wanted, or the session held a text before this one.</summary>
        public bool TryShift(CancellationToken cancellation)
        {
            if (_ids is null || _ids.Count != _session.Position)
                return false;
            int keep = Math.Min(_keep, _ids.Count), drop = (_ids.Count - keep + 1) / 2;
            if (drop == 0)
                return false;
            _ids.RemoveRange(keep, drop);
            Dropped += drop;
            int left = _session.Rewind(keep);
            ReadOnlySpan<int> again = CollectionsMarshal.AsSpan(_ids)[left..];
            if (!again.IsEmpty)
                _session.Forward(again, cancellation);
            return true;
        }
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Polymath.Models;
using Polymath.Text;

namespace Polymath.Generation;

/// <summary>The decoding loop: streamed and collected output come from the same one.</summary>
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
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxTokens, -1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.KeepTokens);
        var answer = new Answer(session, options, onText);
        answer.Write(prompt, cancellation);
        return answer.Result();
    }

    /// <summary>The state of one request.</summary>
    private sealed class Answer
    {
        private readonly Session _session;
        private readonly Tokenizer _tokenizer;
        private readonly SamplerChain _sampler;
        private readonly StreamingDecoder _decoder;
        private readonly StopTexts _stops;
        private readonly StringBuilder _text = new();
        private readonly List<int> _ids;
        private readonly int _maxTokens;
        private readonly List<int>? _context;   // what the session holds, where it may have to be shortened
        private readonly int _keep;
        private int _dropped;
        private char[] _piece = new char[256];
        private StopReason _reason;
        private int _promptTokens;
        private TimeSpan _promptTime;
        private TimeSpan _decodeTime;

        public Answer(Session session, GenerationOptions options, TextSink? onText)
        {
            _session = session;
            _tokenizer = session.Model.Tokenizer;
            _sampler = new SamplerChain(options.Sampling, _tokenizer.VocabularySize);
            _decoder = new StreamingDecoder(_tokenizer);
            _maxTokens = options.MaxTokens < 0 ? int.MaxValue : options.MaxTokens;
            _ids = new List<int>(Math.Min(_maxTokens, session.Capacity));
            _context = options.ContextFull == ContextFull.Shift ? new List<int>(session.Capacity) : null;
            _keep = options.KeepTokens;
            _stops = new StopTexts(options.Stop, piece =>
            {
                _text.Append(piece);
                onText?.Invoke(piece);
            });
        }

        public void Write(ReadOnlySpan<int> prompt, CancellationToken cancellation)
        {
            long start = Stopwatch.GetTimestamp();
            _promptTokens = prompt.Length;
            foreach (int id in prompt)
                _sampler.Accept(id);
            if (_session.Position == 0)
                _context?.AddRange(prompt);
            try
            {
                ReadOnlySpan<float> logits = _session.Forward(prompt, cancellation);
                _promptTime = Stopwatch.GetElapsedTime(start);
                Decode(logits, cancellation);
            }
            catch (OperationCanceledException)
            {
                _reason = StopReason.Cancelled;
            }

            _decodeTime = Stopwatch.GetElapsedTime(start) - _promptTime;
            _stops.Append(_decoder.Flush());
            _stops.Flush();
        }

        public GenerationResult Result() =>
            new(_ids, _text.ToString(), _reason, _promptTokens, _promptTime, _decodeTime, _sampler.Seed)
            {
                DroppedTokens = _dropped,
            };

        private void Pass(int id)
        {
            int most = _decoder.MaxChars(id);
            if (most > _piece.Length)
                _piece = new char[2 * most];
            _stops.Append(_piece.AsSpan(0, _decoder.Push(id, _piece)));
        }

        private void Decode(ReadOnlySpan<float> logits, CancellationToken cancellation)
        {
            while (true)
            {
                if (_ids.Count >= _maxTokens)
                {
                    _reason = StopReason.MaxTokens;
                    return;
                }

                cancellation.ThrowIfCancellationRequested();
                int id = _sampler.Next(logits[.._tokenizer.VocabularySize]);
                if (_tokenizer.IsEndOfGeneration(id))
                {
                    _reason = StopReason.EndOfText;
                    return;
                }

                _ids.Add(id);
                Pass(id);
                if (_stops.Stopped)
                {
                    _reason = StopReason.StopText;
                    return;
                }

                if (_session.Position == _session.Capacity && !Shift(cancellation))
                {
                    _reason = StopReason.ContextFull;
                    return;
                }

                // The last token's logits would go unused.
                if (_ids.Count < _maxTokens)
                {
                    logits = _session.Forward([id], cancellation);
                    _context?.Add(id);
                }
            }
        }

        /// <summary>
        /// Drops the older half of what need not be kept and reads the rest anew: at its new positions it is what it would
        /// be in a text of its own. False when that is not wanted, or the session held a text before this one.
        /// </summary>
        private bool Shift(CancellationToken cancellation)
        {
            if (_context is null || _context.Count != _session.Position)
                return false;
            int keep = Math.Min(_keep, _context.Count), drop = (_context.Count - keep + 1) / 2;
            if (drop == 0)
                return false;
            _context.RemoveRange(keep, drop);
            _dropped += drop;
            int left = _session.Rewind(keep);
            ReadOnlySpan<int> again = CollectionsMarshal.AsSpan(_context)[left..];
            if (!again.IsEmpty)
                _session.Forward(again, cancellation);
            return true;
        }
    }
}

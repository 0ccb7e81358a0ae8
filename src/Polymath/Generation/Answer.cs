using System.Text;
using Polymath.Generation.Constraints;
using Polymath.Text;

namespace Polymath.Generation;

/// <summary>
/// What one request writes: takes the logits of one place after the other, chooses the token, turns tokens into text,
/// and knows when it is over. Whoever computes the logits, for one text or for many, does so between two calls.
/// </summary>
internal sealed class Answer
{
    private readonly Tokenizer _tokenizer;
    private readonly GenerationOptions _options;
    private readonly SamplerChain _sampler;
    private readonly StreamingDecoder _decoder;
    private readonly StopTexts _stops;
    private readonly LogProbs? _logProbs;
    private readonly Constraint? _constraint;
    private readonly StringBuilder _text = new();
    private readonly List<int> _ids;
    private readonly int _maxTokens;
    private char[] _piece = new char[256];

    /// <summary>An answer not yet begun.</summary>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <param name="options">How much, how chosen, when to stop.</param>
    /// <param name="capacity">Most tokens it can have.</param>
    /// <param name="onText">Receives each piece of text as soon as it is certain; never half a character.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ConstraintException">The vocabulary cannot write what the grammar asks for.</exception>
    public Answer(Tokenizer tokenizer, GenerationOptions options, int capacity, TextSink? onText)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxTokens, -1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.KeepTokens);
        _tokenizer = tokenizer;
        _options = options;
        _sampler = new SamplerChain(options.Sampling, tokenizer.VocabularySize);
        _decoder = new StreamingDecoder(tokenizer);
        _constraint = options.Grammar is { } grammar ? new Constraint(grammar, tokenizer) : null;
        _logProbs = options.LogProbs is { } count ? new LogProbs(count) : null;
        _maxTokens = options.MaxTokens < 0 ? int.MaxValue : options.MaxTokens;
        _ids = new List<int>(Math.Min(_maxTokens, capacity));
        _stops = new StopTexts(options.Stop, piece =>
        {
            _text.Append(piece);
            onText?.Invoke(piece);
        });
    }

    /// <summary>The tokens written.</summary>
    public IReadOnlyList<int> Ids => _ids;

    /// <summary>The text that is certain so far.</summary>
    public string Text => _text.ToString();

    /// <summary>The token to be computed next; there is one after <see cref="Next"/> was true.</summary>
    public int Last => _ids[^1];

    /// <summary>Why it is over.</summary>
    public StopReason Reason { get; private set; }

    /// <summary>The seed in use.</summary>
    public ulong Seed => _sampler.Seed;

    /// <summary>Probabilities of the tokens, where they were asked for.</summary>
    public IReadOnlyList<AnswerToken> LogProbs => _logProbs?.Tokens ?? [];

    /// <summary>Tells the samplers what stands before the answer.</summary>
    public void Begin(ReadOnlySpan<int> prompt) => _sampler.AcceptPrompt(prompt);

    /// <summary>Takes the logits [V] of the next place. False: it is over, as <see cref="Reason"/> says.</summary>
    public bool Next(ReadOnlySpan<float> logits)
    {
        if (_maxTokens == 0)
            return Over(StopReason.MaxTokens);
        if (_constraint is { IsComplete: true })
            return Over(StopReason.Complete);
        logits = logits[.._tokenizer.VocabularySize];
        int id = _sampler.Next(logits, _constraint is null ? [] : _constraint.Allowed());
        _constraint?.Accept(id);
        if (_tokenizer.IsEndOfGeneration(id) || _options.StopIds.Contains(id))
            return Over(StopReason.EndOfText);
        _logProbs?.Add(logits, id);
        _ids.Add(id);
        Write(id);
        if (_stops.Stopped)
            return Over(StopReason.StopText);
        if (_constraint is { IsComplete: true })
            return Over(StopReason.Complete);
        return _ids.Count < _maxTokens || Over(StopReason.MaxTokens);
    }

    /// <summary>Ends it for a reason that lies outside.</summary>
    public void End(StopReason reason) => Over(reason);

    /// <summary>Passes on what was held back; the last call.</summary>
    public void Flush()
    {
        _stops.Append(_decoder.Flush());
        _stops.Flush();
    }

    private bool Over(StopReason reason)
    {
        Reason = reason;
        return false;
    }

    private void Write(int id)
    {
        if (_options.ControlText && _tokenizer.IsSpecial(id))
        {
            _stops.Append(_decoder.Flush());
            _stops.Append(_tokenizer.TokenText(id));
            return;
        }

        int most = _decoder.MaxChars(id);
        if (most > _piece.Length)
            _piece = new char[2 * most];
        _stops.Append(_piece.AsSpan(0, _decoder.Push(id, _piece)));
    }
}

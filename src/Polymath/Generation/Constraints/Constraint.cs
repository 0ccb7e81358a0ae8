using System.Numerics;
using System.Text;
using Polymath.Text;

namespace Polymath.Generation.Constraints;

/// <summary>
/// One answer held to a <see cref="Grammar"/>: says which tokens may come next and is told which one came. Cheap to make;
/// for one thread at a time, while others of the same grammar run on other threads. A token costs no allocation once
/// its state has been met.
/// </summary>
public sealed class Constraint
{
    private const int MostForced = 256;
    private const int FewestTokens = 4;   // between two fresh automata; a grammar that needs more of them is too costly

    private readonly Tokenizer _tokenizer;
    private readonly BoundGrammar _grammar;
    private Automaton _automaton;
    private int _state;
    private int _tokens;
    private int _renewed = -FewestTokens;

    /// <summary>An answer that is still empty.</summary>
    /// <exception cref="ConstraintException">The vocabulary cannot write what the grammar asks for.</exception>
    public Constraint(Grammar grammar, Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(grammar);
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _grammar = grammar.Bind(tokenizer);
        _automaton = _grammar.Automaton;
        _state = _automaton.Start;
    }

    private Constraint(Constraint other)
    {
        _tokenizer = other._tokenizer;
        _grammar = other._grammar;
        _automaton = other._automaton;
        _state = other._state;
        _tokens = other._tokens;
        _renewed = other._renewed;
        IsEnded = other.IsEnded;
    }

    /// <summary>True when the answer may end here.</summary>
    public bool CanEnd => IsEnded || Locked(static (automaton, state) => automaton.CanEnd(state));

    /// <summary>True when nothing but the end may follow.</summary>
    public bool IsComplete => IsEnded || Locked(static (automaton, state) => automaton.MustEnd(state));

    /// <summary>True after a token that ends an answer.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Back to the empty answer.</summary>
    public void Reset()
    {
        _automaton = _grammar.Automaton;
        _state = _automaton.Start;
        _tokens = 0;
        _renewed = -FewestTokens;
        IsEnded = false;
    }

    /// <summary>Another answer that begins like this one.</summary>
    public Constraint Clone() => new(this);

    /// <summary>The tokens that may come next, one bit for each id, lowest first. Valid until the next call.</summary>
    /// <exception cref="ConstraintException">None may, since the vocabulary cannot write what must follow.</exception>
    public ReadOnlySpan<ulong> Allowed()
    {
        ulong[] mask = Locked(static (automaton, state) => automaton.Mask(state));
        foreach (ulong word in mask)
        {
            if (word != 0)
                return mask;
        }

        throw new ConstraintException("no token of the vocabulary can go on from here");
    }

    /// <summary>Sets the logits [V or more] of all tokens that may not come next to −∞.</summary>
    /// <exception cref="ConstraintException">No token may come next.</exception>
    public void Apply(Span<float> logits)
    {
        ReadOnlySpan<ulong> allowed = Allowed();
        for (int word = 0; word < (logits.Length + 63) / 64; word++)
        {
            ulong bits = word < allowed.Length ? allowed[word] : 0;
            if (bits == ulong.MaxValue)
                continue;
            Span<float> part = logits.Slice(word * 64, Math.Min(64, logits.Length - (word * 64)));
            if (bits == 0)
            {
                part.Fill(float.NegativeInfinity);
                continue;
            }

            for (int i = 0; i < part.Length; i++)
                part[i] = (bits >> i & 1) != 0 ? part[i] : float.NegativeInfinity;
        }
    }

    /// <summary>True when token <paramref name="id"/> may come next.</summary>
    public bool Allows(int id) => Peek(id) != Automaton.Dead;

    /// <summary>Token <paramref name="id"/> has come.</summary>
    /// <exception cref="InvalidOperationException">It may not come here.</exception>
    public void Accept(int id)
    {
        int next = Peek(id);
        if (next == Automaton.Dead)
            throw new InvalidOperationException($"token {id} may not come here");
        IsEnded |= _tokenizer.IsEndOfGeneration(id) && next == _state;
        _state = next;
        _tokens++;
    }

    /// <summary>
    /// The text that must follow whatever is chosen, so that it can be taken over without asking the model. Empty where
    /// there is a choice or the answer may end.
    /// </summary>
    public string ForcedText()
    {
        Span<byte> bytes = stackalloc byte[MostForced];
        int count = 0;
        lock (_automaton)
        {
            for (int state = _state; count < MostForced && !IsEnded && _automaton.TryGetForced(state, out byte value); count++)
            {
                bytes[count] = value;
                state = _automaton.Next(state, value);
            }
        }

        while (count > 0 && Rune.DecodeLastFromUtf8(bytes[..count], out _, out int length) != System.Buffers.OperationStatus.Done)
            count -= length;
        return Encoding.UTF8.GetString(bytes[..count]);
    }

    /// <summary>The only token that may come next, where there is just one.</summary>
    public bool TryGetForced(out int id)
    {
        id = -1;
        ReadOnlySpan<ulong> allowed = Allowed();
        for (int word = 0; word < allowed.Length; word++)
        {
            if (allowed[word] == 0)
                continue;
            if (id >= 0 || !BitOperations.IsPow2(allowed[word]))
                return false;
            id = (word * 64) + BitOperations.TrailingZeroCount(allowed[word]);
        }

        return true;
    }

    private int Peek(int id)
    {
        if (IsEnded)
            return Automaton.Dead;
        Renew();
        lock (_automaton)
        {
            int next = _tokenizer.IsSpecial(id) || _tokenizer.IsEndOfGeneration(id) ? _automaton.NextToken(_state, id)
                : _tokenizer.TokenBytes(id) is { IsEmpty: false } bytes ? _automaton.Next(_state, bytes) : Automaton.Dead;
            return next == Automaton.Dead && _tokenizer.IsEndOfGeneration(id) && _automaton.CanEnd(_state) ? _state : next;
        }
    }

    private T Locked<T>(Func<Automaton, int, T> read)
    {
        Renew();
        lock (_automaton)
            return read(_automaton, _state);
    }

    /// <summary>Moves to a fresh automaton when the one in use has grown large.</summary>
    private void Renew()
    {
        if (!_automaton.IsFull)
            return;
        if (_tokens - _renewed < FewestTokens)
            throw new ConstraintException("the grammar needs too much work for each token");
        _renewed = _tokens;
        Automaton old = _automaton;
        _automaton = _grammar.Renew(old);
        lock (old)
        {
            lock (_automaton)
                _state = _automaton.Import(old, _state);
        }
    }
}

namespace Polymath.Chat.Parsing;

/// <summary>
/// Checks one JSON object (RFC 8259) character by character. Control characters in strings pass, since models write
/// line breaks there; whoever keeps the text must escape them. Half surrogate pairs do not pass, written or escaped.
/// </summary>
internal struct JsonScanner
{
    /// <summary>Deepest nesting of objects and arrays.</summary>
    public const int Deepest = 62;

    private State _state;
    private ulong _objects;   // bit d: the value at depth d is an object
    private int _depth;
    private bool _isKey;
    private int _hexLeft, _hex;
    private bool _needsLow;   // an escaped high surrogate was read
    private bool _high;       // a written high surrogate was read
    private string _word;
    private int _wordAt;

    private enum State : byte
    {
        Object, FirstKey, Key, Colon, Value, FirstValue, After, String, Escape, Hex, Word,
        Minus, Zero, Digits, Point, Fraction, Exponent, ExponentSign, ExponentDigits,
    }

    /// <summary>True between the quotation marks of a string.</summary>
    public readonly bool InString => _state is State.String or State.Escape or State.Hex;

    /// <summary>True after the first character that is no white space.</summary>
    public readonly bool Begun => _state != State.Object;

    /// <summary>True when the object is complete.</summary>
    public readonly bool IsDone => _state == State.After && _depth == 0;

    /// <summary>True when the text is one JSON value, no deeper than an argument may be.</summary>
    public static bool IsValue(ReadOnlySpan<char> text)
    {
        JsonScanner scanner = default;
        foreach (char c in "{\"\":")
            scanner.Take(c);
        foreach (char c in text)
        {
            if ((scanner.InString && c < ' ') || scanner.Take(c) != Outcome.More)
                return false;
        }

        return scanner.Take('}') == Outcome.Done;
    }

    /// <summary>Takes one more character.</summary>
    public Outcome Take(char c)
    {
        switch (_state)
        {
            case State.String:
                return TakeText(c);
            case State.Escape:
                return TakeEscape(c);
            case State.Hex:
                return TakeHex(c);
            case State.Word:
                if (c != _word[_wordAt])
                    return Outcome.Bad;
                if (++_wordAt == _word.Length)
                    _state = State.After;
                return Outcome.More;
            case >= State.Minus:
                return TakeNumber(c);
        }

        if (LiteralMatch.IsWhite(c))
            return Outcome.More;
        return _state switch
        {
            State.Object => c == '{' ? Open(true) : Outcome.Bad,
            State.FirstKey when c == '}' => Close(),
            State.FirstKey or State.Key => c == '"' ? To(State.String, true) : Outcome.Bad,
            State.Colon => c == ':' ? To(State.Value) : Outcome.Bad,
            State.FirstValue when c == ']' => Close(),
            State.FirstValue or State.Value => TakeValue(c),
            _ => TakeAfter(c),
        };
    }

    private Outcome To(State state, bool isKey = false)
    {
        _state = state;
        _isKey = isKey;
        return Outcome.More;
    }

    private Outcome Open(bool isObject)
    {
        if (_depth == Deepest)
            return Outcome.Bad;
        _depth++;
        _objects = isObject ? _objects | (1UL << _depth) : _objects & ~(1UL << _depth);
        return To(isObject ? State.FirstKey : State.FirstValue);
    }

    private Outcome Close()
    {
        _state = State.After;
        return --_depth == 0 ? Outcome.Done : Outcome.More;
    }

    private Outcome TakeValue(char c)
    {
        switch (c)
        {
            case '{':
                return Open(true);
            case '[':
                return Open(false);
            case '"':
                return To(State.String);
            case '-':
                return To(State.Minus);
            case '0':
                return To(State.Zero);
            case >= '1' and <= '9':
                return To(State.Digits);
            case 't' or 'f' or 'n':
                _word = c == 't' ? "true" : c == 'f' ? "false" : "null";
                _wordAt = 1;
                return To(State.Word);
            default:
                return Outcome.Bad;
        }
    }

    private Outcome TakeAfter(char c)
    {
        bool inObject = (_objects >> _depth & 1) != 0;
        if (c == ',')
            return To(inObject ? State.Key : State.Value);
        return c == (inObject ? '}' : ']') ? Close() : Outcome.Bad;
    }

    private Outcome TakeText(char c)
    {
        if (_high != char.IsLowSurrogate(c) || (_needsLow && c != '\\'))
            return Outcome.Bad;
        _high = char.IsHighSurrogate(c);
        if (c == '\\')
            return To(State.Escape, _isKey);
        return c == '"' ? To(_isKey ? State.Colon : State.After) : Outcome.More;
    }

    private Outcome TakeEscape(char c)
    {
        if (c == 'u')
        {
            _hexLeft = 4;
            _hex = 0;
            return To(State.Hex, _isKey);
        }

        return !_needsLow && c is '"' or '\\' or '/' or 'b' or 'f' or 'n' or 'r' or 't' ? To(State.String, _isKey) : Outcome.Bad;
    }

    private Outcome TakeHex(char c)
    {
        if (!char.IsAsciiHexDigit(c))
            return Outcome.Bad;
        _hex = (_hex << 4) | (char.IsAsciiDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
        if (--_hexLeft > 0)
            return Outcome.More;
        if (_needsLow != char.IsLowSurrogate((char)_hex))
            return Outcome.Bad;
        _needsLow = char.IsHighSurrogate((char)_hex);
        return To(State.String, _isKey);
    }

    private Outcome TakeNumber(char c)
    {
        bool digit = char.IsAsciiDigit(c);
        switch (_state)
        {
            case State.Minus:
                return digit ? To(c == '0' ? State.Zero : State.Digits) : Outcome.Bad;
            case State.Point:
                return digit ? To(State.Fraction) : Outcome.Bad;
            case State.Exponent when c is '+' or '-':
                return To(State.ExponentSign);
            case State.Exponent or State.ExponentSign:
                return digit ? To(State.ExponentDigits) : Outcome.Bad;
            case State.Digits or State.Fraction or State.ExponentDigits when digit:
                return Outcome.More;
            case State.Zero or State.Digits when c == '.':
                return To(State.Point);
            case State.Zero or State.Digits or State.Fraction when c is 'e' or 'E':
                return To(State.Exponent);
        }

        _state = State.After;
        return LiteralMatch.IsWhite(c) ? Outcome.More : TakeAfter(c);
    }
}

namespace Polymath.Chat.Parsing;

/// <summary>Gemma 4's arguments: <c>{key:&lt;|"|&gt;text&lt;|"|&gt;,other:[1,true]}</c>. A word that is no JSON value is a string.</summary>
internal sealed class GemmaReader : ArgumentsReader
{
    private const string Quote = "<|\"|>";

    private readonly TagMatch _quote = new(Quote);
    private readonly CharBuffer _word = new();
    private EscapedText _text;
    private LiteralMatch _opening;
    private State _state;
    private ulong _objects; // bit d: at depth d is an object
    private int _depth, _unwritten;
    private bool _isKey, _escaped;

    private enum State
    {
        Open, FirstKey, Key, KeyWord, Colon, FirstValue, Value, ValueWord, Quoting, Text, PlainText, After,
    }

    public override int Pending => _state == State.Text ? _quote.Kept + _text.Pending : _unwritten;

    private bool InObject => (_objects >> _depth & 1) != 0;

    public override void Begin(ToolDefinition? tool)
    {
        Output.Clear();
        _state = State.Open;
        _depth = 0;
        _unwritten = 0;
    }

    public override Outcome Take(char c)
    {
        _unwritten++;
        switch (_state)
        {
            case State.Quoting:
                return TakeQuoting(_opening.Take(c));
            case State.Text:
                TakeText(c);
                return Outcome.More;
            case State.PlainText:
                return TakePlainText(c);
            case State.KeyWord or State.ValueWord:
                return TakeWord(c);
        }

        if (LiteralMatch.IsWhite(c))
            return Outcome.More;
        return (_state, c) switch
        {
            (State.Open, '{') => Open(true),
            (State.FirstKey, '}') or (State.FirstValue, ']') => Close(),
            (State.FirstKey or State.Key, _) => TakeStart(c, true),
            (State.Colon, ':') => Write(": ", State.Value),
            (State.FirstValue or State.Value, '{') => Open(true),
            (State.FirstValue or State.Value, '[') => Open(false),
            (State.FirstValue or State.Value, _) => TakeStart(c, false),
            (State.After, _) => TakeAfter(c),
            _ => Outcome.Bad,
        };
    }

    private Outcome Write(ReadOnlySpan<char> text, State next)
    {
        Output.Append(text);
        _unwritten = 0;
        _state = next;
        return Outcome.More;
    }

    private Outcome Open(bool isObject)
    {
        if (_depth == JsonScanner.Deepest)
            return Outcome.Bad;
        _depth++;
        _objects = isObject ? _objects | (1UL << _depth) : _objects & ~(1UL << _depth);
        return isObject ? Write("{", State.FirstKey) : Write("[", State.FirstValue);
    }

    private Outcome Close()
    {
        Write(InObject ? "}" : "]", State.After);
        return --_depth == 0 ? Outcome.Done : Outcome.More;
    }

    private Outcome TakeAfter(char c)
    {
        if (c == ',')
            return Write(", ", InObject ? State.Key : State.Value);
        return c == (InObject ? '}' : ']') ? Close() : Outcome.Bad;
    }

    /// <summary>Takes the first character of a key or of a value that is neither object nor array.</summary>
    private Outcome TakeStart(char c, bool isKey)
    {
        _isKey = isKey;
        _word.Clear();
        switch (c)
        {
            case '<':
                _opening.Begin(Quote);
                _opening.Take(c);
                _state = State.Quoting;
                return Outcome.More;
            case '"':
                _escaped = false;
                return Write("\"", State.PlainText);
            case ',' or ':' or '}' or ']' or '{' or '[':
                return Outcome.Bad;
            default:
                _word.Append(c);
                _state = isKey ? State.KeyWord : State.ValueWord;
                return Outcome.More;
        }
    }

    private Outcome TakeQuoting(int which)
    {
        if (which != 1)
            return which < 0 ? Outcome.Bad : Outcome.More;
        _quote.Begin();
        return Write("\"", State.Text);
    }

    private void TakeText(char c)
    {
        bool isEnd = _quote.Take(c, out ReadOnlySpan<char> released, out bool plain);
        _text.Append(released, Output);
        if (plain)
            _text.Append(c, Output);
        if (!isEnd)
            return;
        _text.End(Output);
        Write("\"", _isKey ? State.Colon : State.After);
    }

    /// <summary>A string in JSON's own way, which smaller models fall into: its escapes are checked with the object.</summary>
    private Outcome TakePlainText(char c)
    {
        if (c == '"' && !_escaped)
        {
            _word.Append(c);
            return JsonScanner.IsValue($"\"{_word.Text}") ? Write(_word.Text, _isKey ? State.Colon : State.After) : Outcome.Bad;
        }

        _escaped = c == '\\' && !_escaped;
        if (c < ' ')
            _word.AppendEscaped(c);
        else
            _word.Append(c);
        return Outcome.More;
    }

    private Outcome TakeWord(char c)
    {
        bool isEnd = _isKey ? c == ':' : c is ',' or '}' or ']';
        if (!isEnd)
        {
            _word.Append(c);
            bool odd = _isKey ? c is ',' or '{' or '}' or '[' or ']' or '<' : c is '{' or '[' or ':' or '<';
            return odd || (_isKey && _word.Length > LongestKey) ? Outcome.Bad : Outcome.More;
        }

        ReadOnlySpan<char> word = _word.Text.TrimEnd();
        if (!_isKey && word is "None")
            word = "null";
        if (!_isKey && JsonScanner.IsValue(word))
        {
            Write(word, State.After);
            return TakeAfter(c);
        }

        Output.Append('"');
        EscapedText writer = default;
        writer.Append(word, Output);
        writer.End(Output);
        Write("\"", State.Colon);
        return _isKey ? Write(": ", State.Value) : TakeAfter(c);
    }
}

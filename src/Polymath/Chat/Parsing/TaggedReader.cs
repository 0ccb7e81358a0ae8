namespace Polymath.Chat.Parsing;

/// <summary>
/// Arguments in tags. A string is passed on while it is written; any other value when it is complete, as JSON if it is
/// of a kind that the schema allows, as a string otherwise. Ends with the call's own end.
/// </summary>
internal sealed class TaggedReader : ArgumentsReader
{
    private readonly TaggedArguments _tags;
    private readonly string _callEnd;
    private readonly char _keyEnd;
    private readonly TagMatch _valueEnd;
    private readonly bool _ownLines; // a line break on both sides of the value is not part of it
    private readonly CharBuffer _key = new(), _value = new();
    private ToolDefinition? _tool;
    private LiteralMatch _literal;
    private EscapedText _text;
    private State _state;
    private ValueKinds _kinds;
    private bool _isFirst, _isStart, _lineBreak;
    private int _unwritten;

    public TaggedReader(TaggedArguments tags, string callEnd)
    {
        _tags = tags;
        _callEnd = callEnd;
        _keyEnd = tags.KeyEnd.AsSpan().TrimStart()[0];
        _valueEnd = new TagMatch(tags.ValueEnd.Trim());
        _ownLines = tags.ValueEnd[0] == '\n';
    }

    private enum State
    {
        Between, Key, KeyEnd, Text, Value,
    }

    public override int Pending => _state == State.Text ? _valueEnd.Kept + _text.Pending + (_lineBreak ? 1 : 0) : _unwritten;

    public override int TagTaken => _state == State.Between ? _literal.Taken - 1 : 0;

    public override void Begin(ToolDefinition? tool)
    {
        Output.Clear();
        _tool = tool;
        _isFirst = true;
        ToBetween();
    }

    public override Outcome Take(char c)
    {
        _unwritten++;
        switch (_state)
        {
            case State.Between:
                return TakeBetween(_literal.Take(c));
            case State.Key when c == _keyEnd:
                _literal.Begin(_tags.KeyEnd, _tags.JsonKeyEnd);
                _state = State.KeyEnd;
                goto case State.KeyEnd;
            case State.Key:
                _key.Append(c);
                return _key.Length > LongestKey || c < ' ' ? Outcome.Bad : Outcome.More;
            case State.KeyEnd:
                return TakeKeyEnd(_literal.Take(c));
            default:
                TakeValue(c);
                return Outcome.More;
        }
    }

    private void ToBetween()
    {
        _state = State.Between;
        _literal.Begin(_tags.KeyBegin, _callEnd);
        _unwritten = 0;
    }

    private Outcome TakeBetween(int which)
    {
        if (which == 1)
        {
            _state = State.Key;
            _key.Clear();
            return Outcome.More;
        }

        if (which != 2)
            return which < 0 ? Outcome.Bad : Outcome.More;
        Output.Append(_isFirst ? "{}" : "}");
        _unwritten = 0;
        return Outcome.Done;
    }

    private Outcome TakeKeyEnd(int which)
    {
        if (which <= 0)
            return which < 0 || _key.Length == 0 ? Outcome.Bad : Outcome.More;
        if (_key.Length == 0)
            return Outcome.Bad;
        _kinds = _tags.JsonKeyEnd is null ? ArgumentKinds.Of(_tool, _key.Text) : which == 1 ? ValueKinds.Text : ValueKinds.Any & ~ValueKinds.Text;
        _isStart = _ownLines;
        _lineBreak = false;
        _valueEnd.Begin();
        _value.Clear();
        _state = State.Value;
        if (_kinds != ValueKinds.Text)
            return Outcome.More;
        WriteKey();
        Output.Append('"');
        _state = State.Text;
        return Outcome.More;
    }

    private void TakeValue(char c)
    {
        if (_isStart)
        {
            _isStart = false;
            if (c == '\n')
                return;
        }

        bool isEnd = _valueEnd.Take(c, out ReadOnlySpan<char> released, out bool plain);
        Append(released);
        if (plain)
            Append(new ReadOnlySpan<char>(in c));
        if (!isEnd)
            return;
        _lineBreak = false;
        if (_state == State.Text)
        {
            _text.End(Output);
            Output.Append('"');
        }
        else
        {
            WriteKey();
            WriteValue();
        }

        ToBetween();
    }

    /// <summary>Takes text of the value. A line break waits: before the end it is none of the value's.</summary>
    private void Append(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (_lineBreak)
                Write('\n');
            _lineBreak = _ownLines && c == '\n';
            if (!_lineBreak)
                Write(c);
        }
    }

    private void Write(char c)
    {
        if (_state == State.Text)
            _text.Append(c, Output);
        else
            _value.Append(c);
    }

    private void WriteKey()
    {
        Output.Append(_isFirst ? "{\"" : ", \"");
        _isFirst = false;
        WriteText(_key.Text);
        Output.Append("\": ");
    }

    private void WriteText(ReadOnlySpan<char> text)
    {
        EscapedText writer = default;
        writer.Append(text, Output);
        writer.End(Output);
    }

    private void WriteValue()
    {
        ReadOnlySpan<char> json = _value.Text.Trim(" \n\r\t") switch
        {
            "True" => "true",     // as Python writes them, and templates in its manner
            "False" => "false",
            "None" => "null",
            ReadOnlySpan<char> other => other,
        };
        bool isJson = !json.IsEmpty && JsonScanner.IsValue(json) && (ArgumentKinds.Of(json) & _kinds) != 0;
        if (isJson)
        {
            Output.Append(json);
            return;
        }

        Output.Append('"');
        WriteText(_value.Text);
        Output.Append('"');
    }
}

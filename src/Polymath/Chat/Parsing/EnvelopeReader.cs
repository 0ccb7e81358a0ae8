namespace Polymath.Chat.Parsing;

/// <summary>
/// <c>{"name": "…", "arguments": {…}}</c>: the members in any order, under any of the keys that models use. Arguments that
/// stand before the name wait for it; arguments that are a JSON text inside a string are taken out of it.
/// </summary>
internal sealed class EnvelopeReader : ArgumentsReader
{
    private readonly CharBuffer _text = new();
    private State _state;
    private JsonText _string;
    private JsonScanner _scanner;
    private bool _hasName, _hasArguments;
    private int _pending;

    private enum State
    {
        Open, FirstKey, Key, KeyText, Colon, Value, NameText, IdText, OtherText, Arguments, ArgumentsText, Null, After,
    }

    /// <summary>What the value after a key is.</summary>
    private State _member;

    /// <summary>The tool's name, once it is read.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The id, if it is written and read by now.</summary>
    public string? Id { get; private set; }

    public override int Pending => _pending;

    public override void Begin(ToolDefinition? tool)
    {
        Output.Clear();
        _state = State.Open;
        _hasName = _hasArguments = false;
        _pending = 0;
        Name = "";
        Id = null;
    }

    public override Outcome Take(char c)
    {
        _pending++;
        switch (_state)
        {
            case State.Arguments:
                _pending = 0;
                return TakeArguments(c);
            case State.KeyText or State.NameText or State.IdText or State.OtherText or State.ArgumentsText:
                return TakeText(c);
            case State.Null:
                if (c != "null"[_text.Length])
                    return Outcome.Bad;
                _text.Append(c);
                return _text.Length < 4 ? Outcome.More : WriteArguments("{}");
        }

        if (LiteralMatch.IsWhite(c))
            return Outcome.More;
        switch (_state, c)
        {
            case (State.Open, '{'):
                return To(State.FirstKey);
            case (State.FirstKey or State.Key, '"'):
                return ToText(State.KeyText);
            case (State.Colon, ':'):
                return To(State.Value);
            case (State.Value, _):
                return TakeValue(c);
            case (State.After, ','):
                return To(State.Key);
            case (State.After, '}') when _hasName && _hasArguments:
                _pending = 0;
                return Outcome.Done;
            default:
                return Outcome.Bad;
        }
    }

    private Outcome To(State state)
    {
        _state = state;
        return Outcome.More;
    }

    private Outcome ToText(State state)
    {
        _text.Clear();
        _string = default;
        return To(state);
    }

    private Outcome TakeValue(char c)
    {
        if (_member != State.Arguments)
            return c == '"' ? ToText(_member) : Outcome.Bad;
        _hasArguments = true;
        switch (c)
        {
            case '"':
                return ToText(State.ArgumentsText);
            case 'n':
                ToText(State.Null);
                _text.Append(c);
                return Outcome.More;
            default:
                _scanner = default;
                _pending = 0;
                _state = State.Arguments;
                return TakeArguments(c);
        }
    }

    private Outcome TakeArguments(char c)
    {
        Outcome outcome = TakeJson(ref _scanner, c);
        return outcome == Outcome.Done ? To(State.After) : outcome;
    }

    private Outcome TakeText(char c)
    {
        Outcome outcome = _string.Take(c, _text);
        if (outcome != Outcome.Done)
            return _text.Length > LongestKey && _state != State.ArgumentsText ? Outcome.Bad : outcome;
        switch (_state)
        {
            case State.KeyText:
                return TakeKey();
            case State.NameText:
                Name = _text.ToString();
                _hasName = true;
                _state = State.After;
                _pending = 0;
                return Outcome.Named;
            case State.ArgumentsText:
                return WriteArguments(_text.Text);
            default:
                if (_state == State.IdText && _text.Length > 0)
                    Id = _text.ToString();
                _pending = 0;
                return To(State.After);
        }
    }

    private Outcome TakeKey()
    {
        switch (_text.Text)
        {
            case "name" or "tool_name" or "function" when !_hasName:
                _member = State.NameText;
                break;
            case "arguments" or "parameters" when !_hasArguments:
                _member = State.Arguments;
                break;
            case "id" or "tool_call_id" or "call_id":
                _member = State.IdText;
                break;
            case "type":
                _member = State.OtherText;
                break;
            default:
                return Outcome.Bad;
        }

        return To(State.Colon);
    }

    private Outcome WriteArguments(ReadOnlySpan<char> arguments)
    {
        JsonScanner scanner = default;
        for (int i = 0; i < arguments.Length; i++)
        {
            if (scanner.Take(arguments[i]) is not (Outcome.More or Outcome.Done) || (i == arguments.Length - 1) != scanner.IsDone)
                return Outcome.Bad;
        }

        if (!scanner.IsDone)
            return Outcome.Bad;
        scanner = default;
        foreach (char c in arguments)
        {
            if (c < ' ' && scanner.InString)
                Output.AppendEscaped(c);
            else
                Output.Append(c);
            scanner.Take(c);
        }

        _pending = 0;
        return To(State.After);
    }
}

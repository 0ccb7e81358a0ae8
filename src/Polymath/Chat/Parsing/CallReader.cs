namespace Polymath.Chat.Parsing;

/// <summary>Reads what follows the trigger of one form of calls, character by character: a call, or a block of them.</summary>
internal sealed class CallReader
{
    private readonly CallForm _form;
    private readonly bool _isBlock;
    private readonly ArgumentsReader _arguments;
    private readonly CharBuffer _name = new(), _id = new();
    private LiteralMatch _literal;
    private Stage _stage;
    private bool _hasCall;

    public CallReader(CallForm form)
    {
        _form = form;
        Trigger = form.Trigger;
        _arguments = ArgumentsReader.Of(form);
        _isBlock = IsText(form.BlockBegin) || IsText(form.Separator);
    }

    private enum Stage
    {
        BlockBegin, Between, CallBegin, Name, NameEnd, Id, IdEnd, Arguments, CallEnd,
    }

    /// <summary>The form that is read.</summary>
    public CallForm Form => _form;

    /// <summary>What tells it from text.</summary>
    public string Trigger { get; }

    /// <summary>The name, after <see cref="Outcome.Named"/>.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The id, after <see cref="Outcome.Named"/>, if the model gave one by then.</summary>
    public string? Id { get; private set; }

    /// <summary>With <see cref="Outcome.Named"/>: the name was complete before this character, which must be given again.</summary>
    public bool Again { get; private set; }

    /// <summary>After <see cref="Outcome.Done"/>: nothing more belongs to this call or block.</summary>
    public bool IsOver { get; private set; }

    /// <summary>True where the reply may end without anything missing.</summary>
    public bool MayEnd => _stage is Stage.Between or Stage.CallEnd;

    /// <summary>The arguments read since the buffer was last emptied.</summary>
    public CharBuffer Output => _arguments.Output;

    /// <summary>Number of the last characters that show in nothing written yet.</summary>
    public int Pending => _stage == Stage.Arguments ? _arguments.Pending : 0;

    /// <summary>When a character is bad: number of those before it that were only read as the beginning of a tag.</summary>
    public int TagTaken => _stage switch
    {
        Stage.Arguments => _arguments.TagTaken,
        Stage.BlockBegin or Stage.Between or Stage.CallBegin or Stage.CallEnd => _literal.Taken - 1,
        _ => 0,
    };

    /// <summary>True when what follows the trigger may begin with this character.</summary>
    public bool CanFollow(char c)
    {
        ReadOnlySpan<char> rest = (_form.BlockBegin + _form.CallBegin)[Trigger.Length..].AsSpan().TrimStart();
        if (!rest.IsEmpty)
            return rest[0] == c;
        return _form.Arguments is JsonEnvelope ? c == '{' : ToolDefinition.IsNameCharacter(c);
    }

    /// <summary>Starts after the trigger.</summary>
    public void Begin()
    {
        IsOver = false;
        Again = false;
        _hasCall = false;
        if (IsText(_form.BlockBegin))
            Expect(_form.BlockBegin[Trigger.Length..], Stage.BlockBegin);
        else
            Expect(_form.CallBegin[Trigger.Length..], Stage.CallBegin);
    }

    /// <summary>Takes up the block again after a call that could not be read.</summary>
    /// <returns>False when the form has no blocks.</returns>
    public bool Resume()
    {
        if (_isBlock)
            ToBetween();
        _hasCall = true;
        return _isBlock;
    }

    /// <summary>The named tool is there: its arguments follow.</summary>
    public void Accept(ToolDefinition? tool)
    {
        if (_form.Arguments is not JsonEnvelope)
            _arguments.Begin(tool);
    }

    /// <summary>Takes one more character.</summary>
    public Outcome Take(char c)
    {
        Again = false;
        switch (_stage)
        {
            case Stage.BlockBegin or Stage.CallBegin:
                return Pass(_literal.Take(c));
            case Stage.Between:
                return TakeBetween(c);
            case Stage.Name:
                return TakeName(c);
            case Stage.NameEnd:
                return TakeNameEnd(c);
            case Stage.Id:
                return TakeId(c);
            case Stage.IdEnd:
                return _literal.Take(c) switch { 0 => Outcome.More, 1 => Named(false), _ => Outcome.Bad };
            case Stage.Arguments:
                return TakeArguments(c);
            default:
                return Pass(_literal.Take(c));
        }
    }

    private static bool IsText(string text) => !string.IsNullOrWhiteSpace(text);

    private void Expect(string literal, Stage stage)
    {
        _stage = stage;
        _literal.Begin(literal);
        if (!IsText(literal))
            Next();
    }

    private Outcome Pass(int which)
    {
        if (which != 1)
            return which < 0 ? Outcome.Bad : Outcome.More;
        bool isEnd = _stage == Stage.CallEnd;
        Next();
        return isEnd ? Outcome.Done : Outcome.More;
    }

    /// <summary>What is expected is complete.</summary>
    private void Next()
    {
        switch (_stage)
        {
            case Stage.BlockBegin:
                ToBetween();
                break;
            case Stage.CallBegin when _form.Arguments is JsonEnvelope:
                _stage = Stage.Arguments;
                _arguments.Begin(null);
                break;
            case Stage.CallBegin:
                _stage = Stage.Name;
                _name.Clear();
                _id.Clear();
                break;
            default:
                IsOver = !_isBlock;
                if (_isBlock)
                    ToBetween();
                break;
        }
    }

    private void ToBetween()
    {
        _stage = Stage.Between;
        _literal.Begin(_form.BlockEnd, _form.Separator, _form.CallBegin);
    }

    private Outcome TakeBetween(char c)
    {
        if (c == '{' && !IsText(_form.CallBegin))
        {
            Expect("", Stage.CallBegin);
            return Take(c);
        }

        int which = _literal.Take(c);
        switch (which)
        {
            case 0:
                return Outcome.More;
            case 1:
                IsOver = true;
                return Outcome.Done;
            case 2:
                ToBetween();
                return Outcome.More;
            case 3:
                Expect("", Stage.CallBegin);
                return Outcome.More;
            default:
                IsOver = _hasCall;
                return _hasCall ? Outcome.DoneBefore : Outcome.Bad;
        }
    }

    private Outcome TakeName(char c)
    {
        if (ToolDefinition.IsNameCharacter(c) || (c == ':' && _form.NumbersNames))
        {
            _name.Append(c);
            return _name.Length > ArgumentsReader.LongestKey ? Outcome.Bad : Outcome.More;
        }

        if (_name.Length == 0)
            return LiteralMatch.IsWhite(c) ? Outcome.More : Outcome.Bad;
        if (!IsText(_form.NameEnd))
            return Named(true);
        _stage = Stage.NameEnd;
        _literal.Begin(_form.NameEnd, _form.IdBegin);
        return TakeNameEnd(c);
    }

    private Outcome TakeNameEnd(char c)
    {
        switch (_literal.Take(c))
        {
            case 0:
                return Outcome.More;
            case 1:
                return Named(false);
            case 2:
                _stage = Stage.Id;
                return Outcome.More;
            default:
                return Outcome.Bad;
        }
    }

    private Outcome TakeId(char c)
    {
        if (ToolDefinition.IsNameCharacter(c))
        {
            _id.Append(c);
            return _id.Length > ArgumentsReader.LongestKey ? Outcome.Bad : Outcome.More;
        }

        _stage = Stage.IdEnd;
        _literal.Begin(_form.NameEnd);
        return Take(c);
    }

    private Outcome Named(bool again)
    {
        Name = _name.ToString();
        Id = _id.Length > 0 ? _id.ToString() : null;
        if (_form.NumbersNames && Name.LastIndexOf(':') is int colon and > 0)
        {
            const string Space = "functions.";
            Id = Name;
            int begin = Name.StartsWith(Space, StringComparison.Ordinal) && colon > Space.Length ? Space.Length : 0;
            Name = Name[begin..colon];
        }

        Again = again;
        _stage = Stage.Arguments;
        return Outcome.Named;
    }

    private Outcome TakeArguments(char c)
    {
        Outcome outcome = _arguments.Take(c);
        if (outcome == Outcome.Named)
        {
            var envelope = (EnvelopeReader)_arguments;
            Name = envelope.Name;
            Id = envelope.Id;
        }
        else if (outcome == Outcome.Done)
        {
            _hasCall = true;
            Expect(_form.Arguments is TaggedArguments ? "" : _form.CallEnd, Stage.CallEnd);
        }

        return outcome;
    }
}

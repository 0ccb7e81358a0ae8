namespace Polymath.Chat.Parsing;

/// <summary>Takes replies apart whose calls are told from the answer by a trigger, as the forms of a dialect say.</summary>
internal sealed class FormReplyParser : ReplyParser
{
    private const string Cut = "the reply ended before the call did";

    private readonly ReasoningForm _reasoning;
    private readonly HashSet<string> _dropped, _triggers, _certain;
    private readonly CallReader[] _readers;
    private readonly CallReader? _bare;
    private readonly MarkerSet _contentMarkers, _reasoningMarkers, _malformedMarkers;
    private readonly bool _callsEndReasoning;
    private Stage _stage;
    private CallReader? _reader;
    private string _trigger = "", _reason = "";
    private int _solid;          // end of the last held character that is no white space
    private bool _thinking;
    private bool _atStart = true; // nothing but tags and white space so far: reasoning or bare JSON may come
    private bool _trimStart;      // white space is a tag's

    public FormReplyParser(Dialect dialect, ReplyOptions options, ReplySink sink)
        : base(dialect, options, sink)
    {
        _reasoning = dialect.Reasoning;
        _dropped = [.. dialect.Wrappers];
        _readers = MayCall ? [.. dialect.Forms.Select(form => new CallReader(form))] : [];
        _bare = Array.Find(_readers, reader => reader.Trigger.Length == 0);
        _callsEndReasoning = dialect.CallsEndReasoning;
        _triggers = [.. _readers.Select(reader => reader.Trigger)];
        _certain = [.. _readers.Where(reader => !reader.Form.Tentative).Select(reader => reader.Trigger)];
        _contentMarkers = new MarkerSet([.. _triggers, .. dialect.Wrappers, _reasoning.Begin, _reasoning.End]);
        _reasoningMarkers = new MarkerSet(_callsEndReasoning ? [.. _triggers, _reasoning.End] : [_reasoning.End]);
        string[] ends = [.. dialect.Forms.SelectMany(form => (string[])[LastTag(form.CallEnd), LastTag(form.BlockEnd)])];
        _malformedMarkers = new MarkerSet([.. _triggers, .. ends]);
        _thinking = _trimStart = options.StartsInReasoning;
    }

    private enum Stage
    {
        Text, Trigger, Call, Malformed,
    }

    private ReplyPart TextPart => _thinking ? ReplyPart.Reasoning : ReplyPart.Content;

    private protected override bool Step(bool last) => _stage switch
    {
        Stage.Text => ReadText(last),
        Stage.Trigger => ChooseForm(),
        Stage.Call => ReadCall(),
        _ => ReadMalformed(last),
    };

    private protected override void Moved(int by) => _solid -= by;

    private protected override void Finish()
    {
        if (_stage == Stage.Trigger || (_stage == Stage.Call && (IsCallOpen || !_reader!.MayEnd)))
            Fail(Cut);
        if (_stage == Stage.Text && !_trimStart)
            DeliverHeld(TextPart);
        Drop(Next);
        ForgetCall();
    }

    private bool ReadText(bool last)
    {
        if (_atStart && !_thinking)
        {
            SkipWhite();
            if (Unread.IsEmpty)
                return false;
            if (_bare is not null && Unread[0] == '{')
            {
                BeginCall(_bare);
                return true;
            }
        }

        Steps += Unread.Length;
        int at = (_thinking ? _reasoningMarkers : _contentMarkers).Find(Unread, last, out string? marker);
        Pass(at);
        if (marker is null)
            return false;
        if (_dropped.Contains(marker))
        {
            if (!_trimStart)
                DeliverHeld(TextPart);
            Skip(marker);
        }
        else if (marker == _reasoning.End && (_thinking || _atStart))
        {
            SetThinking(false, marker);
        }
        else if (marker == _reasoning.Begin && (_atStart || _reasoning.Anywhere))
        {
            SetThinking(true, marker);
        }
        else if (_triggers.Contains(marker))
        {
            BeginTrigger(marker);
        }
        else
        {
            Pass(marker.Length);
        }

        return true;
    }

    /// <summary>Takes characters as text and delivers them up to the white space at their end.</summary>
    private void Pass(int count)
    {
        if (count > 0)
            _atStart = false;
        int from = Next;
        Read(count);
        Settle(from);
    }

    private void Settle(int from)
    {
        int text = Held[(from - Start)..].LastIndexOfAnyExcept(" \n\r\t");
        if (text >= 0)
            _solid = from + text + 1;
        if (_solid <= Start)
            return;
        if (_trimStart)
            Drop(Start + Held.IndexOfAnyExcept(" \n\r\t"));
        _trimStart = false;
        Deliver(TextPart, _solid);
    }

    private void Skip(string marker)
    {
        Read(marker.Length);
        Drop(Next);
    }

    private void SetThinking(bool thinking, string marker)
    {
        Skip(marker);
        _thinking = thinking;
        _atStart = _trimStart = true;
    }

    private void BeginTrigger(string trigger)
    {
        _trigger = trigger;
        if (_certain.Contains(trigger))
            Drop(Next);
        Read(trigger.Length);
        _thinking = false;
        _stage = Stage.Trigger;
    }

    /// <summary>Several forms may have one trigger: the next character tells which it is.</summary>
    private bool ChooseForm()
    {
        SkipWhite();
        if (Unread.IsEmpty)
            return false;
        CallReader? first = null, chosen = null;
        foreach (CallReader reader in _readers)
        {
            if (reader.Trigger != _trigger)
                continue;
            first ??= reader;
            if (chosen is null && reader.CanFollow(Unread[0]))
                chosen = reader;
        }

        BeginCall(chosen ?? first!);
        return true;
    }

    private void BeginCall(CallReader reader)
    {
        _reader = reader;
        _stage = Stage.Call;
        reader.Begin();
    }

    private bool ReadCall()
    {
        CallReader reader = _reader!;
        while (!Unread.IsEmpty)
        {
            int pending = reader.Pending;
            Outcome outcome = reader.Take(Unread[0]);
            if (outcome == Outcome.More)
            {
                Read(1);
                continue;
            }

            if (outcome == Outcome.Bad)
            {
                Flush(pending);
                Return(Math.Min(reader.TagTaken, Held.Length));
                Fail("this is not how a call is written");
                return true;
            }

            if (outcome != Outcome.DoneBefore && !reader.Again)
                Read(1);
            if (outcome == Outcome.Named)
            {
                if (!TryBeginCall(reader.Name, reader.Id, out ToolDefinition? tool))
                {
                    Fail("there is no tool of that name");
                    return true;
                }

                reader.Accept(tool);
                continue;
            }

            if (outcome == Outcome.Done)
            {
                Flush(0);
                if (IsCallOpen)
                    EndCall();
                Drop(Next);
            }

            if (reader.IsOver)
            {
                Return(Held.Length);
                EndCalls();
                return true;
            }
        }

        Flush(reader.Pending);
        return false;
    }

    private void Flush(int pending)
    {
        if (!IsCallOpen)
            return;
        WriteArguments(_reader!.Output.Text);
        _reader.Output.Clear();
        Drop(Next - pending);
    }

    /// <summary>Goes on with text after calls.</summary>
    private void EndCalls()
    {
        _stage = Stage.Text;
        _atStart = _trimStart = true;
    }

    private void Fail(string reason)
    {
        if (!IsCallOpen && (_reader?.Form.Tentative ?? false) && _stage == Stage.Call)
        {
            _stage = Stage.Text;
            _atStart = false;
            Settle(Start);
            return;
        }

        // A tag of another call may begin in what looked like a tag of this one, so that part is read again.
        _stage = Stage.Malformed;
        _reason = reason;
        BreakCall(reason);
    }

    private bool ReadMalformed(bool last)
    {
        Steps += Unread.Length;
        int at = _malformedMarkers.Find(Unread, last, out string? marker);
        Read(at);
        bool isTrigger = marker is not null && _triggers.Contains(marker);
        if (marker is not null && !isTrigger)
            Read(marker.Length);
        Deliver(ReplyPart.Malformed, Next, _reason);
        if (marker is null)
            return false;
        ForgetCall();
        if (isTrigger)
            BeginTrigger(marker);
        else if (_reader is not null && marker == LastTag(_reader.Form.CallEnd) && _reader.Resume())
            _stage = Stage.Call;
        else
            EndCalls();
        return true;
    }

    /// <summary>The tag that a closing text ends with; empty when it is none.</summary>
    private static string LastTag(string end) => end.LastIndexOf('<') is int at and >= 0 ? end[at..].TrimEnd() : "";
}

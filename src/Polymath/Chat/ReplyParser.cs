namespace Polymath.Chat;

/// <summary>What a parser must know of the request.</summary>
public sealed record ReplyOptions
{
    /// <summary>
    /// The tools that were offered: a call of any other is malformed, and with none everything is content or reasoning.
    /// Null to take calls of whatever name.
    /// </summary>
    public IReadOnlyList<ToolDefinition>? Tools { get; init; }

    /// <summary>True when the prompt ends in the middle of reasoning that the template has opened: <see cref="Dialect.OpensReasoning"/>.</summary>
    public bool StartsInReasoning { get; init; }

    /// <summary>Number of calls in the conversation before this reply: ids are counted on from there.</summary>
    public int FirstCall { get; init; }
}

/// <summary>
/// Takes a reply apart while it is written: answer, reasoning, calls. The pieces may be cut anywhere; joined, what is
/// delivered does not depend on the cuts. Text that may still become a tag is held back. Work is linear in the reply.
/// <para>
/// Control tokens must be given as their text, in their place (<c>&lt;tool_call&gt;</c>, <c>[TOOL_CALLS]</c>,
/// <c>&lt;|channel|&gt;</c>); the token that ends the reply may be given or left out.
/// </para>
/// White space beside a tag belongs to the tag: the answer is delivered without it. For one thread.
/// </summary>
public abstract class ReplyParser
{
    private readonly ReplySink _sink;
    private readonly Dictionary<string, ToolDefinition>? _tools;
    private readonly Dialect _dialect;
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private int _number;
    private char[] _text = new char[256];
    private int _count;
    private int _call = -1;
    private bool _ended;

    private protected ReplyParser(Dialect dialect, ReplyOptions options, ReplySink sink)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(sink);
        ArgumentOutOfRangeException.ThrowIfNegative(options.FirstCall, nameof(options));
        _dialect = dialect;
        _sink = sink;
        _number = options.FirstCall;
        if (options.Tools is null)
            return;
        _tools = new(StringComparer.Ordinal);
        foreach (ToolDefinition tool in options.Tools)
        {
            if (!_tools.TryAdd(tool.Name, tool))
                throw new ArgumentException($"two tools are named {tool.Name}", nameof(options));
        }
    }

    /// <summary>Number of characters looked at, counted again when looked at again.</summary>
    internal long Steps { get; private protected set; }

    /// <summary>First character that was not delivered.</summary>
    private protected int Start { get; private set; }

    /// <summary>First character that was not read.</summary>
    private protected int Next { get; private set; }

    private protected ReadOnlySpan<char> Unread => _text.AsSpan(Next, _count - Next);

    /// <summary>What is read and not delivered.</summary>
    private protected ReadOnlySpan<char> Held => _text.AsSpan(Start, Next - Start);

    /// <summary>False when the request offers no tools.</summary>
    private protected bool MayCall => _tools is null || _tools.Count > 0;

    /// <summary>True between the beginning of a call and its end.</summary>
    private protected bool IsCallOpen { get; private set; }

    /// <summary>Takes the next piece of the reply.</summary>
    /// <exception cref="InvalidOperationException">The reply was ended.</exception>
    public void Push(ReadOnlySpan<char> piece)
    {
        if (_ended)
            throw new InvalidOperationException("the reply is over");
        if (piece.Length > _text.Length - _count)
            MakeRoom(piece.Length);
        piece.CopyTo(_text.AsSpan(_count));
        _count += piece.Length;
        while (Step(last: false))
        {
        }

        if (Start == _count)
        {
            Moved(Start);
            Start = Next = _count = 0;
        }
    }

    /// <summary>The reply is over: what was held back is delivered, then <see cref="ReplyPart.End"/>. Another call does nothing.</summary>
    public void End()
    {
        if (_ended)
            return;
        _ended = true;
        while (Step(last: true))
        {
        }

        Finish();
        _sink(new ReplyEvent(ReplyPart.End, []));
    }

    /// <summary>Goes on by some characters or to another state; false when that needs more text.</summary>
    private protected abstract bool Step(bool last);

    /// <summary>All text is read: delivers what is held, as what it is.</summary>
    private protected abstract void Finish();

    private protected void Read(int count)
    {
        Next += count;
        Steps += count;
    }

    private protected void SkipWhite()
    {
        ReadOnlySpan<char> unread = Unread;
        int white = unread.IndexOfAnyExcept(" \n\r\t");
        Read(white < 0 ? unread.Length : white);
    }

    /// <summary>Delivers held text up to a place.</summary>
    private protected void Deliver(ReplyPart part, int end, string? reason = null)
    {
        if (end > Start)
            _sink(new ReplyEvent(part, _text.AsSpan(Start, end - Start), IsCallOpen ? _call : -1, reason: reason));
        Start = Math.Max(Start, end);
    }

    /// <summary>Passes over held text: it is markup, or was delivered in another form.</summary>
    private protected void Drop(int end) => Start = Math.Max(Start, end);

    /// <summary>Some characters are to be read again; they must be few, or not happen twice.</summary>
    private protected void Return(int count) => Next -= count;

    private protected void DeliverHeld(ReplyPart part) => Deliver(part, Next);

    /// <summary>Begins a call; what is held is its beginning.</summary>
    /// <param name="name">The tool.</param>
    /// <param name="id">The id that the model gave, or null.</param>
    /// <param name="tool">The tool, where the tools are known.</param>
    /// <returns>False when there is no such tool.</returns>
    private protected bool TryBeginCall(string name, string? id, out ToolDefinition? tool)
    {
        tool = null;
        bool isTool = _tools is null
            ? name.Length is > 0 and <= ToolDefinition.LongestName && name.All(ToolDefinition.IsNameCharacter)
            : _tools.TryGetValue(name, out tool);
        if (!isTool)
            return false;
        _call++;
        IsCallOpen = true;
        if (id is not { Length: <= ToolCall.LongestId } || id.Any(c => char.IsSurrogate(c) || char.IsControl(c)) || !_ids.Add(id))
        {
            do
                id = _dialect.NewId(name, _number++);
            while (!_ids.Add(id));
        }

        _sink(new ReplyEvent(ReplyPart.CallBegun, [], _call, id, name));
        Drop(Next);
        return true;
    }

    private protected void WriteArguments(ReadOnlySpan<char> json)
    {
        if (!json.IsEmpty)
            _sink(new ReplyEvent(ReplyPart.CallArguments, json, _call));
    }

    private protected void EndCall()
    {
        IsCallOpen = false;
        _sink(new ReplyEvent(ReplyPart.CallDone, [], _call));
    }

    /// <summary>Ends the open call, if one is, as malformed with what is held.</summary>
    private protected void BreakCall(string reason)
    {
        if (Next > Start || IsCallOpen)
            _sink(new ReplyEvent(ReplyPart.Malformed, Held, IsCallOpen ? _call : -1, reason: reason));
        Drop(Next);
    }

    /// <summary>The malformed text is over.</summary>
    private protected void ForgetCall() => IsCallOpen = false;

    private void MakeRoom(int length)
    {
        int kept = _count - Start;
        char[] target = kept + length > _text.Length / 2 ? new char[Math.Max(2 * _text.Length, 2 * (kept + length))] : _text;
        _text.AsSpan(Start, kept).CopyTo(target);
        _text = target;
        Next -= Start;
        _count = kept;
        Moved(Start);
        Start = 0;
    }

    /// <summary>All places in the text became smaller.</summary>
    private protected virtual void Moved(int by)
    {
    }
}

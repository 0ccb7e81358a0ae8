namespace Polymath.Chat.Parsing;

/// <summary>
/// Takes replies in OpenAI's harmony format apart: messages of a header and a body. The header names the channel and,
/// for a call, the recipient; both may stand in any order, since the prompt ends in the middle of the first header.
/// </summary>
internal sealed class HarmonyReplyParser : ReplyParser
{
    private const string Message = "<|message|>", Channel = "<|channel|>", Space = "functions.";
    private const int LongestHeader = 1024;

    private static readonly string[] HeaderBegins = ["<|start|>", Channel, "to=", "<|constrain|>", Message];
    private static readonly string[] Ends = ["<|end|>", "<|call|>", "<|return|>"];
    private static readonly MarkerSet HeaderMarkers = new([Message, .. Ends]);
    private static readonly MarkerSet BodyMarkers = new(["<|start|>", Channel, .. Ends]);

    private readonly JsonReader _arguments = new();
    private Stage _stage;
    private ReplyPart _part;
    private string? _reason;

    public HarmonyReplyParser(Dialect dialect, ReplyOptions options, ReplySink sink)
        : base(dialect, options, sink)
    {
        if (options.StartsInReasoning)
            (_stage, _part) = (Stage.Body, ReplyPart.Reasoning);
    }

    private enum Stage
    {
        Between, Header, Body, Arguments, AfterArguments,
    }

    private protected override bool Step(bool last) => _stage switch
    {
        Stage.Between => ReadBetween(last),
        Stage.Header => ReadHeader(last),
        Stage.Body => ReadBody(last),
        Stage.Arguments => ReadArguments(),
        _ => SkipToBody(),
    };

    private protected override void Finish()
    {
        if (_stage == Stage.Arguments)
            BreakCall("the reply ended before the call did");
        else if (_stage == Stage.Header)
            Deliver(ReplyPart.Malformed, Next, "the reply ended in the head of a message");
        Drop(Next);
        ForgetCall();
    }

    private bool ReadBetween(bool last)
    {
        SkipWhite();
        Drop(Next);
        ReadOnlySpan<char> unread = Unread;
        if (unread.IsEmpty)
            return false;
        foreach (string end in Ends)
        {
            if (!unread.StartsWith(end))
                continue;
            Read(end.Length);
            Drop(Next);
            return true;
        }

        bool mayCome = false;
        foreach (string begin in (ReadOnlySpan<string>)[.. HeaderBegins, .. Ends])
        {
            if (unread.StartsWith(begin))
            {
                _stage = Stage.Header;
                return true;
            }

            mayCome |= !last && begin.AsSpan().StartsWith(unread);
        }

        if (mayCome)
            return false;
        BeginBody(ReplyPart.Content);
        return true;
    }

    private void BeginBody(ReplyPart part, string? reason = null)
    {
        _stage = Stage.Body;
        _part = part;
        _reason = reason;
    }

    private bool ReadHeader(bool last)
    {
        Steps += Unread.Length;
        int at = HeaderMarkers.Find(Unread, last, out string? marker);
        int room = LongestHeader - Held.Length;
        if (at > room)
        {
            Read(Math.Max(room, 0));
            BeginBody(ReplyPart.Malformed, "the head of a message is too long");
            return true;
        }

        Read(at);
        if (marker is null)
            return false;
        ReadOnlySpan<char> header = Held;
        ReadOnlySpan<char> recipient = After(header, "to=");
        bool isReasoning = After(header, Channel) is "analysis";
        string? name = recipient.IsEmpty || recipient is "assistant" or "user" or "all" ? null
            : (recipient.StartsWith(Space) ? recipient[Space.Length..] : recipient).ToString();
        bool isKnown = IsKnown(header, recipient);
        Read(marker.Length);
        if (name is null || marker != Message)
        {
            if (!isKnown || name is not null)
                Deliver(ReplyPart.Malformed, Next, "this is not how a message begins");
            Drop(Next);
        }

        if (marker != Message)
        {
            _stage = Stage.Between;
        }
        else if (name is null)
        {
            BeginBody(isReasoning ? ReplyPart.Reasoning : ReplyPart.Content);
        }
        else if (MayCall && isKnown && TryBeginCall(name, null, out ToolDefinition? tool))
        {
            _arguments.Begin(tool);
            _stage = Stage.Arguments;
        }
        else
        {
            BeginBody(ReplyPart.Malformed, "there is no tool of that name");
        }

        return true;
    }

    /// <summary>True when a header consists of tags and of words that have a meaning there.</summary>
    private static bool IsKnown(ReadOnlySpan<char> header, ReadOnlySpan<char> recipient)
    {
        while (!header.IsEmpty)
        {
            int length = header[0] == '<' ? header.IndexOf('>') + 1 : header.IndexOfAny(" <\n\r\t");
            ReadOnlySpan<char> word = header[..(length > 0 ? length : length < 0 || header[0] == '<' ? header.Length : 1)];
            header = header[word.Length..];
            bool isKnown = word is "assistant" or "analysis" or "commentary" or "final" or "json" or "code" or "text"
                or Channel or "<|start|>" or "<|constrain|>" || (word.StartsWith("to=") && word[3..].SequenceEqual(recipient)) || word.IsWhiteSpace();
            if (!isKnown)
                return false;
        }

        return true;
    }

    /// <summary>The word that follows a mark in a header.</summary>
    private static ReadOnlySpan<char> After(ReadOnlySpan<char> header, string mark)
    {
        int at = header.IndexOf(mark, StringComparison.Ordinal);
        if (at < 0)
            return [];
        ReadOnlySpan<char> rest = header[(at + mark.Length)..];
        int end = rest.IndexOfAny(" <\n\r\t");
        return end < 0 ? rest : rest[..end];
    }

    private bool ReadBody(bool last)
    {
        Steps += Unread.Length;
        Read(BodyMarkers.Find(Unread, last, out string? marker));
        Deliver(_part, Next, _reason);
        if (marker is null)
            return false;
        ForgetCall();
        _stage = Stage.Between;
        return true;
    }

    private bool ReadArguments()
    {
        while (!Unread.IsEmpty)
        {
            Outcome outcome = _arguments.Take(Unread[0]);
            if (outcome != Outcome.Bad)
                Read(1);
            if (outcome == Outcome.More)
                continue;
            Flush();
            if (outcome == Outcome.Done)
            {
                EndCall();
                _stage = Stage.AfterArguments;
            }
            else
            {
                BreakCall("the arguments are no JSON object");
                BeginBody(ReplyPart.Malformed, "the arguments are no JSON object");
            }

            return true;
        }

        Flush();
        return false;
    }

    private bool SkipToBody()
    {
        SkipWhite();
        Drop(Next);
        if (Unread.IsEmpty)
            return false;
        BeginBody(ReplyPart.Malformed, "there is text after the arguments");
        return true;
    }

    private void Flush()
    {
        WriteArguments(_arguments.Output.Text);
        _arguments.Output.Clear();
        Drop(Next);
    }
}

namespace Polymath.Chat;

/// <summary>What a piece of a reply is.</summary>
public enum ReplyPart
{
    /// <summary>A piece of the answer.</summary>
    Content,

    /// <summary>A piece of the reasoning.</summary>
    Reasoning,

    /// <summary>A call has begun; id and name are known.</summary>
    CallBegun,

    /// <summary>A piece of the JSON text of a call's arguments.</summary>
    CallArguments,

    /// <summary>The call is complete; the pieces of its arguments are together a JSON object.</summary>
    CallDone,

    /// <summary>
    /// A piece of what should have been a call and is none: bad JSON, a tool that is not there, or the reply ended.
    /// The text is what the model wrote, as far as it was not passed on before. Ends the call it belongs to.
    /// </summary>
    Malformed,

    /// <summary>The reply is over. Comes once.</summary>
    End,
}

/// <summary>One thing that a <see cref="ReplyParser"/> found. Only valid during the call that delivers it.</summary>
public readonly ref struct ReplyEvent
{
    internal ReplyEvent(ReplyPart part, ReadOnlySpan<char> text, int call = -1, string? id = null, string? name = null, string? reason = null)
    {
        Part = part;
        Text = text;
        Call = call;
        Id = id;
        Name = name;
        Reason = reason;
    }

    /// <summary>What it is.</summary>
    public ReplyPart Part { get; }

    /// <summary>The piece of text.</summary>
    public ReadOnlySpan<char> Text { get; }

    /// <summary>Which call of the reply, counted from 0; −1 when it belongs to none that had begun.</summary>
    public int Call { get; }

    /// <summary>Id of the call, with <see cref="ReplyPart.CallBegun"/>.</summary>
    public string? Id { get; }

    /// <summary>The tool, with <see cref="ReplyPart.CallBegun"/>.</summary>
    public string? Name { get; }

    /// <summary>Why, with <see cref="ReplyPart.Malformed"/>.</summary>
    public string? Reason { get; }
}

/// <summary>Receives what a reply consists of, in order.</summary>
public delegate void ReplySink(ReplyEvent found);

namespace Polymath.Chat.Parsing;

/// <summary>Reads the arguments of a call, character by character, and writes them as JSON.</summary>
internal abstract class ArgumentsReader
{
    /// <summary>Longest key, name or id, in characters.</summary>
    public const int LongestKey = 256;

    /// <summary>The JSON text read since it was last emptied.</summary>
    public CharBuffer Output { get; } = new();

    /// <summary>Number of the last characters that are read and show in nothing written yet.</summary>
    public abstract int Pending { get; }

    /// <summary>When a character is bad: number of those before it that were only read as the beginning of a tag.</summary>
    public virtual int TagTaken => 0;

    /// <summary>Starts anew.</summary>
    /// <param name="tool">Whose arguments they are; null when it is not known, or not yet.</param>
    public abstract void Begin(ToolDefinition? tool);

    /// <summary>Takes one more character.</summary>
    public abstract Outcome Take(char c);

    /// <summary>Takes one more character of JSON that is passed on as it stands, but for controls in strings, which are escaped.</summary>
    private protected Outcome TakeJson(ref JsonScanner scanner, char c)
    {
        bool escapes = c < ' ' && scanner.InString;
        Outcome outcome = scanner.Take(c);
        if (outcome == Outcome.Bad)
            return outcome;
        if (escapes)
            Output.AppendEscaped(c);
        else
            Output.Append(c);
        return outcome;
    }

    /// <summary>The reader of a form.</summary>
    public static ArgumentsReader Of(CallForm form) => form.Arguments switch
    {
        JsonEnvelope => new EnvelopeReader(),
        TaggedArguments tags => new TaggedReader(tags, form.CallEnd),
        GemmaArguments => new GemmaReader(),
        _ => new JsonReader(),
    };
}

/// <summary>A JSON object, passed on as it stands.</summary>
internal sealed class JsonReader : ArgumentsReader
{
    private JsonScanner _scanner;

    public override int Pending => 0;

    public override void Begin(ToolDefinition? tool)
    {
        _scanner = default;
        Output.Clear();
    }

    public override Outcome Take(char c)
    {
        return !_scanner.Begun && LiteralMatch.IsWhite(c) ? Outcome.More : TakeJson(ref _scanner, c);
    }
}

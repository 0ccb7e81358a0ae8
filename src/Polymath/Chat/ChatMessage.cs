namespace Polymath.Chat;

/// <summary>Who speaks.</summary>
public enum ChatRole
{
    /// <summary>Standing instructions.</summary>
    System,

    /// <summary>Instructions of an application; a system message where a template knows no such role.</summary>
    Developer,

    /// <summary>The person.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,

    /// <summary>The result of a tool call.</summary>
    Tool,
}

/// <summary>One message of a conversation. Immutable; what does not belong to its role is refused.</summary>
public sealed record ChatMessage
{
    /// <summary>A message of text.</summary>
    /// <param name="role">Who speaks; a tool's result is made with <see cref="ToolResult(ToolCall, string)"/>.</param>
    /// <param name="text">What is said; may be empty.</param>
    /// <exception cref="ArgumentException">The role is <see cref="ChatRole.Tool"/> or none at all.</exception>
    public ChatMessage(ChatRole role, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!Enum.IsDefined(role) || role == ChatRole.Tool)
            throw new ArgumentException("a message is of a system, developer, user or assistant; ToolResult makes those of tools", nameof(role));
        Role = role;
        Text = text;
    }

    private ChatMessage(string text, string callId, string name)
    {
        Role = ChatRole.Tool;
        Text = text;
        ToolCallId = callId;
        ToolName = name;
    }

    /// <summary>Who speaks.</summary>
    public ChatRole Role { get; }

    /// <summary>What is said, without reasoning and calls; the result itself of a tool.</summary>
    public string Text { get; private init; }

    /// <summary>What the model thought before it answered; empty when it did not.</summary>
    public string Reasoning { get; private init; } = "";

    /// <summary>The tools the model calls, in its order.</summary>
    public IReadOnlyList<ToolCall> ToolCalls { get; private init; } = [];

    /// <summary>Of a result: the <see cref="ToolCall.Id"/> it answers; null elsewhere.</summary>
    public string? ToolCallId { get; }

    /// <summary>Of a result: the tool that gave it; null elsewhere.</summary>
    public string? ToolName { get; }

    /// <summary>The same with another text.</summary>
    internal ChatMessage WithText(Func<string, string> change) => this with { Text = change(Text) };

    /// <summary>Instructions.</summary>
    public static ChatMessage System(string text) => new(ChatRole.System, text);

    /// <summary>What the person says.</summary>
    public static ChatMessage User(string text) => new(ChatRole.User, text);

    /// <summary>What the model said.</summary>
    /// <param name="text">The answer; may be empty.</param>
    /// <param name="reasoning">What it thought before; may be empty.</param>
    /// <param name="toolCalls">The tools it called.</param>
    /// <exception cref="ArgumentException">Two calls have one id.</exception>
    public static ChatMessage Assistant(string text, string reasoning = "", IReadOnlyList<ToolCall>? toolCalls = null)
    {
        ArgumentNullException.ThrowIfNull(reasoning);
        ToolCall[] calls = [.. toolCalls ?? []];
        if (calls.DistinctBy(call => call.Id).Count() != calls.Length)
            throw new ArgumentException("two calls of one message have the same id", nameof(toolCalls));
        return new ChatMessage(ChatRole.Assistant, text) { Reasoning = reasoning, ToolCalls = calls };
    }

    /// <summary>What a tool gave back.</summary>
    /// <param name="call">The call it answers.</param>
    /// <param name="text">The result as the model shall read it.</param>
    public static ChatMessage ToolResult(ToolCall call, string text)
    {
        ArgumentNullException.ThrowIfNull(call);
        return ToolResult(call.Id, call.Name, text);
    }

    /// <summary>What a tool gave back.</summary>
    /// <param name="callId">Id of the call it answers.</param>
    /// <param name="toolName">The tool.</param>
    /// <param name="text">The result as the model shall read it.</param>
    /// <exception cref="ArgumentException">The id or name is empty, or the name none that a tool can have.</exception>
    public static ChatMessage ToolResult(string callId, string toolName, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new ChatMessage(text, ToolCall.CheckedId(callId), ToolDefinition.CheckedName(toolName));
    }
}

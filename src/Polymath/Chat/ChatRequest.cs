using Polymath.Generation;
using Polymath.Generation.Constraints;

namespace Polymath.Chat;

/// <summary>What is asked of a <see cref="ChatModel"/>.</summary>
public sealed record ChatRequest
{
    /// <summary>The conversation; at least one message.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The tools the model may call.</summary>
    public IReadOnlyList<ToolDefinition> Tools { get; init; } = [];

    /// <summary>Whether it may, must or must not call one.</summary>
    public ToolChoice ToolChoice { get; init; } = ToolChoice.Auto;

    /// <summary>Whether it may call several in one reply.</summary>
    public bool ParallelCalls { get; init; } = true;

    /// <summary>What the answer must be, reasoning and calls apart; null for any text.</summary>
    public Grammar? Format { get; init; }

    /// <summary>Whether the model shall reason first, where its template has a switch for that; null as the template does by itself.</summary>
    public bool? Thinking { get; init; }

    /// <summary>More variables of the template, as JSON by name.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty;

    /// <summary>How much is written, how it is chosen, when to stop. Grammar and control text are set by the model of the chat.</summary>
    public GenerationOptions Generation { get; init; } = new();

    /// <summary>Whose request it is: callers get their turn however many requests another has.</summary>
    public string Caller { get; init; } = "";
}

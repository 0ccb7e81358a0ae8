using System.Text.Json;
using System.Text.Json.Serialization;

namespace Polymath.Server.Wire;

/// <summary>A reply in Anthropic's form.</summary>
internal sealed record AnthropicMessage(
    string Id, string Type, string Role, string Model, AnthropicBlock[] Content,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? StopReason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? StopSequence, AnthropicUsage Usage);

/// <summary>A part of a reply: text, thinking or the use of a tool.</summary>
internal sealed record AnthropicBlock(
    string Type, string? Text = null, string? Thinking = null, string? Signature = null, string? Id = null, string? Name = null, JsonElement? Input = null);

/// <summary>Tokens; of the prompt those that were computed and those that were not.</summary>
internal sealed record AnthropicUsage(int InputTokens, int CacheReadInputTokens, int OutputTokens);

/// <summary>An event of a stream; which of the fields it has depends on its type.</summary>
internal sealed record AnthropicEvent(
    string Type, int? Index = null, AnthropicMessage? Message = null, AnthropicBlock? ContentBlock = null, AnthropicDelta? Delta = null, AnthropicUsage? Usage = null);

/// <summary>What an event adds.</summary>
internal sealed record AnthropicDelta(
    string? Type = null, string? Text = null, string? Thinking = null, string? PartialJson = null, string? StopReason = null, string? StopSequence = null);

/// <summary>How long a prompt is.</summary>
internal sealed record AnthropicCount(int InputTokens);

/// <summary>An error.</summary>
internal sealed record AnthropicError(string Type, AnthropicErrorDetail Error);

/// <summary>What went wrong.</summary>
internal sealed record AnthropicErrorDetail(string Type, string Message);

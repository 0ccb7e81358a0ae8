using System.Text.Json.Serialization;

namespace Polymath.Server.Wire;

/// <summary>An error.</summary>
internal sealed record ErrorBody(ErrorDetail Error);

/// <summary>What went wrong.</summary>
internal sealed record ErrorDetail(
    string Message, string Type, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code);

/// <summary>The models there are.</summary>
internal sealed record ModelList(string Object, ModelEntry[] Data);

/// <summary>A model.</summary>
internal sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy, int ContextLength);

/// <summary>Tokens.</summary>
internal sealed record Usage(
    int PromptTokens, int CompletionTokens, int TotalTokens, PromptDetails PromptTokensDetails, CompletionDetails? CompletionTokensDetails);

/// <summary>Tokens of the prompt that were not computed.</summary>
internal sealed record PromptDetails(int CachedTokens);

/// <summary>Tokens of the reasoning.</summary>
internal sealed record CompletionDetails(int ReasoningTokens);

/// <summary>Whole replies, or a piece of them.</summary>
internal sealed record ChatCompletion(string Id, string Object, long Created, string Model, ChatChoice[] Choices, Usage? Usage);

/// <summary>One reply, or a piece of it.</summary>
internal sealed record ChatChoice(
    int Index, ReplyMessage? Message, ReplyMessage? Delta, LogProbList? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

/// <summary>A reply, or what a piece adds to it.</summary>
internal sealed record ReplyMessage(string? Role = null, string? Content = null, string? ReasoningContent = null, CallEntry[]? ToolCalls = null);

/// <summary>A call of a tool.</summary>
internal sealed record CallEntry(int? Index, string Id, string Type, CallFunction Function);

/// <summary>What is called.</summary>
internal sealed record CallFunction(string Name, string Arguments);

/// <summary>Probabilities of the tokens of a reply.</summary>
internal sealed record LogProbList(LogProbEntry[] Content);

/// <summary>A token, its probability, and what might have stood in its place.</summary>
internal sealed record LogProbEntry(string Token, float Logprob, int[] Bytes, LogProbEntry[]? TopLogprobs);

/// <summary>How a text goes on, or a piece of that.</summary>
internal sealed record TextCompletion(string Id, string Object, long Created, string Model, TextChoice[] Choices, Usage? Usage);

/// <summary>One text, or a piece of it.</summary>
internal sealed record TextChoice(
    int Index, string Text, TextLogProbs? Logprobs, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

/// <summary>Probabilities of the tokens of a text.</summary>
internal sealed record TextLogProbs(string[] Tokens, float[] TokenLogprobs, Dictionary<string, float>[] TopLogprobs, int[] TextOffset);

/// <summary>A text as ids.</summary>
internal sealed record TokenizedText(int[] Tokens, int Count);

/// <summary>The text of ids.</summary>
internal sealed record DetokenizedText(string Content);

/// <summary>How the server is.</summary>
internal sealed record HealthStatus(string Status);

using System.Text.Json;

namespace Polymath.Server.Wire;

/// <summary>A piece of a reply in Ollama's form, or all of it; the last one tells how it went. Times in nanoseconds.</summary>
internal sealed record OllamaReply(
    string Model, DateTimeOffset CreatedAt, OllamaMessage? Message, string? Response, string? Thinking, bool Done, string? DoneReason = null,
    long? TotalDuration = null, long? LoadDuration = null, int? PromptEvalCount = null, long? PromptEvalDuration = null, int? EvalCount = null,
    long? EvalDuration = null);

/// <summary>A message.</summary>
internal sealed record OllamaMessage(string Role, string Content, string? Thinking = null, OllamaCall[]? ToolCalls = null);

/// <summary>A call of a tool.</summary>
internal sealed record OllamaCall(OllamaFunction Function);

/// <summary>What is called.</summary>
internal sealed record OllamaFunction(string Name, JsonElement Arguments);

/// <summary>The models there are.</summary>
internal sealed record OllamaModels(OllamaModel[] Models);

/// <summary>A model.</summary>
internal sealed record OllamaModel(string Name, string Model, DateTimeOffset ModifiedAt, long Size, string Digest, OllamaDetails Details);

/// <summary>What a model is.</summary>
internal sealed record OllamaDetails(string Format, string Family, string[] Families, string ParameterSize, string QuantizationLevel);

/// <summary>All about a model.</summary>
internal sealed record OllamaShown(OllamaDetails Details, Dictionary<string, JsonElement> ModelInfo, string[] Capabilities, DateTimeOffset ModifiedAt);

/// <summary>The version of the server.</summary>
internal sealed record OllamaVersion(string Version);

/// <summary>An error.</summary>
internal sealed record OllamaError(string Error);

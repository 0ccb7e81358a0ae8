using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Polymath.Generation;

namespace Polymath.Extensions.AI;

/// <summary>The pieces of a reply as contents: text at once, a call once it is complete. One for each reply.</summary>
internal sealed class ReplyContents(bool withReasoning)
{
    private readonly StringBuilder _arguments = new();
    private string _id = "";
    private string _name = "";   // empty outside of calls

    /// <summary>The content that is complete with this piece, or null.</summary>
    public AIContent? Next(Chat.ChatDelta delta)
    {
        switch (delta.Part)
        {
            case Chat.ReplyPart.Content:
                return Text(delta.Text);
            case Chat.ReplyPart.Reasoning:
                return withReasoning && delta.Text.Length > 0 ? new TextReasoningContent(delta.Text) : null;
            case Chat.ReplyPart.CallBegun:
                (_id, _name) = (delta.Id!, delta.Name!);
                _arguments.Clear();
                return null;
            case Chat.ReplyPart.CallArguments:
                _arguments.Append(delta.Text);
                return null;
            case Chat.ReplyPart.CallDone:
                var call = new FunctionCallContent(_id, _name, Arguments(_arguments.ToString()));
                _name = "";
                return call;
            case Chat.ReplyPart.Malformed when _name.Length > 0 && delta.Call >= 0:
                // The call had begun: what there is of it becomes text, as it does in the whole message.
                string begun = $"{_name} {_arguments}";
                _name = "";
                return Text(begun + delta.Text);
            case Chat.ReplyPart.Malformed:
                return Text(delta.Text);
            default:
                return null;
        }
    }

    /// <summary>The tokens of a reply and of its prompt.</summary>
    public static UsageDetails Usage(Chat.ChatResult result)
    {
        GenerationResult generation = result.Generation;
        return new UsageDetails
        {
            InputTokenCount = generation.PromptTokens,
            OutputTokenCount = generation.Ids.Count,
            TotalTokenCount = generation.PromptTokens + generation.Ids.Count,
            CachedInputTokenCount = generation.CachedTokens,
            ReasoningTokenCount = result.ReasoningTokens,
        };
    }

    /// <summary>Why a reply ended; one that was cut off says so, even where calls are complete.</summary>
    public static ChatFinishReason FinishReason(Chat.ChatResult result) => result.Generation.Reason switch
    {
        StopReason.MaxTokens or StopReason.ContextFull => ChatFinishReason.Length,
        _ when result.Message.ToolCalls.Count > 0 => ChatFinishReason.ToolCalls,
        _ => ChatFinishReason.Stop,
    };

    private static TextContent? Text(string text) => text.Length > 0 ? new TextContent(text) : null;

    private static Dictionary<string, object?> Arguments(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        var arguments = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (JsonProperty argument in document.RootElement.EnumerateObject())
            arguments[argument.Name] = argument.Value.ValueKind == JsonValueKind.Null ? null : argument.Value.Clone();
        return arguments;
    }
}

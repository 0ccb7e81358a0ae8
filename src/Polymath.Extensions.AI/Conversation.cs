using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Polymath.Extensions.AI;

/// <summary>Reads the messages of the abstractions. A kind of content that the engine cannot take is refused by its name.</summary>
internal static class Conversation
{
    private static readonly JsonSerializerOptions Compact = NewOptions();

    /// <summary>The conversation for the engine.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="instructions">Instructions of the request, which come first; null for none.</param>
    /// <exception cref="NotSupportedException">A role or content that the engine cannot take.</exception>
    /// <exception cref="ArgumentException">A result answers no call, or a call has no id or a name that no tool can have.</exception>
    public static List<Chat.ChatMessage> Read(IEnumerable<ChatMessage> messages, string? instructions)
    {
        var conversation = new List<Chat.ChatMessage>();
        var tools = new Dictionary<string, string>(StringComparer.Ordinal);   // name by id of the call
        foreach (ChatMessage message in messages)
        {
            ArgumentNullException.ThrowIfNull(message, nameof(messages));
            if (message.Role == ChatRole.Tool)
                AddResults(message, tools, conversation);
            else
                conversation.Add(Read(message, tools));
        }

        if (string.IsNullOrEmpty(instructions))
            return conversation;
        // One system message: many templates take no second one.
        bool merges = conversation.Count > 0 && conversation[0].Role == Chat.ChatRole.System;
        var first = Chat.ChatMessage.System(merges ? $"{instructions}\n\n{conversation[0].Text}" : instructions);
        if (merges)
            conversation[0] = first;
        else
            conversation.Insert(0, first);
        return conversation;
    }

    private static Chat.ChatMessage Read(ChatMessage message, Dictionary<string, string> tools)
    {
        Chat.ChatRole role = Role(message.Role);
        bool isReply = role == Chat.ChatRole.Assistant;
        var text = new StringBuilder();
        var reasoning = new StringBuilder();
        var calls = new List<Chat.ToolCall>();
        foreach (AIContent content in message.Contents)
        {
            switch (content)
            {
                case TextContent part:
                    text.Append(part.Text);
                    break;
                case TextReasoningContent part when isReply:
                    reasoning.Append(part.Text);
                    break;
                case FunctionCallContent call when isReply:
                    calls.Add(new Chat.ToolCall(call.CallId, call.Name, call.Arguments is null ? "{}" : Json(call.Arguments)));
                    tools[call.CallId] = call.Name;
                    break;
                case UsageContent:
                    break;   // says nothing to the model
                default:
                    throw Refusal(content, message.Role);
            }
        }

        return isReply ? Chat.ChatMessage.Assistant(text.ToString(), reasoning.ToString(), calls) : new Chat.ChatMessage(role, text.ToString());
    }

    private static void AddResults(ChatMessage message, Dictionary<string, string> tools, List<Chat.ChatMessage> conversation)
    {
        foreach (AIContent content in message.Contents)
        {
            if (content is not FunctionResultContent result)
                throw Refusal(content, message.Role);
            if (!tools.TryGetValue(result.CallId, out string? tool))
                throw new ArgumentException($"a function result answers the call {result.CallId}, which no message before it makes", nameof(message));
            conversation.Add(Chat.ChatMessage.ToolResult(result.CallId, tool, ResultText(result)));
        }
    }

    private static Chat.ChatRole Role(ChatRole role) =>
        role == ChatRole.User ? Chat.ChatRole.User
        : role == ChatRole.Assistant ? Chat.ChatRole.Assistant
        : role == ChatRole.System ? Chat.ChatRole.System
        : string.Equals(role.Value, "developer", StringComparison.OrdinalIgnoreCase) ? Chat.ChatRole.Developer
        : throw new NotSupportedException($"a message of the role {role.Value} is not supported");

    /// <summary>What a function gave, as the model reads it.</summary>
    private static string ResultText(FunctionResultContent result) => result.Result switch
    {
        null => result.Exception is { } exception ? $"Error: {exception.Message}" : "",
        string text => text,
        TextContent content => content.Text,
        AIContent content => throw Refusal(content, ChatRole.Tool),
        IEnumerable<AIContent> contents => string.Concat(
            contents.Select(content => content is TextContent part ? part.Text : throw Refusal(content, ChatRole.Tool))),
        JsonElement { ValueKind: JsonValueKind.String } element => element.GetString()!,
        JsonElement { ValueKind: JsonValueKind.Undefined } => "",
        { } value => JsonSerializer.Serialize(value, Compact.GetTypeInfo(value.GetType())),
    };

    private static string Json(IDictionary<string, object?> arguments) =>
        JsonSerializer.Serialize(arguments, Compact.GetTypeInfo(typeof(IDictionary<string, object?>)));

    private static NotSupportedException Refusal(AIContent content, ChatRole role) =>
        new($"{content.GetType().Name} in a message of the role {role.Value} is not supported");

    /// <summary>Generated contracts where reflection is off.</summary>
    private static JsonSerializerOptions NewOptions()
    {
        var options = new JsonSerializerOptions(AIJsonUtilities.DefaultOptions) { WriteIndented = false };
        options.MakeReadOnly();
        return options;
    }
}

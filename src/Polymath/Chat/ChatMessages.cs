using System.Text.Json;
using System.Text.Json.Nodes;

namespace Polymath.Chat;

/// <summary>Turns a conversation into the variables of a chat template.</summary>
public static class ChatMessages
{
    /// <summary>
    /// The variables <c>messages</c> and, where tools are offered and the template can present them, <c>tools</c>, as plain
    /// JSON in the shape that the template expects: arguments as an object or as text, no content as null or empty,
    /// reasoning under the key it reads. Where the template cannot present tools, the system message tells of them and of
    /// the form of a call; where it cannot present calls either, past ones stand in the answers in the generic form, and
    /// results are told by the user.
    /// </summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="tools">The tools offered; may be empty.</param>
    /// <param name="templateSource">The template, whose needs are told from its text.</param>
    /// <param name="dialect">The model's dialect.</param>
    public static JsonObject ToJson(
        IReadOnlyList<ChatMessage> messages, IReadOnlyList<ToolDefinition> tools, string templateSource, Dialect dialect)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(tools);
        ArgumentNullException.ThrowIfNull(templateSource);
        ArgumentNullException.ThrowIfNull(dialect);
        var traits = new TemplateTraits(templateSource);
        if (!traits.ShowsTools)
        {
            List<ChatMessage> told = GenericTools.Told(messages, tools, dialect.Forms[0], traits);
            return new JsonObject { ["messages"] = Array(told.Select(message => OfMessage(message, traits, dialect))) };
        }

        var variables = new JsonObject { ["messages"] = Array(messages.Select(message => OfMessage(message, traits, dialect))) };
        if (tools.Count > 0)
            variables["tools"] = Array(tools.Select(OfTool));
        return variables;
    }

    /// <summary>A tool as templates and the interfaces of services write it.</summary>
    public static JsonObject OfTool(ToolDefinition tool)
    {
        ArgumentNullException.ThrowIfNull(tool);
        return new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = tool.Name,
                ["description"] = tool.Description,
                ["parameters"] = OfElement(tool.Parameters),
            },
        };
    }

    private static JsonArray Array(IEnumerable<JsonObject> items) => new([.. items]);

    private static JsonObject OfMessage(ChatMessage message, TemplateTraits traits, Dialect dialect)
    {
        var json = new JsonObject { ["role"] = RoleName(message.Role, traits) };
        bool hasCalls = message.ToolCalls.Count > 0;
        bool joins = traits.OneText && hasCalls && message.Reasoning.Length > 0;
        string reasoning = joins && message.Text.Length > 0 ? $"{message.Reasoning}\n{message.Text}" : message.Reasoning;
        if (traits.ThinkingBlocks && reasoning.Length > 0)
            json["content"] = Blocks(reasoning, message.Text);
        else
            json["content"] = hasCalls && traits.NullContent && message.Text.Length == 0 ? null : joins ? "" : message.Text;
        if (reasoning.Length > 0 && !traits.ThinkingBlocks)
            json[traits.ReasoningKey] = reasoning;
        if (hasCalls)
            json["tool_calls"] = Array(message.ToolCalls.Select(call => OfCall(call, traits, dialect)));
        if (message.ToolCallId is not null)
            json["tool_call_id"] = dialect.ShownId(message.ToolCallId);
        if (message.ToolName is not null)
            json["name"] = message.ToolName;
        return json;
    }

    private static string RoleName(ChatRole role, TemplateTraits traits) => role switch
    {
        ChatRole.User => "user",
        ChatRole.Assistant => "assistant",
        ChatRole.Tool => "tool",
        ChatRole.Developer when traits.KnowsDeveloper => "developer",
        _ => "system",
    };

    private static JsonArray Blocks(string reasoning, string text)
    {
        var blocks = new JsonArray { (JsonNode)new JsonObject { ["type"] = "thinking", ["thinking"] = reasoning } };
        if (text.Length > 0)
            blocks.Add((JsonNode)new JsonObject { ["type"] = "text", ["text"] = text });
        return blocks;
    }

    private static JsonObject OfCall(ToolCall call, TemplateTraits traits, Dialect dialect)
    {
        using JsonDocument arguments = JsonDocument.Parse(call.Arguments);
        return new JsonObject
        {
            ["type"] = "function",
            ["id"] = dialect.ShownId(call.Id),
            ["function"] = new JsonObject
            {
                ["name"] = call.Name,
                ["arguments"] = traits.ArgumentsAsText ? call.Arguments : OfElement(arguments.RootElement),
            },
        };
    }

    /// <summary>A copy as nodes. Of members with one name the last counts. Depth is bounded by the parser that made the element.</summary>
    private static JsonNode? OfElement(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var members = new JsonObject();
                foreach (JsonProperty member in element.EnumerateObject())
                    members[member.Name] = OfElement(member.Value);
                return members;
            case JsonValueKind.Array:
                var items = new JsonArray();
                foreach (JsonElement item in element.EnumerateArray())
                    items.Add(OfElement(item));
                return items;
            default:
                return element.ValueKind == JsonValueKind.Null ? null : JsonValue.Create(element.Clone());
        }
    }
}

using System.Text;
using System.Text.Json;
using Polymath.Chat;

namespace Polymath.Server.Wire;

/// <summary>A request for a reply, in Anthropic's form.</summary>
/// <param name="Chat">What is asked of the model.</param>
/// <param name="Stream">Whether it comes in pieces.</param>
internal sealed record AnthropicRequest(ChatRequest Chat, bool Stream)
{
    private const int MostMessages = 10_000, MostBlocks = 1000, MostTools = 128, MostStops = 4;

    /// <summary>Reads a request.</summary>
    /// <exception cref="ApiException">A field is wrong.</exception>
    public static AnthropicRequest Read(Fields fields, ServedModel served, string caller)
    {
        _ = fields.Text("model");
        var messages = new List<ChatMessage>();
        if (MessageFields.Content(fields, "system") is { Length: > 0 } system)
            messages.Add(new ChatMessage(ChatRole.System, system));
        var tools = new Dictionary<string, string>(StringComparer.Ordinal);
        Fields[] given = fields.Objects("messages", MostMessages);
        if (given.Length == 0)
            throw fields.Wrong("messages", "at least one message is expected");
        foreach (Fields message in given)
            Add(message, messages, tools);
        IReadOnlyList<ToolDefinition> offered = Tools(fields);
        Fields? choice = fields.Object("tool_choice");
        var chat = new ChatRequest
        {
            Messages = messages,
            Tools = offered,
            ToolChoice = Choice(fields, choice, offered),
            ParallelCalls = !(choice?.Flag("disable_parallel_tool_use") ?? false),
            Thinking = fields.Object("thinking")?.NeededText("type") switch { null => null, "disabled" => false, _ => true },
            Generation = SamplingFields.Read(fields, served.Vocabulary) with { Stop = SamplingFields.Stops(fields, "stop_sequences", MostStops) },
            Caller = caller,
        };
        return new AnthropicRequest(chat, fields.Flag("stream") ?? false);
    }

    private static IReadOnlyList<ToolDefinition> Tools(Fields fields) => MessageFields.Distinct(
        [.. fields.Objects("tools", MostTools).Select(tool => MessageFields.Tool(tool, tool.NeededText("name"), tool["input_schema"]))], fields);

    private static ToolChoice Choice(Fields fields, Fields? choice, IReadOnlyList<ToolDefinition> tools)
    {
        ToolChoice chosen = choice?.NeededText("type") switch
        {
            null or "auto" => ToolChoice.Auto,
            "none" => ToolChoice.None,
            "any" => ToolChoice.Required,
            "tool" => MessageFields.Checked(fields, "tool_choice", () => ToolChoice.Of(choice!.Value.NeededText("name"))),
            _ => throw choice!.Value.Wrong("type", "auto, any, tool or none is expected"),
        };
        MessageFields.Checked(fields, "tool_choice", () => chosen.Allowed(tools));
        return chosen;
    }

    private static void Add(Fields message, List<ChatMessage> messages, Dictionary<string, string> tools)
    {
        string role = message.NeededText("role");
        if (role is not ("user" or "assistant"))
            throw message.Wrong("role", "user or assistant is expected");
        StringBuilder text = new(), reasoning = new();
        var calls = new List<ToolCall>();
        bool hasResults = false;
        if (message["content"] is { ValueKind: JsonValueKind.String } plain)
            text.Append(plain.GetString());
        else
        {
            foreach (Fields block in message.Objects("content", MostBlocks))
            {
                switch (block.NeededText("type"))
                {
                    case "text":
                        text.Append(block.NeededText("text"));
                        break;
                    case "thinking":
                        reasoning.Append(block.NeededText("thinking"));
                        break;
                    case "redacted_thinking":
                        break;
                    case "tool_use" when role == "assistant":
                        calls.Add(MessageFields.Checked(block, "input", () =>
                            new ToolCall(block.NeededText("id"), block.NeededText("name"), block["input"]?.GetRawText() ?? "{}")));
                        tools[calls[^1].Id] = calls[^1].Name;
                        break;
                    case "tool_result" when role == "user":
                        string id = block.NeededText("tool_use_id");
                        string name = tools.TryGetValue(id, out string? called) ? called : throw block.Wrong("tool_use_id", "no call before it has this id");
                        messages.Add(ChatMessage.ToolResult(id, name, MessageFields.Content(block)));
                        hasResults = true;
                        break;
                    default:
                        throw block.Wrong("type", "text, thinking, and tool_use of the assistant or tool_result of the user are understood");
                }
            }
        }

        if (role == "assistant")
            messages.Add(MessageFields.Checked(message, "content", () => ChatMessage.Assistant(text.ToString(), reasoning.ToString(), calls)));
        else if (text.Length > 0 || !hasResults)
            messages.Add(new ChatMessage(ChatRole.User, text.ToString()));
    }
}

using System.Text;
using System.Text.Json;
using Polymath.Chat;

namespace Polymath.Server.Wire;

/// <summary>Messages and tools of OpenAI's chat requests.</summary>
internal static class MessageFields
{
    private const int MostMessages = 10_000, MostTools = 128, MostParts = 1000, MostCalls = 256;

    /// <summary>The schema of a tool that takes nothing.</summary>
    public const string NoParameters = """{"type": "object", "properties": {}}""";

    /// <summary>The conversation.</summary>
    /// <exception cref="ApiException">A message is wrong.</exception>
    public static IReadOnlyList<ChatMessage> Messages(Fields fields)
    {
        Fields[] given = fields.Objects("messages", MostMessages);
        if (given.Length == 0)
            throw fields.Wrong("messages", "at least one message is expected");
        var tools = new Dictionary<string, string>(StringComparer.Ordinal);
        return [.. given.Select(message => Message(message, tools))];
    }

    /// <summary>The tools.</summary>
    /// <exception cref="ApiException">A tool is wrong, or two have one name.</exception>
    public static IReadOnlyList<ToolDefinition> Tools(Fields fields)
    {
        var tools = new List<ToolDefinition>();
        foreach (Fields tool in fields.Objects("tools", MostTools))
        {
            if (tool.NeededText("type") != "function")
                throw tool.Wrong("type", "only function is known");
            Fields function = tool.Object("function") ?? throw tool.Wrong("function", "is missing");
            tools.Add(Tool(function, function.NeededText("name"), function["parameters"]));
        }

        return Distinct(tools, fields);
    }

    /// <summary>A tool of a name, a schema and the description among its fields.</summary>
    public static ToolDefinition Tool(Fields tool, string name, JsonElement? schema) => Checked(tool, "name", () => schema is { } given
        ? new ToolDefinition(name, tool.Text("description") ?? "", given)
        : new ToolDefinition(name, tool.Text("description") ?? "", NoParameters));

    /// <summary>Refuses two tools of one name.</summary>
    public static IReadOnlyList<ToolDefinition> Distinct(IReadOnlyList<ToolDefinition> tools, Fields fields) =>
        tools.DistinctBy(tool => tool.Name).Count() == tools.Count ? tools : throw fields.Wrong("tools", "two tools have the same name");

    /// <summary>Whether one of the tools may or must be called.</summary>
    /// <exception cref="ApiException">Not a choice, or of a tool that is not there.</exception>
    public static ToolChoice Choice(Fields fields, IReadOnlyList<ToolDefinition> tools)
    {
        const string Name = "tool_choice";
        ToolChoice choice = fields[Name] switch
        {
            null => ToolChoice.Auto,
            { ValueKind: JsonValueKind.String } word => word.GetString() switch
            {
                "auto" => ToolChoice.Auto,
                "none" => ToolChoice.None,
                "required" => ToolChoice.Required,
                _ => throw fields.Wrong(Name, "auto, none, required or an object is expected"),
            },
            _ => Checked(fields, Name, () => ToolChoice.Of((fields.Object(Name)!.Value.Object("function")
                ?? throw fields.Wrong($"{Name}.function", "is missing")).NeededText("name"))),
        };
        Checked(fields, Name, () => choice.Allowed(tools));
        return choice;
    }

    /// <summary>Text that stands as it is or as a list of parts.</summary>
    public static string Content(Fields message, string name = "content")
    {
        if (message[name] is not { ValueKind: JsonValueKind.Array })
            return message.Text(name) ?? "";
        var text = new StringBuilder();
        foreach (Fields part in message.Objects(name, MostParts))
        {
            string type = part.NeededText("type");
            text.Append(type == "text" ? part.NeededText("text") : throw part.Wrong("type", "only text is understood"));
        }

        return text.ToString();
    }

    /// <summary>Makes a value of the engine; what it refuses is the field's fault.</summary>
    public static T Checked<T>(Fields fields, string name, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException e)
        {
            throw fields.Wrong(name, Failures.MessageOf(e));
        }
    }

    private static ChatMessage Message(Fields message, Dictionary<string, string> tools)
    {
        string role = message.NeededText("role");
        string text = Content(message);
        switch (role)
        {
            case "system":
                return new ChatMessage(ChatRole.System, text);
            case "developer":
                return new ChatMessage(ChatRole.Developer, text);
            case "user":
                return new ChatMessage(ChatRole.User, text);
            case "assistant":
                ToolCall[] calls = [.. message.Objects("tool_calls", MostCalls).Select(Call)];
                foreach (ToolCall call in calls)
                    tools[call.Id] = call.Name;
                string reasoning = message.Text("reasoning_content") ?? message.Text("reasoning") ?? "";
                return Checked(message, "tool_calls", () => ChatMessage.Assistant(text, reasoning, calls));
            case "tool":
                string id = message.NeededText("tool_call_id");
                string name = tools.TryGetValue(id, out string? called) ? called
                    : message.Text("name") ?? throw message.Wrong("tool_call_id", "no call before it has this id");
                return Checked(message, "tool_call_id", () => ChatMessage.ToolResult(id, name, text));
            default:
                throw message.Wrong("role", "system, developer, user, assistant or tool is expected");
        }
    }

    private static ToolCall Call(Fields call)
    {
        Fields function = call.Object("function") ?? throw call.Wrong("function", "is missing");
        return Checked(call, "function", () => new ToolCall(call.NeededText("id"), function.NeededText("name"), function.NeededText("arguments")));
    }
}

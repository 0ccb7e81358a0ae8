using System.Globalization;
using System.Text.Json;
using Polymath.Chat;
using Polymath.Generation;
using Polymath.Generation.Constraints;

namespace Polymath.Server.Wire;

/// <summary>A request for a reply, in Ollama's form.</summary>
/// <param name="Chat">What is asked of the model; without messages nothing is.</param>
/// <param name="Stream">Whether it comes in pieces.</param>
internal sealed record OllamaRequest(ChatRequest Chat, bool Stream)
{
    private const int MostMessages = 10_000, MostCalls = 256;

    /// <summary>Reads a request of /api/chat.</summary>
    /// <exception cref="ApiException">A field is wrong.</exception>
    public static OllamaRequest ReadChat(Fields fields, ServedModel served, string caller)
    {
        var messages = new List<ChatMessage>();
        var open = new List<ToolCall>();   // calls without a result
        foreach (Fields message in fields.Objects("messages", MostMessages))
            messages.Add(Message(message, open, messages.Count));
        return Read(fields, served, caller, messages, MessageFields.Tools(fields));
    }

    /// <summary>Reads a request of /api/generate.</summary>
    /// <exception cref="ApiException">A field is wrong.</exception>
    public static OllamaRequest ReadGenerate(Fields fields, ServedModel served, string caller)
    {
        foreach (string name in new[] { "suffix", "template" })
        {
            if (!string.IsNullOrEmpty(fields.Text(name)))
                throw fields.Wrong(name, "is not supported");
        }

        if (fields.Flag("raw") == true)
            throw fields.Wrong("raw", "is not supported: /v1/completions goes on with a text as it is");
        var messages = new List<ChatMessage>();
        if (fields.Text("prompt") is { Length: > 0 } prompt)
        {
            if (fields.Text("system") is { Length: > 0 } system)
                messages.Add(new ChatMessage(ChatRole.System, system));
            messages.Add(new ChatMessage(ChatRole.User, prompt));
        }

        return Read(fields, served, caller, messages, []);
    }

    private static OllamaRequest Read(
        Fields fields, ServedModel served, string caller, IReadOnlyList<ChatMessage> messages, IReadOnlyList<ToolDefinition> tools)
    {
        _ = fields.Text("model");
        Grammar? format = fields["format"] switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } word => word.GetString() switch
            {
                "" => null,
                "json" => served.GrammarOf(ServedModel.AnyObject, "format"),
                _ => throw fields.Wrong("format", "json or a schema is expected"),
            },
            { ValueKind: JsonValueKind.Object } schema => served.GrammarOf(schema.GetRawText(), "format"),
            _ => throw fields.Wrong("format", "json or a schema is expected"),
        };
        var chat = new ChatRequest
        {
            Messages = messages,
            Tools = tools,
            Format = format,
            Thinking = fields["think"] is { ValueKind: JsonValueKind.String } ? true : fields.Flag("think"),
            Generation = Options(fields.Object("options"), served),
            Caller = caller,
        };
        return new OllamaRequest(chat, fields.Flag("stream") ?? true);
    }

    private static GenerationOptions Options(Fields? options, ServedModel served)
    {
        if (options is not { } given)
            return new GenerationOptions();
        int most = (int)(given.Integer("num_predict", -2, int.MaxValue) ?? -1);
        return SamplingFields.Read(given, served.Vocabulary) with { MaxTokens = most > 0 ? most : -1 };
    }

    private static ChatMessage Message(Fields message, List<ToolCall> open, int number)
    {
        string role = message.NeededText("role");
        string text = message.Text("content") ?? "";
        if (message.List("images", MostCalls).Length > 0)
            throw message.Wrong("images", "only text is understood");
        switch (role)
        {
            case "system":
                return new ChatMessage(ChatRole.System, text);
            case "user":
                return new ChatMessage(ChatRole.User, text);
            case "assistant":
                ToolCall[] calls = [.. message.Objects("tool_calls", MostCalls).Select((call, i) =>
                    Call(call, string.Create(CultureInfo.InvariantCulture, $"call_{number}_{i}")))];
                open.AddRange(calls);
                return ChatMessage.Assistant(text, message.Text("thinking") ?? "", calls);
            case "tool":
                string? name = message.Text("tool_name");
                ToolCall answered = open.Find(call => name is null || call.Name == name) ?? throw message.Wrong("role", "no call before it has no result");
                open.Remove(answered);
                return ChatMessage.ToolResult(answered, text);
            default:
                throw message.Wrong("role", "system, user, assistant or tool is expected");
        }
    }

    private static ToolCall Call(Fields call, string id)
    {
        Fields function = call.Object("function") ?? throw call.Wrong("function", "is missing");
        return MessageFields.Checked(call, "function", () =>
            new ToolCall(id, function.NeededText("name"), function["arguments"]?.GetRawText() ?? "{}"));
    }
}

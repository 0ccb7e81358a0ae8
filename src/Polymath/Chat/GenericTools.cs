using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Polymath.Chat;

/// <summary>Tools for templates that know none: told in words, called in the generic form.</summary>
internal static class GenericTools
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The conversation with everything about tools in the texts of system, user and assistant.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="tools">The tools offered.</param>
    /// <param name="form">How the model writes calls.</param>
    /// <param name="traits">The template: without a role for instructions they stand in the user's first message.</param>
    public static List<ChatMessage> Told(
        IReadOnlyList<ChatMessage> messages, IReadOnlyList<ToolDefinition> tools, CallForm form, TemplateTraits traits)
    {
        bool refusesSystem = traits.RefusesSystem;
        var told = new List<ChatMessage>();
        var instructions = new StringBuilder();
        foreach (ChatMessage message in messages)
        {
            bool instructs = message.Role is ChatRole.System or ChatRole.Developer;
            if (instructs && (refusesSystem || told.Count == 0))
                Add(instructions, message.Text);
            else if (traits.ShowsCalls)
                told.Add(message);
            else
                Tell(told, message);
        }

        if (tools.Count > 0)
            Add(instructions, Instruction(tools, form));
        if (instructions.Length == 0)
            return told;
        if (!refusesSystem)
        {
            told.Insert(0, ChatMessage.System(instructions.ToString()));
        }
        else if (told.Count > 0 && told[0].Role == ChatRole.User)
        {
            Add(instructions, told[0].Text);
            told[0] = ChatMessage.User(instructions.ToString());
        }
        else
        {
            told.Insert(0, ChatMessage.User(instructions.ToString()));
        }

        return told;
    }

    /// <summary>Tells a model of its tools and how it calls them.</summary>
    public static string Instruction(IReadOnlyList<ToolDefinition> tools, CallForm form)
    {
        var text = new StringBuilder("You may call these tools. Each line describes one in JSON, its parameters by a JSON schema:\n<tools>\n");
        foreach (ToolDefinition tool in tools)
            text.Append(Line(tool)).Append('\n');
        text.Append("</tools>\nTo call a tool, write its name and arguments in this form, and nothing after it:\n");
        text.Append(Example(form));
        text.Append("\nYou are then given its result. When no tool is needed, answer without one.");
        return text.ToString();
    }

    private static void Add(StringBuilder text, string more)
    {
        if (text.Length > 0 && more.Length > 0)
            text.Append("\n\n");
        text.Append(more);
    }

    private static void Tell(List<ChatMessage> told, ChatMessage message)
    {
        switch (message.Role)
        {
            case ChatRole.Tool:
                // Templates of this kind want user and assistant in turn: results that follow each other are one message.
                string result = $"<tool_response>\n{message.Text}\n</tool_response>";
                if (told.Count > 0 && told[^1].Role == ChatRole.User)
                    told[^1] = ChatMessage.User($"{told[^1].Text}\n{result}");
                else
                    told.Add(ChatMessage.User(result));
                break;
            case ChatRole.Assistant when message.ToolCalls.Count > 0:
                var text = new StringBuilder(message.Text);
                foreach (ToolCall call in message.ToolCalls)
                {
                    if (text.Length > 0)
                        text.Append('\n');
                    text.Append($"<tool_call>\n{{\"name\": \"{call.Name}\", \"arguments\": {call.Arguments}}}\n</tool_call>");
                }

                told.Add(ChatMessage.Assistant(text.ToString(), message.Reasoning));
                break;
            default:
                told.Add(message);
                break;
        }
    }

    private static string Example(CallForm form)
    {
        string name = form.NumbersNames ? "functions.tool_name:0" : "tool_name";
        string call = form.Arguments switch
        {
            JsonEnvelope keys => $"{{\"{keys.NameKey}\": \"{name}\", \"{keys.ArgumentsKey}\": {{\"parameter\": \"value\"}}}}",
            TaggedArguments tags => $"{name}{form.NameEnd}{tags.KeyBegin}parameter{tags.KeyEnd}value{tags.ValueEnd}",
            GemmaArguments => $"{name}{form.NameEnd}{{parameter:<|\"|>value<|\"|>}}",
            _ => $"{name}{form.NameEnd}{{\"parameter\": \"value\"}}",
        };
        return form.BlockBegin + form.CallBegin + call + form.CallEnd + form.BlockEnd;
    }

    private static string Line(ToolDefinition tool)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Plain))
        {
            writer.WriteStartObject();
            writer.WriteString("name", tool.Name);
            writer.WriteString("description", tool.Description);
            writer.WritePropertyName("parameters");
            tool.Parameters.WriteTo(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}

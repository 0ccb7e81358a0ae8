using System.Text.Json;
using Polymath.Chat;
using Polymath.Generation.Constraints;

namespace Polymath.Server.Wire;

/// <summary>A request for a reply, in OpenAI's form.</summary>
/// <param name="Chat">What is asked of the model.</param>
/// <param name="Count">How many replies.</param>
/// <param name="Stream">Whether they come in pieces.</param>
/// <param name="IncludeUsage">Whether a stream ends with the count of tokens.</param>
internal sealed record ChatCompletionRequest(ChatRequest Chat, int Count, bool Stream, bool IncludeUsage)
{
    private const int MostCount = 8, MostLogProbs = 20, MostVariables = 32;

    /// <summary>Reads a request.</summary>
    /// <exception cref="ApiException">A field is wrong.</exception>
    public static ChatCompletionRequest Read(Fields fields, ServedModel served, string caller)
    {
        _ = fields.Text("model");
        IReadOnlyList<ToolDefinition> tools = MessageFields.Tools(fields);
        (bool? thinking, Dictionary<string, string> variables) = Variables(fields);
        var chat = new ChatRequest
        {
            Messages = MessageFields.Messages(fields),
            Tools = tools,
            ToolChoice = MessageFields.Choice(fields, tools),
            ParallelCalls = fields.Flag("parallel_tool_calls") ?? true,
            Thinking = thinking,
            Variables = variables,
            Generation = SamplingFields.Read(fields, served.Vocabulary) with { LogProbs = LogProbs(fields) },
            Caller = caller,
        };
        int count = (int)(fields.Integer("n", 1, MostCount) ?? 1);
        bool stream = fields.Flag("stream") ?? false;
        bool usage = fields.Object("stream_options")?.Flag("include_usage") ?? false;
        return new ChatCompletionRequest(chat with { Format = Format(fields, served) }, count, stream, usage);
    }

    private static int? LogProbs(Fields fields)
    {
        int? most = (int?)fields.Integer("top_logprobs", 0, MostLogProbs);
        if (fields.Flag("logprobs") == true)
            return most ?? 0;
        return most is null ? null : throw fields.Wrong("top_logprobs", "needs logprobs to be true");
    }

    private static (bool? Thinking, Dictionary<string, string> Variables) Variables(Fields fields)
    {
        bool? thinking = null;
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        if (fields.Text("reasoning_effort") is { } effort)
        {
            thinking = effort == "none" ? false : null;
            variables["reasoning_effort"] = JsonSerializer.Serialize(effort, WireJson.Default.String);
        }

        if (fields.Object("chat_template_kwargs") is not { } given)
            return (thinking, variables);
        foreach ((string name, JsonElement value) in given.All())
        {
            if (variables.Count == MostVariables)
                throw fields.Wrong("chat_template_kwargs", $"has more than {MostVariables} values");
            if (name == "enable_thinking")
                thinking = given.Flag(name);
            else
                variables[name] = value.GetRawText();
        }

        return (thinking, variables);
    }

    private static Grammar? Format(Fields fields, ServedModel served)
    {
        const string Name = "response_format";
        if (fields.Object(Name) is not { } format)
            return null;
        switch (format.NeededText("type"))
        {
            case "text":
                return null;
            case "json_object":
                return served.GrammarOf(ServedModel.AnyObject, Name);
            case "json_schema":
                Fields given = format.Object("json_schema") ?? throw format.Wrong("json_schema", "is missing");
                JsonElement schema = given["schema"] ?? throw given.Wrong("schema", "is missing");
                return served.GrammarOf(schema.GetRawText(), given.Place("schema"));
            default:
                throw format.Wrong("type", "text, json_object or json_schema is expected");
        }
    }
}

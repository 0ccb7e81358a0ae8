using System.Text.Json;
using System.Text.Json.Nodes;
using Polymath.Chat;
using Xunit;

namespace Polymath.Tests.Chat;

public sealed class ChatMessagesTests
{
    private static readonly ToolCall Call = new("call_0", "get_weather", """{"city": "Paris", "days": 3, "city": "Rome"}""");

    private static readonly ChatMessage[] Conversation =
    [
        ChatMessage.System("Be brief."),
        ChatMessage.User("Weather?"),
        ChatMessage.Assistant("", "Hm.", [Call]),
        ChatMessage.ToolResult(Call, "rain"),
    ];

    private static string Template(string name) => File.ReadAllText(Shared.Require($"data/templates/{name}.jinja"));

    private static JsonObject Variables(string template, string dialect) => ChatMessages.ToJson(Conversation, Replies.Tools, template, Replies.Of(dialect));

    [Fact]
    public void Messages_and_tools_have_the_shape_that_templates_share()
    {
        JsonObject variables = Variables("{{ tools }}", "Hermes");
        Assert.Equal(3, variables["tools"]!.AsArray().Count);
        Assert.Equal("""{"type":"function","function":{"name":"now","description":"The time","parameters":{"type":"object","properties":{}}}}""", variables["tools"]![2]!.ToJsonString());
        Assert.Equal(
            """
            [{"role":"system","content":"Be brief."},{"role":"user","content":"Weather?"},
            {"role":"assistant","content":"","reasoning_content":"Hm.","tool_calls":[{"type":"function","id":"call_0","function":{"name":"get_weather","arguments":{"city":"Rome","days":3}}}]},
            {"role":"tool","content":"rain","tool_call_id":"call_0","name":"get_weather"}]
            """.ReplaceLineEndings(""),
            variables["messages"]!.ToJsonString());
        Assert.False(ChatMessages.ToJson(Conversation, [], "{{ tools }}", Dialect.Generic).ContainsKey("tools"));
    }

    [Theory]
    [InlineData("deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "DeepSeek R1", true, true)]
    [InlineData("Apertus-8B-Instruct", "Apertus", false, false)]
    [InlineData("llama-cpp-deepseek-r1", "DeepSeek R1", false, false)]
    [InlineData("deepseek-ai-DeepSeek-V3.1", "DeepSeek 3.1", false, false)]
    [InlineData("deepseek-ai-DeepSeek-V3.2", "DeepSeek DSML", false, false)]
    [InlineData("Qwen-Qwen2.5-7B-Instruct", "Hermes", false, false)]
    [InlineData("Qwen-Qwen3-0.6B", "Hermes", false, false)]
    [InlineData("Qwen3-Coder", "Qwen Coder", false, false)]
    [InlineData("meta-llama-Llama-3.1-8B-Instruct", "Llama 3", false, false)]
    [InlineData("mistralai-Mistral-Nemo-Instruct-2407", "Mistral", false, false)]
    [InlineData("mistralai-Ministral-3-14B-Reasoning-2512", "Mistral, named", false, false)]
    [InlineData("GLM-4.7-Flash", "GLM", false, false)]
    [InlineData("GLM-5.2", "GLM", false, false)]
    [InlineData("google-gemma-4-31B-it", "Gemma 4", false, false)]
    [InlineData("Kimi-K2-Thinking", "Kimi K2", false, false)]
    [InlineData("unsloth-Apriel-1.5", "Apriel", false, false)]
    [InlineData("unsloth-mistral-Devstral-Small-2507", "Mistral, named", false, false)]
    [InlineData("CohereForAI-c4ai-command-r-plus-tool_use", "Cohere, action", false, false)]
    public void Arguments_and_empty_contents_are_as_the_template_takes_them(string name, string dialect, bool argumentsAsText, bool nullContent)
    {
        JsonNode message = Variables(Template(name), dialect)["messages"]![2]!;
        JsonNode arguments = message["tool_calls"]![0]!["function"]!["arguments"]!;
        Assert.Equal(argumentsAsText ? JsonValueKind.String : JsonValueKind.Object, arguments.GetValueKind());
        Assert.Equal(nullContent, message["content"] is null);
    }

    [Fact]
    public void Mistral_sees_ids_of_nine_characters_that_match()
    {
        JsonNode messages = Variables("[TOOL_CALLS] tools", "Mistral")["messages"]!;
        string id = messages[2]!["tool_calls"]![0]!["id"]!.GetValue<string>();
        Assert.Matches("^[0-9a-zA-Z]{9}$", id);
        Assert.Equal(id, messages[3]!["tool_call_id"]!.GetValue<string>());
        Assert.Equal("000000001", Replies.Of("Mistral").ShownId("000000001"));
    }

    [Fact]
    public void Reasoning_stands_where_the_template_reads_it()
    {
        Assert.Equal("""[{"type":"thinking","thinking":"Hm."}]""", Variables(Template("mistralai-Ministral-3-14B-Reasoning-2512"), "Mistral, named")["messages"]![2]!["content"]!.ToJsonString());
        Assert.Equal("Hm.", Variables("{{ message.thinking }} tools", "harmony")["messages"]![2]!["thinking"]!.GetValue<string>());
    }

    [Fact]
    public void A_template_without_tools_is_told_of_them_in_words_and_the_form_is_what_the_parser_reads()
    {
        string template = Template("google-gemma-2-2b-it");
        JsonObject variables = ChatMessages.ToJson(Conversation, Replies.Tools, template, Dialect.Generic);
        Assert.False(variables.ContainsKey("tools"));
        JsonArray messages = variables["messages"]!.AsArray();
        Assert.Equal(["user", "assistant", "user"], messages.Select(m => m!["role"]!.GetValue<string>()));
        string first = messages[0]!["content"]!.GetValue<string>();
        Assert.Contains("Be brief.", first, StringComparison.Ordinal);
        Assert.Contains("\"name\":\"get_weather\"", first, StringComparison.Ordinal);
        Assert.EndsWith("Weather?", first, StringComparison.Ordinal);
        Assert.Contains("rain", messages[2]!["content"]!.GetValue<string>(), StringComparison.Ordinal);
        ToolCall back = Assert.Single(Replies.Message(Dialect.Generic, messages[1]!["content"]!.GetValue<string>()).ToolCalls);
        Assert.Equal(Call.Arguments, back.Arguments);
    }

    [Fact]
    public void A_template_that_shows_calls_but_no_tools_is_told_of_the_tools_in_its_own_form()
    {
        JsonNode messages = Variables(Template("deepseek-ai-DeepSeek-V3.1"), "DeepSeek 3.1")["messages"]!;
        string system = messages[0]!["content"]!.GetValue<string>();
        Assert.StartsWith("Be brief.", system, StringComparison.Ordinal);
        Assert.Contains("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>tool_name<｜tool▁sep｜>{", system, StringComparison.Ordinal);
        Assert.Equal("tool", messages[3]!["role"]!.GetValue<string>());
    }

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new ChatMessage(ChatRole.Tool, "x"));
        Assert.Throws<ArgumentException>(() => ChatMessage.Assistant("", "", [Call, Call]));
        Assert.Throws<ArgumentException>(() => new ToolCall("1", "now", "[]"));
        Assert.Throws<ArgumentException>(() => new ToolCall("1", "now", "{"));
        Assert.Throws<ArgumentException>(() => new ToolCall("", "now", "{}"));
        Assert.Throws<ArgumentException>(() => new ToolDefinition("a b", "", "{}"));
        Assert.Throws<ArgumentException>(() => new ToolDefinition("a", "", "[]"));
        Assert.Throws<ArgumentException>(() => new ToolDefinition("a", "", "nonsense"));
        Assert.Throws<ArgumentException>(() => Dialect.Generic.NewParser(new ReplyOptions { Tools = [Replies.Tools[0], Replies.Tools[0]] }, _ => { }));
    }
}

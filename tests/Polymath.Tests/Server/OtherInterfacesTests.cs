using System.Text.Json;
using Polymath.Server;
using Xunit;

namespace Polymath.Tests.Server;

/// <summary>Ollama's and Anthropic's interfaces say the same as OpenAI's, in their words.</summary>
public sealed class OtherInterfacesTests
{
    private const string Schema = """{"type": "object", "properties": {"unit": {"enum": ["C", "F"]}}, "required": ["unit"], "additionalProperties": false}""";

    [Fact]
    public async Task Ollama_s_replies_come_whole_and_in_lines()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(new ServerOptions { ModelName = "tiny" });
        string expected = await ExpectedAsync(server);
        const string Rest = "\"options\": {\"num_predict\": 25, \"seed\": 3}}";
        JsonElement whole = await server.AskAsync("/api/chat", """{"messages": [{"role": "user", "content": "Hi"}], "stream": false, """ + Rest);
        Assert.Equal(expected, whole.GetProperty("message").GetProperty("content").GetString());
        Assert.True(whole.GetProperty("done").GetBoolean());
        JsonElement generated = await server.AskAsync("/api/generate", """{"model": "tiny", "prompt": "Hi", "stream": false, """ + Rest);
        Assert.Equal(expected, generated.GetProperty("response").GetString());
        Assert.Equal(whole.GetProperty("eval_count").GetInt32(), generated.GetProperty("eval_count").GetInt32());

        using HttpResponseMessage response = await server.PostAsync("/api/chat", """{"messages": [{"role": "user", "content": "Hi"}], """ + Rest);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        JsonElement[] lines = [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
        Assert.Equal(expected, string.Concat(lines.Select(line => line.GetProperty("message").GetProperty("content").GetString())));
        Assert.True(lines[^1].GetProperty("done").GetBoolean());
        Assert.Single(lines, line => line.GetProperty("done").GetBoolean());

        Assert.Equal("tiny", (await GetAsync(server, "/api/tags")).GetProperty("models")[0].GetProperty("name").GetString());
        Assert.NotEmpty((await GetAsync(server, "/api/version")).GetProperty("version").GetString()!);
        Assert.Equal("llama", (await server.AskAsync("/api/show", """{"model": "tiny"}""")).GetProperty("details").GetProperty("family").GetString());
        Assert.Equal("load", (await server.AskAsync("/api/generate", """{"model": "tiny"}""")).GetProperty("done_reason").GetString());
        using HttpResponseMessage wrong = await server.PostAsync("/api/chat", """{"messages": 5}""");
        Assert.Equal(400, (int)wrong.StatusCode);
        string error = await wrong.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("messages", JsonElement.Parse(error).GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Anthropic_s_replies_come_whole_and_as_events()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(new ServerOptions { ModelName = "tiny" });
        string expected = await ExpectedAsync(server);
        const string Request = """{"model": "tiny", "max_tokens": 25, "seed": 3, "messages": [{"role": "user", "content": "Hi"}]""";
        JsonElement whole = await server.AskAsync("/v1/messages", Request + "}");
        Assert.Equal(expected, whole.GetProperty("content")[0].GetProperty("text").GetString());
        JsonElement[] events = [.. (await server.EventsAsync("/v1/messages", Request + """, "stream": true}""")).Select(e => JsonElement.Parse(e))];
        string[] types = [.. events.Select(e => e.GetProperty("type").GetString()!)];
        Assert.Equal(["message_start", "content_block_start"], types[..2]);
        Assert.Equal(["content_block_stop", "message_delta", "message_stop"], types[^3..]);
        Assert.Equal(expected, string.Concat(events[2..^3].Select(e => e.GetProperty("delta").GetProperty("text").GetString())));
        Assert.Equal(whole.GetProperty("stop_reason").GetString(), events[^2].GetProperty("delta").GetProperty("stop_reason").GetString());

        JsonElement count = await server.AskAsync("/v1/messages/count_tokens", Request + "}");
        JsonElement usage = whole.GetProperty("usage");
        Assert.Equal(count.GetProperty("input_tokens").GetInt32(), usage.GetProperty("input_tokens").GetInt32() + usage.GetProperty("cache_read_input_tokens").GetInt32());
        using HttpResponseMessage wrong = await server.PostAsync("/v1/messages", """{"messages": [{"role": "user", "content": "Hi"}]}""");
        Assert.Equal(400, (int)wrong.StatusCode);
        JsonElement error = JsonElement.Parse(await wrong.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("error", error.GetProperty("type").GetString());
        Assert.Contains("max_tokens", error.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Anthropic_s_tools_are_used_and_answered()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        string tools = """{"max_tokens": 400, "tools": [{"name": "weather", "input_schema": """ + Schema
            + """}], "tool_choice": {"type": "any", "disable_parallel_tool_use": true}, "messages": [{"role": "user", "content": "Hi"}]""";
        JsonElement whole = await server.AskAsync("/v1/messages", tools + "}");
        Assert.Equal("tool_use", whole.GetProperty("stop_reason").GetString());
        JsonElement use = Assert.Single(whole.GetProperty("content").EnumerateArray());
        Assert.True(use.GetProperty("input").TryGetProperty("unit", out _));
        List<string> events = await server.EventsAsync("/v1/messages", tools + """, "stream": true}""");
        Assert.Contains(events, e => e.Contains("\"input_json_delta\"", StringComparison.Ordinal));
        string answered = """{"max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [""" + use.GetRawText()
            + """]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": """ + use.GetProperty("id").GetRawText() + """, "content": "Rain."}]}]}""";
        Assert.Equal("message", (await server.AskAsync("/v1/messages", answered)).GetProperty("type").GetString());
    }

    private static async Task<string> ExpectedAsync(ServerUnderTest server) =>
        (await server.AskAsync("/v1/chat/completions", """{"messages": [{"role": "user", "content": "Hi"}], "seed": 3, "max_tokens": 25}"""))
            .GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;

    private static async Task<JsonElement> GetAsync(ServerUnderTest server, string path) =>
        JsonElement.Parse(await server.Client.GetStringAsync(path, TestContext.Current.CancellationToken));
}

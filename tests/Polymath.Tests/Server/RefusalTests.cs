using System.Net.Http.Headers;
using System.Text.Json;
using Polymath.Generation.Batching;
using Polymath.Server;
using Xunit;

namespace Polymath.Tests.Server;

/// <summary>What is refused, with which status and what words.</summary>
public sealed class RefusalTests
{
    private const string Chat = "/v1/chat/completions";

    [Theory]
    [InlineData("temperature", "2.5")]
    [InlineData("temperature", "1e999")]
    [InlineData("temperature", "\"hot\"")]
    [InlineData("top_p", "-0.1")]
    [InlineData("n", "9")]
    [InlineData("n", "0")]
    [InlineData("max_tokens", "0")]
    [InlineData("max_tokens", "1.5")]
    [InlineData("max_completion_tokens", "99999999999")]
    [InlineData("stop", """["a", "b", "c", "d", "e"]""")]
    [InlineData("stop", """[""]""")]
    [InlineData("stop[1]", """["a", 2]""")]
    [InlineData("seed", "\"one\"")]
    [InlineData("presence_penalty", "3")]
    [InlineData("frequency_penalty", "-3")]
    [InlineData("logit_bias", "[1]")]
    [InlineData("logit_bias", """{"257": 1}""")]
    [InlineData("logit_bias.1", """{"1": 101}""")]
    [InlineData("top_logprobs", "21")]
    [InlineData("top_logprobs", "3")]
    [InlineData("logprobs", "3")]
    [InlineData("stream", "\"yes\"")]
    [InlineData("stream_options.include_usage", """{"include_usage": 1}""")]
    [InlineData("messages", "[]")]
    [InlineData("messages[0]", "[1]")]
    [InlineData("messages[0].role", """[{"role": "king", "content": "x"}]""")]
    [InlineData("messages[0].content", """[{"role": "user", "content": 5}]""")]
    [InlineData("messages[0].content[0].type", """[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]""")]
    [InlineData("messages[0].tool_call_id", """[{"role": "tool", "tool_call_id": "c", "content": "x"}]""")]
    [InlineData("messages[0].tool_calls[0].function", """[{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "no JSON"}}]}]""")]
    [InlineData("tools[0].type", """[{"type": "web"}]""")]
    [InlineData("tools[0].function.name", """[{"type": "function", "function": {"name": "a b"}}]""")]
    [InlineData("tools", """[{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "a"}}]""")]
    [InlineData("tool_choice", "\"required\"")]
    [InlineData("tool_choice", """{"type": "function", "function": {"name": "f"}}""")]
    [InlineData("parallel_tool_calls", "1")]
    [InlineData("response_format.type", """{"type": "xml"}""")]
    [InlineData("response_format.json_schema", """{"type": "json_schema"}""")]
    [InlineData("response_format.json_schema.schema", """{"type": "json_schema", "json_schema": {"schema": {"type": "no type"}}}""")]
    public async Task A_wrong_field_is_refused_by_its_name_before_anything_is_queued(string field, string value)
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        string name = field.Split('.', '[')[0];
        string messages = name == "messages" ? "" : """, "messages": [{"role": "user", "content": "x"}]""";
        JsonElement error = await ErrorAsync(server, Chat, $$"""{"{{name}}": {{value}}{{messages}}}""", 400);
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Equal(field, error.GetProperty("param").GetString());
        Assert.Equal(0, server.Chat.Engine.Statistics.Steps);
    }

    [Fact]
    public async Task Bodies_that_are_no_requests_are_refused()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        foreach (string body in new[] { "", "nonsense", "[]", "{\"messages\": [", """{"n": 1, "n": 2}""", """{"messages": "\ud800"}""", Nested(65) })
            await ErrorAsync(server, Chat, body, 400);
        using var broken = new ByteArrayContent([.. "{\"prompt\": \""u8, 0xFF, 0xFE, .. "\"}"u8]);
        using HttpResponseMessage utf8 = await server.Client.PostAsync("/v1/completions", broken, TestContext.Current.CancellationToken);
        Assert.Equal(400, (int)utf8.StatusCode);
        await server.AskAsync("/tokenize", $$"""{"content": "x", "unknown": {{Nested(62)}}}""");

        using var large = new HttpRequestMessage(HttpMethod.Post, Chat) { Content = new ByteArrayContent(new byte[(8 << 20) + 1]) };
        large.Headers.ExpectContinue = true;
        using HttpResponseMessage refused = await server.Client.SendAsync(large, TestContext.Current.CancellationToken);
        Assert.Equal(413, (int)refused.StatusCode);
        await ErrorAsync(server, "/v1/nothing", "{}", 404);
        using HttpResponseMessage method = await server.Client.GetAsync(Chat, TestContext.Current.CancellationToken);
        Assert.Equal(405, (int)method.StatusCode);

        static string Nested(int depth) => new string('[', depth) + new string(']', depth);
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_refused_with_both_numbers()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        JsonElement error = await ErrorAsync(server, "/v1/completions", $$"""{"prompt": "{{new string('a', 3000)}}"}""", 400);
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Contains("3001", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("2048", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_requests_than_may_wait_are_told_to_come_again()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(engine: new EngineOptions { ContextLength = 20_000, MaxTexts = 1, MaxWaiting = 0 });
        using var request = new HttpRequestMessage(HttpMethod.Post, Chat) { Content = new StringContent($"{ServerUnderTest.Endless}, \"stream\": true}}") };
        using (HttpResponseMessage _ = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
        {
            using HttpResponseMessage second = await server.PostAsync(Chat, ServerUnderTest.Endless + "}");
            Assert.Equal(429, (int)second.StatusCode);
            Assert.NotNull(second.Headers.RetryAfter);
        }

        await server.IdleAsync();
    }

    [Fact]
    public async Task Damaged_weights_are_an_error_that_tells_no_path()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(change: (_, tensors) =>
            tensors.Single(t => t.Name == "token_embd.weight").Elements().Row('q')[0] = float.NaN);
        foreach (string stream in new[] { "false", "true" })
        {
            using HttpResponseMessage response = await server.PostAsync(Chat, $$"""{"messages": [{"role": "user", "content": "q"}], "stream": {{stream}}}""");
            string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Equal(500, (int)response.StatusCode);
            Assert.Equal("model_damaged", JsonElement.Parse(text).GetProperty("error").GetProperty("code").GetString());
            Assert.DoesNotContain(Path.GetTempPath(), text, StringComparison.Ordinal);
            Assert.DoesNotContain(".gguf", text, StringComparison.Ordinal);
        }

        await server.IdleAsync();
    }

    [Fact]
    public async Task Every_endpoint_but_one_needs_a_key()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(new ServerOptions { ApiKeys = ["one", "two"] });
        (string Method, string Path)[] endpoints = [.. server.Server.Endpoints, ("GET", "/nothing"), ("POST", "/")];
        Assert.True(endpoints.Length > 8);
        foreach ((string method, string path) in endpoints)
        {
            Assert.Equal(path == "/health/live" ? 200 : 401, await StatusAsync(null));
            Assert.Equal(path == "/health/live" ? 200 : 401, await StatusAsync("three"));
            Assert.NotEqual(401, await StatusAsync("one"));
            Assert.NotEqual(401, await StatusAsync("two"));

            async Task<int> StatusAsync(string? key)
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path.Replace("{**id}", "x", StringComparison.Ordinal));
                request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
                using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
                return (int)response.StatusCode;
            }
        }
    }

    [Theory]
    [InlineData(null, null, 200)]
    [InlineData("localhost:80", null, 200)]
    [InlineData("[::1]", null, 200)]
    [InlineData("evil.example", null, 403)]
    [InlineData("127.0.0.1.evil.example", null, 403)]
    [InlineData("localhost:80", "http://localhost:80", 200)]
    [InlineData("localhost:80", "http://evil.example", 403)]
    [InlineData("localhost:80", "null", 403)]
    public async Task Pages_of_others_cannot_use_a_person_s_browser(string? host, string? origin, int status)
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Host = host;
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task Without_a_key_only_this_machine_is_served()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => PolymathServer.StartAsync(
            server.Chat, new ServerOptions { Host = System.Net.IPAddress.Any, Port = 0 }, TestContext.Current.CancellationToken));
    }

    private static async Task<JsonElement> ErrorAsync(ServerUnderTest server, string path, string body, int status)
    {
        using HttpResponseMessage response = await server.PostAsync(path, body);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {text} for {body[..Math.Min(100, body.Length)]}");
        return JsonElement.Parse(text).GetProperty("error");
    }
}

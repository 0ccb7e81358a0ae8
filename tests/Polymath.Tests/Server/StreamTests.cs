using System.Text;
using System.Text.Json;
using Polymath.Generation.Batching;
using Xunit;

namespace Polymath.Tests.Server;

/// <summary>Answers in pieces: the same as whole ones, with one end, and nothing is held for who has gone.</summary>
public sealed class StreamTests
{
    [Theory]
    [InlineData("""{"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 40, "seed": 5, "n": 3, "logprobs": true""", "/v1/chat/completions")]
    [InlineData("""{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "max_tokens": 60, "temperature": 0, "stop": ["e", "\u00e9"]""", "/v1/chat/completions")]
    [InlineData("""{"prompt": ["Once", "Twice"], "max_tokens": 30, "seed": 5, "n": 2, "echo": true, "logprobs": 2""", "/v1/completions")]
    [InlineData("""{"prompt": [[79, 78], [80]], "max_completion_tokens": 30, "seed": -5""", "/v1/completions")]
    public async Task A_stream_joined_is_the_whole_answer(string request, string path)
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        JsonElement whole = await server.AskAsync(path, request + "}");
        List<string> events = await server.EventsAsync(path, request + """, "stream": true, "stream_options": {"include_usage": true}}""");
        Assert.Equal("[DONE]", events[^1]);
        Assert.Single(events, "[DONE]");
        JsonElement[] chunks = [.. events[..^1].Select(e => JsonElement.Parse(e))];
        foreach (JsonElement choice in whole.GetProperty("choices").EnumerateArray())
        {
            JsonElement[] pieces = [.. chunks.SelectMany(c => c.GetProperty("choices").EnumerateArray())
                .Where(c => c.GetProperty("index").GetInt32() == choice.GetProperty("index").GetInt32())];
            Assert.Equal(TextOf(choice), string.Concat(pieces.Select(TextOf)));
            Assert.Equal([choice.GetProperty("finish_reason").GetString()],
                pieces.Select(p => p.GetProperty("finish_reason").GetString()).Where(reason => reason is not null));
            if (choice.TryGetProperty("logprobs", out JsonElement probabilities))
                Assert.Equal(probabilities.GetRawText(), pieces[^1].GetProperty("logprobs").GetRawText());
        }

        Assert.Equal(Written(whole), Written(chunks[^1]));
        Assert.True(request.Contains("\"n\": ", StringComparison.Ordinal)
            == whole.GetProperty("choices").EnumerateArray().Select(TextOf).Distinct().Count() > 2);
    }

    [Fact]
    public async Task Sixteen_clients_get_what_each_would_get_alone_and_those_who_leave_hold_nothing()
    {
        const int Clients = 16;
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(engine: new EngineOptions { ContextLength = 512, MaxTexts = 5, CacheTokens = 2048 });
        string[] requests = [.. Enumerable.Range(0, Clients).Select(i =>
            $$"""{"messages": [{"role": "user", "content": "{{new string('a', i * 5)}}"}], "seed": {{i}}, "max_tokens": {{60 + (i * 5)}}""")];
        string[] expected = new string[Clients];
        for (int i = 0; i < Clients; i += 2)
            expected[i] = TextOf((await server.AskAsync("/v1/chat/completions", requests[i] + "}")).GetProperty("choices")[0]);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async i =>
        {
            if (i % 2 == 0)
            {
                List<string> events = await server.EventsAsync("/v1/chat/completions", requests[i] + """, "stream": true}""");
                Assert.Equal("[DONE]", events[^1]);
                Assert.Equal(expected[i], string.Concat(events[..^1].Select(e => TextOf(JsonElement.Parse(e).GetProperty("choices")[0]))));
                return;
            }

            using Stream stream = await OpenAsync(server, requests[i] + """, "stream": true}""");
            var some = new byte[100 * i];
            await stream.ReadAtLeastAsync(some, some.Length, throwOnEndOfStream: false, TestContext.Current.CancellationToken);
        }));
        await server.IdleAsync();
        JsonElement again = await server.AskAsync("/v1/chat/completions", requests[0] + "}");
        Assert.Equal(expected[0], TextOf(again.GetProperty("choices")[0]));
    }

    [Fact]
    public async Task Who_goes_away_frees_what_the_request_holds()
    {
        const int Long = 16_000;
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(engine: new EngineOptions { ContextLength = Long + 1000, MaxTexts = 2 });
        using (Stream stream = await OpenAsync(server, $$"""{{ServerUnderTest.Endless}}, "n": 2, "max_tokens": {{Long}}, "stream": true}"""))
            await stream.ReadAtLeastAsync(new byte[500], 500, cancellationToken: TestContext.Current.CancellationToken);
        await server.IdleAsync();
        Assert.InRange(server.Chat.Engine.Statistics.GeneratedTokens, 1, (2 * Long) - 1);
    }

    [Fact]
    public async Task What_is_written_when_the_server_stops_is_sent_to_its_end()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        using Stream stream = await OpenAsync(server, $$"""{{ServerUnderTest.Endless}}, "max_tokens": 500, "stream": true}""");
        await stream.ReadExactlyAsync(new byte[10], TestContext.Current.CancellationToken);
        Task stopped = server.Server.StopAsync();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        string text = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        await stopped;
        Assert.Equal(500, server.Chat.Engine.Statistics.GeneratedTokens);
        await Assert.ThrowsAsync<HttpRequestException>(() => server.PostAsync("/tokenize", """{"content": "x"}"""));
    }

    private static async Task<Stream> OpenAsync(ServerUnderTest server, string json)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(json) };
        HttpResponseMessage response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)response.StatusCode);
        return await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
    }

    private static string TextOf(JsonElement choice) =>
        choice.TryGetProperty("text", out JsonElement text) ? text.GetString()!
        : (choice.TryGetProperty("delta", out JsonElement message) ? message : choice.GetProperty("message"))
            .TryGetProperty("content", out JsonElement content) ? content.GetString()! : "";

    private static int Written(JsonElement answer) => answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32();
}

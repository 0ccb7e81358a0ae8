using System.Text;
using System.Text.Json;
using Xunit;

namespace Polymath.Tests.Server;

/// <summary>Requests spoiled at random: answered or refused, never a failure of the server.</summary>
public sealed class ServerFuzzTests
{
    private static readonly string[] Hostile =
        ["null", "-1", "0", "1e999", "99999999999999999999", "\"\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "[]", "{}", "[[[]]]", "true", "{\"a\": [{}]}", "\"text\"", "\"object\""];

    private static readonly (string Path, string Body)[] Valid =
    [
        ("/v1/chat/completions", """
            {"model": "m", "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "b"}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "d"}], "tools": [{"type": "function", "function": {"name": "f", "parameters":
            {"type": "object", "properties": {"x": {"type": "integer"}}}}}], "tool_choice": "auto", "max_tokens": 3, "n": 2, "seed": 1, "stop": ["z"],
            "temperature": 1, "top_p": 0.5, "logit_bias": {"5": 1}, "logprobs": true, "top_logprobs": 2, "stream": true, "stream_options": {"include_usage": true}}
            """),
        ("/v1/chat/completions", """
            {"messages": [{"role": "user", "content": "b"}], "max_tokens": 3, "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema":
            {"type": "object", "properties": {"x": {"type": "string", "pattern": "^a+$", "maxLength": 3}}, "required": ["x"]}}}, "chat_template_kwargs": {"enable_thinking": true, "y": [1]}}
            """),
        ("/v1/completions", """{"prompt": ["a", [1, 2]], "max_tokens": 3, "n": 2, "echo": true, "logprobs": 2, "stream": false, "stop": "x", "top_k": 5, "min_p": 0.1}"""),
        ("/tokenize", """{"content": "text", "add_special": true, "parse_special": false}"""),
        ("/detokenize", """{"tokens": [1, 2, 256]}"""),
    ];

    [Fact]
    public async Task Spoiled_requests_never_make_the_server_fail()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(engine: new() { ContextLength = 2048 });
        var random = new Random(5);
        var seen = new HashSet<int>();
        foreach ((string path, string body) in Valid)
            Assert.Equal(200, (int)(await server.PostAsync(path, body)).StatusCode);
        for (int i = 0; i < 400; i++)
        {
            (string path, string body) = Valid[i % Valid.Length];
            byte[] spoiled = random.Next(3) == 0 ? Bytes(body, random) : Values(body, random);
            using var content = new ByteArrayContent(spoiled);
            using HttpResponseMessage response = await server.Client.PostAsync(path, content, TestContext.Current.CancellationToken);
            string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True((int)response.StatusCode < 500, $"{(int)response.StatusCode} {text} for {path} {Encoding.UTF8.GetString(spoiled)}");
            Assert.DoesNotContain("server_error", text, StringComparison.Ordinal);
            seen.Add((int)response.StatusCode);
        }

        Assert.Superset(new HashSet<int> { 200, 400 }, seen);
        await server.IdleAsync();
        await server.AskAsync(Valid[2].Path, Valid[2].Body);
    }

    private static byte[] Bytes(string body, Random random)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        for (int i = random.Next(4); i >= 0; i--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    /// <summary>Puts a hostile value in the place of one of the values, wherever it stands.</summary>
    private static byte[] Values(string body, Random random)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(body));
        var places = new List<(int Start, int End)>();
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null)
                places.Add(((int)reader.TokenStartIndex, (int)reader.BytesConsumed));
            else if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject && reader.CurrentDepth > 0)
            {
                Utf8JsonReader whole = reader;
                whole.Skip();
                places.Add(((int)reader.TokenStartIndex, (int)whole.BytesConsumed));
            }
        }

        (int start, int end) = places[random.Next(places.Count)];
        return Encoding.UTF8.GetBytes(body[..start] + Hostile[random.Next(Hostile.Length)] + body[end..]);
    }
}

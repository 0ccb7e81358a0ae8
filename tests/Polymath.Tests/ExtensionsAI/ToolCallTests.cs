using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using Xunit;

namespace Polymath.Tests.ExtensionsAI;

/// <summary>Calls of tools and answers by a schema: the grammar makes even random weights write valid ones.</summary>
public sealed class ToolCallTests : IDisposable
{
    private readonly TinyChat _chat = new();

    /// <summary>How somebody feels.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<Mood>))]
    public enum Mood
    {
        Calm,
        Glad,
    }

    public void Dispose() => _chat.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_required_call_is_made_with_arguments_of_the_schema(int seed)
    {
        ChatOptions options = Required(seed, new Adding(), new Adding("plus"));
        options.AllowMultipleToolCalls = false;
        ChatResponse reply = await _chat.Client.GetResponseAsync("Add", options);
        var call = Assert.IsType<FunctionCallContent>(Assert.Single(reply.Messages[0].Contents));
        Assert.Contains(call.Name, new[] { "add", "plus" });
        Assert.NotEmpty(call.CallId);
        Assert.Equal(["a", "b"], call.Arguments!.Keys.Order());
        Assert.InRange(Number(call, "a"), 0, 9);
        Assert.InRange(Number(call, "b"), 1, 2);
        Assert.Equal(ChatFinishReason.ToolCalls, reply.FinishReason);
        options.ToolMode = ChatToolMode.RequireSpecific("plus");
        Assert.Equal("plus", Assert.Single(Calls(await _chat.Client.GetResponseAsync("Add", options))).Name);
    }

    [Fact]
    public async Task Several_calls_of_one_reply_have_their_own_ids_and_come_one_by_one()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            List<ChatResponseUpdate> pieces = await TinyChat.ReadAsync(
                _chat.Client.GetStreamingResponseAsync("Add", Required(seed, new Adding(), new Adding("plus"))));
            FunctionCallContent[] calls = [.. pieces.SelectMany(piece => piece.Contents).OfType<FunctionCallContent>()];
            Assert.NotEmpty(calls);
            Assert.Equal(calls.Length, calls.Select(call => call.CallId).Distinct().Count());
            Assert.All(pieces, piece => Assert.InRange(piece.Contents.Count, 0, 1));
            if (calls.Length > 1)
                return;
        }

        Assert.Fail("no seed made several calls");
    }

    [Fact]
    public async Task Text_is_streamed_though_there_are_tools()
    {
        var options = new ChatOptions { Tools = [new Adding()] };
        List<ChatResponseUpdate> pieces = await TinyChat.ReadAsync(_chat.Client.GetStreamingResponseAsync("Add", options));
        Assert.True(pieces.Count(piece => piece.Text.Length > 0) > 5, "the text came at once");
        options.ToolMode = ChatToolMode.None;
        Assert.Empty(Calls(await _chat.Client.GetResponseAsync("Add", options)));
    }

    [Fact]
    public async Task A_call_that_was_cut_off_is_text()
    {
        ChatOptions options = Required(0, new Adding());
        options.MaxOutputTokens = 40;
        ChatResponse reply = await _chat.Client.GetResponseAsync("Add", options);
        Assert.Equal(ChatFinishReason.Length, reply.FinishReason);
        Assert.Empty(Calls(reply));
        List<ChatResponseUpdate> pieces = await TinyChat.ReadAsync(_chat.Client.GetStreamingResponseAsync("Add", options));
        Assert.Equal(((Polymath.Chat.ChatResult)pieces[^1].RawRepresentation!).Message.Text, string.Concat(pieces.Select(piece => piece.Text)));
        Assert.Equal(reply.Text, string.Concat(pieces.Select(piece => piece.Text)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_loop_of_function_invocation_goes_round(bool streams)
    {
        var tool = new Adding();
        using IChatClient client = _chat.Client.AsBuilder().UseFunctionInvocation().Build();
        ChatOptions options = Required(3, tool);
        options.AllowMultipleToolCalls = false;
        ChatResponse reply = streams
            ? (await TinyChat.ReadAsync(client.GetStreamingResponseAsync("Add", options))).ToChatResponse()
            : await client.GetResponseAsync("Add", options);
        Assert.Equal([ChatRole.Assistant, ChatRole.Tool], reply.Messages.Take(2).Select(message => message.Role));
        var call = Assert.IsType<FunctionCallContent>(Assert.Single(reply.Messages[0].Contents.OfType<ToolCallContent>()));
        var result = Assert.IsType<FunctionResultContent>(Assert.Single(reply.Messages[1].Contents));
        Assert.Equal(call.CallId, result.CallId);
        Assert.Equal(Number(call, "a") + Number(call, "b"), result.Result);
        Assert.Equal(1, tool.Calls);
        Assert.Equal(ChatRole.Assistant, reply.Messages[^1].Role);
        Assert.NotEmpty(reply.Text);
    }

    [Fact]
    public async Task An_answer_of_a_type_is_one()
    {
        for (int seed = 0; seed < 3; seed++)
        {
            ChatResponse<Verdict> reply = await _chat.Client.GetResponseAsync<Verdict>("How?", new ChatOptions { Seed = seed, MaxOutputTokens = 200 });
            Assert.True(reply.TryGetResult(out Verdict? verdict), reply.Text);
            Assert.True(Enum.IsDefined(verdict.Mood));
            Assert.Equal(ChatFinishReason.Stop, reply.FinishReason);
        }
    }

    private static ChatOptions Required(int seed, params AITool[] tools) =>
        new() { Seed = seed, MaxOutputTokens = 800, ToolMode = ChatToolMode.RequireAny, Tools = tools };

    private static IEnumerable<FunctionCallContent> Calls(ChatResponse reply) =>
        reply.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>();

    private static int Number(FunctionCallContent call, string key) => ((System.Text.Json.JsonElement)call.Arguments![key]!).GetInt32();

    /// <summary>What somebody thinks.</summary>
    public sealed record Verdict(bool IsGood, Mood Mood);
}

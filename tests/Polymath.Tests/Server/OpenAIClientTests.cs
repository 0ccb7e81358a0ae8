using System.ClientModel;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;
using Polymath.Server;
using Xunit;

namespace Polymath.Tests.Server;

/// <summary>What OpenAI's own client sends and understands.</summary>
public sealed class OpenAIClientTests
{
    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool("weather", "Tells the weather.", BinaryData.FromString(
        """{"type": "object", "properties": {"unit": {"enum": ["C", "F"]}}, "required": ["unit"], "additionalProperties": false}"""));

    [Fact]
    public async Task A_reply_comes_whole_and_in_pieces()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(new ServerOptions { ApiKeys = ["secret"], ModelName = "tiny" });
        ChatClient client = Client(server, "secret").GetChatClient("tiny");
        ChatMessage[] messages = [new SystemChatMessage("Be brief."), new UserChatMessage("Hello")];
#pragma warning disable OPENAI001   // seeds are marked as experimental
        var options = new ChatCompletionOptions
        {
            MaxOutputTokenCount = 30,
            Seed = 7,
            Temperature = 1,
            TopP = 0.9f,
            IncludeLogProbabilities = true,
            TopLogProbabilityCount = 3,
            FrequencyPenalty = 0.1f,
            PresencePenalty = 0.1f,
        };
#pragma warning restore OPENAI001
        ChatCompletion whole = await client.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        Assert.Equal("tiny", whole.Model);
        Assert.Equal(ChatMessageRole.Assistant, whole.Role);
        Assert.Equal(whole.Usage.OutputTokenCount, whole.ContentTokenLogProbabilities.Count);
        Assert.All(whole.ContentTokenLogProbabilities, token => Assert.Equal(3, token.TopLogProbabilities.Count));
        var text = new StringBuilder();
        ChatFinishReason? end = null;
        int written = 0;
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync(messages, options, TestContext.Current.CancellationToken))
        {
            text.AppendJoin("", update.ContentUpdate.Select(part => part.Text));
            end = update.FinishReason ?? end;
            written = update.Usage?.OutputTokenCount ?? written;
        }

        Assert.Equal(whole.Content[0].Text, text.ToString());
        Assert.Equal(whole.FinishReason, end);
        Assert.Equal(whole.Usage.OutputTokenCount, written);
    }

    [Fact]
    public async Task A_tool_is_called_and_answered()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        ChatClient client = Client(server, "any").GetChatClient("tiny");
        List<ChatMessage> messages = [new UserChatMessage("How is the weather?")];
        var options = new ChatCompletionOptions { Tools = { Weather }, ToolChoice = ChatToolChoice.CreateRequiredChoice(), AllowParallelToolCalls = false };
        ChatCompletion reply = await client.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        Assert.Equal(ChatFinishReason.ToolCalls, reply.FinishReason);
        ChatToolCall call = Assert.Single(reply.ToolCalls);
        Assert.Equal("weather", call.FunctionName);
        Assert.Contains(JsonElement.Parse(call.FunctionArguments.ToString()).GetProperty("unit").GetString(), new[] { "C", "F" });

        messages.Add(new AssistantChatMessage(reply));
        messages.Add(new ToolChatMessage(call.Id, "Rain."));
        ChatCompletion after = await client.CompleteChatAsync(messages, new ChatCompletionOptions { MaxOutputTokenCount = 5, Tools = { Weather }, ToolChoice = ChatToolChoice.CreateNoneChoice() },
            TestContext.Current.CancellationToken);
        Assert.Empty(after.ToolCalls);

        options.ToolChoice = ChatToolChoice.CreateFunctionChoice("weather");
        var arguments = new StringBuilder();
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync(messages[..1], options, TestContext.Current.CancellationToken))
            arguments.AppendJoin("", update.ToolCallUpdates.Select(part => part.FunctionArgumentsUpdate.ToString()));
        Assert.True(JsonElement.Parse(arguments.ToString()).TryGetProperty("unit", out _));
    }

    [Fact]
    public async Task An_answer_keeps_to_its_schema()
    {
        const string Schema = """
            {"type": "object", "properties": {"name": {"type": "string", "maxLength": 8}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3}}, "required": ["name", "age", "tags"], "additionalProperties": false}
            """;
        await using ServerUnderTest server = await ServerUnderTest.StartAsync();
        ChatClient client = Client(server, "any").GetChatClient("tiny");
        var options = new ChatCompletionOptions { ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("person", BinaryData.FromString(Schema), jsonSchemaIsStrict: true) };
        for (int i = 0; i < 3; i++)
        {
            ChatCompletion reply = await client.CompleteChatAsync([new UserChatMessage($"Person {i}")], options, TestContext.Current.CancellationToken);
            Assert.Equal(ChatFinishReason.Stop, reply.FinishReason);
            var schema = Json.Schema.JsonSchema.FromText(Schema);
            Assert.True(schema.Evaluate(JsonElement.Parse(reply.Content[0].Text)).IsValid, reply.Content[0].Text);
        }
    }

    [Fact]
    public async Task Errors_and_models_are_understood()
    {
        await using ServerUnderTest server = await ServerUnderTest.StartAsync(new ServerOptions { ApiKeys = ["secret"], ModelName = "tiny" });
        OpenAIModelClient models = Client(server, "secret").GetOpenAIModelClient();
        Assert.Equal("tiny", Assert.Single((await models.GetModelsAsync(TestContext.Current.CancellationToken)).Value).Id);
        Assert.Equal("tiny", (await models.GetModelAsync("tiny", TestContext.Current.CancellationToken)).Value.Id);
        ClientResultException wrong = await Assert.ThrowsAsync<ClientResultException>(() =>
            Client(server, "wrong").GetChatClient("tiny").CompleteChatAsync([new UserChatMessage("x")], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(401, wrong.Status);
        ClientResultException missing = await Assert.ThrowsAsync<ClientResultException>(() => models.GetModelAsync("other", TestContext.Current.CancellationToken));
        Assert.Equal(404, missing.Status);
    }

    private static OpenAIClient Client(ServerUnderTest server, string key) =>
        new(new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = new Uri(server.Server.Address, "v1") });
}

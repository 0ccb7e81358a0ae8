using Microsoft.Extensions.AI;
using Polymath.Extensions.AI;
using Polymath.Generation;
using Polymath.Generation.Constraints;
using Xunit;
using ChatRequest = Polymath.Chat.ChatRequest;

namespace Polymath.Tests.ExtensionsAI;

/// <summary>Nothing that a caller asks for is passed over in silence.</summary>
public sealed class ChatOptionsTests : IDisposable
{
    private readonly TinyChat _chat = new(template: TinyChat.ThinkingTemplate);

    public static TheoryData<string> Options => [.. typeof(ChatOptions).GetProperties().Select(property => property.Name)];

#pragma warning disable MEAI001 // options that are experimental must not be passed over either
    /// <summary>For each option: what is asked, and what the engine is then asked; nothing where it must be refused.</summary>
    private static Dictionary<string, (ChatOptions Asked, Func<ChatRequest, bool>? Honoured)> Cases { get; } = new()
    {
        [nameof(ChatOptions.ConversationId)] = (new() { ConversationId = "1" }, null),
        [nameof(ChatOptions.ContinuationToken)] = (new() { ContinuationToken = ResponseContinuationToken.FromBytes(new byte[] { 1 }) }, null),
        [nameof(ChatOptions.AllowBackgroundResponses)] = (new() { AllowBackgroundResponses = true }, _ => true),   // a permission
        [nameof(ChatOptions.Instructions)] = (new() { Instructions = "Be brief" }, r => r.Messages is [{ Role: Polymath.Chat.ChatRole.System, Text: "Be brief" }, _]),
        [nameof(ChatOptions.Temperature)] = (new() { Temperature = 0.25f }, r => r.Generation.Sampling.Temperature == 0.25f),
        [nameof(ChatOptions.MaxOutputTokens)] = (new() { MaxOutputTokens = 3 }, r => r.Generation.MaxTokens == 3),
        [nameof(ChatOptions.TopP)] = (new() { TopP = 0.5f }, r => r.Generation.Sampling.TopP == 0.5f),
        [nameof(ChatOptions.TopK)] = (new() { TopK = 9 }, r => r.Generation.Sampling.TopK == 9),
        [nameof(ChatOptions.FrequencyPenalty)] = (new() { FrequencyPenalty = 1.5f }, r => r.Generation.Sampling.FrequencyPenalty == 1.5f),
        [nameof(ChatOptions.PresencePenalty)] = (new() { PresencePenalty = 1.25f }, r => r.Generation.Sampling.PresencePenalty == 1.25f),
        [nameof(ChatOptions.Seed)] = (new() { Seed = -1 }, r => r.Generation.Sampling.Seed == ulong.MaxValue),
        [nameof(ChatOptions.Reasoning)] = (new() { Reasoning = new() { Effort = ReasoningEffort.Low } }, r => r.Thinking == true),
        [nameof(ChatOptions.ResponseFormat)] = (new() { ResponseFormat = ChatResponseFormat.Json }, r => r.Format is not null),
        [nameof(ChatOptions.ModelId)] = (new() { ModelId = "another" }, null),
        [nameof(ChatOptions.StopSequences)] = (new() { StopSequences = ["x", "yz"] }, r => r.Generation.Stop is ["x", "yz"]),
        [nameof(ChatOptions.AllowMultipleToolCalls)] = (new() { AllowMultipleToolCalls = false }, r => !r.ParallelCalls),
        [nameof(ChatOptions.ToolMode)] = (new() { ToolMode = ChatToolMode.RequireSpecific("add"), Tools = [new Adding()] }, r => r.ToolChoice.Name == "add"),
        [nameof(ChatOptions.Tools)] = (new() { Tools = [new Adding()] }, r => r.Tools is [{ Name: "add", Description: "Adds" }]
            && r.Tools[0].Parameters.GetProperty("required").GetArrayLength() == 2),
        [nameof(ChatOptions.RawRepresentationFactory)] = (
            new() { RawRepresentationFactory = _ => new GenerationOptions { LogProbs = 3 }, Temperature = 0.5f },
            r => r.Generation is { LogProbs: 3, Sampling.Temperature: 0.5f }),
        [nameof(ChatOptions.AdditionalProperties)] = (
            new() { AdditionalProperties = new() { ["min_p"] = 0.125, ["repeat_penalty"] = 2, ["enable_thinking"] = false } },
            r => r is { Thinking: false, Generation.Sampling: { MinP: 0.125f, RepeatPenalty: 2 } }),
    };
#pragma warning restore MEAI001

    public void Dispose() => _chat.Dispose();

    [Theory]
    [MemberData(nameof(Options))]
    public void Every_option_is_honoured_or_refused_by_name(string option)
    {
        Assert.True(Cases.TryGetValue(option, out (ChatOptions Asked, Func<ChatRequest, bool>? Honoured) known), $"{option} is new: honour or refuse it");
        if (known.Honoured is { } honoured)
        {
            Assert.True(honoured(Read(known.Asked)), $"{option} has no effect");
            Assert.True(option == "AllowBackgroundResponses" || !honoured(Read(new ChatOptions())), $"the check of {option} cannot fail");
        }
        else
        {
            Assert.Contains(option, Assert.Throws<NotSupportedException>(() => Read(known.Asked)).Message, StringComparison.Ordinal);
        }
    }

    public static TheoryData<ChatOptions, string> Refused => new()
    {
        { new() { Tools = [new HostedWebSearchTool()] }, nameof(HostedWebSearchTool) },
        { new() { AdditionalProperties = new() { ["mirostat"] = 2 } }, "mirostat" },
        { new() { Reasoning = new() { Output = ReasoningOutput.Summary } }, "Summary" },
        { new() { RawRepresentationFactory = _ => "options" }, "String" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_cannot_be_honoured_is_named(ChatOptions options, string name) =>
        Assert.Contains(name, Assert.Throws<NotSupportedException>(() => Read(options)).Message, StringComparison.Ordinal);

    public static TheoryData<ChatOptions> Wrong =>
    [
        new ChatOptions { MaxOutputTokens = 0 },
        new ChatOptions { ToolMode = ChatToolMode.RequireAny },
        new ChatOptions { ToolMode = ChatToolMode.RequireSpecific("other"), Tools = [new Adding()] },
        new ChatOptions { AdditionalProperties = new() { ["min_p"] = "much" } },
        new ChatOptions { AdditionalProperties = new() { ["enable_thinking"] = 1 } },
    ];

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_makes_no_sense_is_an_error(ChatOptions options) => Assert.ThrowsAny<ArgumentException>(() => Read(options));

    [Fact]
    public void A_switch_for_reasoning_that_is_not_there_cannot_be_used()
    {
        using var plain = new TinyChat();
        Assert.Throws<NotSupportedException>(() => Read(plain, new() { Reasoning = new() { Effort = ReasoningEffort.High } }));
        Assert.Throws<NotSupportedException>(() => Read(plain, new() { AdditionalProperties = new() { ["enable_thinking"] = true } }));
        Assert.False(Read(plain, new() { Reasoning = new() { Effort = ReasoningEffort.None } }).Thinking);   // it does not reason anyway
    }

    [Fact]
    public void How_hard_to_reason_is_told_to_a_template_that_reads_it()
    {
        using var chat = new TinyChat(template: "{{ messages[0].content }} Reasoning: {{ reasoning_effort }}");
        Assert.Equal("\"medium\"", Read(chat, new() { Reasoning = new() { Effort = ReasoningEffort.Medium } }).Variables["reasoning_effort"]);
        Assert.Equal("\"high\"", Read(chat, new() { Reasoning = new() { Effort = ReasoningEffort.ExtraHigh } }).Variables["reasoning_effort"]);
    }

    [Fact]
    public void A_schema_that_cannot_be_honoured_is_named()
    {
        var schema = System.Text.Json.JsonElement.Parse("""{"type":"string","format":"no-such-format","not":{"minLength":3}}""");
        Assert.ThrowsAny<ConstraintException>(() => Read(new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema) }));
    }

    [Fact]
    public async Task Options_out_of_their_range_are_errors_of_the_request()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => _chat.Client.GetResponseAsync("a", new ChatOptions { Temperature = -1 }));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => _chat.Client.GetResponseAsync("a", new ChatOptions { TopK = -1 }));
    }

    public static TheoryData<ChatMessage, string> Contents => new()
    {
        { new(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")]), nameof(DataContent) },
        { new(ChatRole.User, [new UriContent("https://example.org/a.png", "image/png")]), nameof(UriContent) },
        { new(ChatRole.User, [new TextReasoningContent("hm")]), nameof(TextReasoningContent) },
        { new(ChatRole.User, [new FunctionResultContent("1", "x")]), nameof(FunctionResultContent) },
        { new(ChatRole.Assistant, [new ErrorContent("no")]), nameof(ErrorContent) },
        { new(ChatRole.Tool, "text"), nameof(TextContent) },
        { new(new ChatRole("narrator"), "text"), "narrator" },
    };

    [Theory]
    [MemberData(nameof(Contents))]
    public void A_content_that_cannot_be_taken_is_named(ChatMessage message, string name) =>
        Assert.Contains(name, Assert.Throws<NotSupportedException>(() => Conversation.Read([message], null)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_conversation_arrives_with_all_its_parts()
    {
        var arguments = new Dictionary<string, object?> { ["city"] = "Oslo", ["days"] = 2, ["none"] = null, ["at"] = System.Text.Json.JsonElement.Parse("[1,{}]") };
        List<Polymath.Chat.ChatMessage> read = Conversation.Read(
        [
            new(ChatRole.System, "one"), new(ChatRole.User, [new TextContent("a"), new TextContent("b")]),
            new(ChatRole.Assistant, [new TextReasoningContent("hm"), new TextContent("so"), new FunctionCallContent("c1", "weather", arguments), new FunctionCallContent("c2", "now"), new UsageContent(new())]),
            new(ChatRole.Tool, [new FunctionResultContent("c2", "noon"), new FunctionResultContent("c1", System.Text.Json.JsonElement.Parse("""{"t":3}"""))]),
            new(ChatRole.Assistant, [new FunctionCallContent("c3", "now")]),
            new(ChatRole.Tool, [new FunctionResultContent("c3", null) { Exception = new InvalidOperationException("broken") }]),
        ], "zero");
        Assert.Equal(["zero\n\none", "ab", "so", "noon", """{"t":3}""", "", "Error: broken"], read.Select(message => message.Text));
        Assert.Equal("hm", read[2].Reasoning);
        Assert.Equal(["""weather {"city":"Oslo","days":2,"none":null,"at":[1,{}]}""", "now {}"], read[2].ToolCalls.Select(call => $"{call.Name} {call.Arguments}"));
        Assert.Equal(["now", "weather", "now"], read.Where(message => message.ToolName is not null).Select(message => message.ToolName));
        Assert.Throws<ArgumentException>(() => Conversation.Read([new(ChatRole.Tool, [new FunctionResultContent("c9", "x")])], null));
    }

    private ChatRequest Read(ChatOptions options) => Read(_chat, options);

    private static ChatRequest Read(TinyChat chat, ChatOptions options) =>
        new RequestReader(chat.Model, "tiny", TinyChat.Defaults).Read([new(ChatRole.User, "a")], options, chat.Client);
}

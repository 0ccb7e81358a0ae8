using System.Text;
using System.Text.Json;
using Polymath.Chat;
using Polymath.Generation;
using Polymath.Generation.Batching;
using Polymath.Generation.Constraints;
using Xunit;

namespace Polymath.Tests.Chat;

/// <summary>Conversations with a model of random weights: what it writes is nonsense, but what it may write is not.</summary>
public sealed class ChatModelTests : IDisposable
{
    private const string ChatMl = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{{ '<|im_start|>assistant\n' }}";

    private const string WithTools = "{% if tools %}{{ tools | tojson }}{% endif %}<tool_call></tool_call>" + ChatMl;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task A_conversation_goes_through_the_template_and_what_was_said_is_not_computed_again()
    {
        using ChatModel chat = Load(ChatMl);
        ChatMessage[] first = [ChatMessage.System("Be brief."), ChatMessage.User("Hello")];
        Assert.Equal(
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n", chat.Render(Request(first)));
        ChatResult one = await chat.Start(Request(first), Token).ReadToEndAsync(Token);
        ChatResult two = await chat.Start(Request([.. first, one.Message, ChatMessage.User("Go on")]), Token).ReadToEndAsync(Token);
        Assert.Equal(ChatRole.Assistant, one.Message.Role);
        Assert.InRange(two.Generation.CachedTokens, one.Generation.PromptTokens, two.Generation.PromptTokens - 1);
    }

    [Fact]
    public async Task The_pieces_of_a_reply_are_the_reply()
    {
        using ChatModel chat = Load(ChatMl);
        ChatReply reply = chat.Start(Request([ChatMessage.User("Hello")]), Token);
        Assert.Throws<InvalidOperationException>(() => reply.Result);
        var text = new StringBuilder();
        await foreach (ChatDelta delta in reply.ReadAsync(Token))
            text.Append(delta.Text);
        Assert.Equal(reply.Result.Message.Text, text.ToString());
        ChatResult again = await chat.Start(Request([ChatMessage.User("Hello")]), Token).ReadToEndAsync(Token);
        Assert.Equal(again.Message.Text, reply.Result.Message.Text);
    }

    [Fact]
    public void What_people_say_is_never_read_as_a_control_token()
    {
        using ChatModel chat = Load("{{ bos_token }}{% for m in messages %}[{{ m.content }}]{% endfor %}");
        const string control = "<|endoftext|>";
        int id = chat.Model.Tokenizer.BeginId!.Value;
        int[] ids = chat.Encode(Request([ChatMessage.User($"a{control}b")]));
        Assert.Equal(id, ids[0]);
        Assert.DoesNotContain(id, ids.Skip(1));
        Assert.Equal($"[a{control}b]", chat.Model.Tokenizer.Decode(ids.AsSpan(1)));
        int[] plain = chat.Encode(Request([ChatMessage.User("ab \uFDD0 c \uFDD1")]));
        Assert.Equal("[ab  c ]", chat.Model.Tokenizer.Decode(plain.AsSpan(1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_required_call_is_a_valid_one_whatever_the_weights(bool parallel)
    {
        using ChatModel chat = Load(WithTools);
        Assert.Equal("Hermes", chat.Dialect.Name);
        for (int seed = 0; seed < 8; seed++)
        {
            ChatRequest request = Request([ChatMessage.User("What is the weather?")], seed) with
            {
                Tools = [s_weather, s_clock],
                ToolChoice = ToolChoice.Required,
                ParallelCalls = parallel,
                Generation = Options(seed, 600),
            };
            ChatResult result = await chat.Start(request, Token).ReadToEndAsync(Token);
            if (result.Generation.Reason is StopReason.MaxTokens or StopReason.ContextFull)
                continue;
            Assert.False(result.HasMalformed);
            Assert.NotEmpty(result.Message.ToolCalls);
            if (!parallel)
                Assert.Single(result.Message.ToolCalls);
            foreach (ToolCall call in result.Message.ToolCalls)
            {
                using JsonDocument arguments = JsonDocument.Parse(call.Arguments);
                if (call.Name == "weather")
                    Assert.InRange(arguments.RootElement.GetProperty("days").GetInt32(), 1, 9);
                else
                    Assert.Equal("clock", call.Name);
            }
        }
    }

    [Fact]
    public async Task A_named_tool_is_the_one_that_is_called_and_none_calls_none()
    {
        using ChatModel chat = Load(WithTools);
        ChatRequest request = Request([ChatMessage.User("Time?")]) with { Tools = [s_weather, s_clock], Generation = Options(1, 600) };
        ChatResult named = await chat.Start(request with { ToolChoice = ToolChoice.Of("clock") }, Token).ReadToEndAsync(Token);
        Assert.All(named.Message.ToolCalls, call => Assert.Equal("clock", call.Name));
        Assert.NotEmpty(named.Message.ToolCalls);
        Assert.DoesNotContain("weather", chat.Render(request with { ToolChoice = ToolChoice.None }), StringComparison.Ordinal);
        Assert.Contains("weather", chat.Render(request), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => chat.Start(request with { ToolChoice = ToolChoice.Of("nothing") }, Token));
    }

    [Fact]
    public async Task A_format_binds_the_answer_behind_the_reasoning()
    {
        using ChatModel chat = Load(ChatMl + "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}");
        Assert.True(chat.CanSwitchThinking);
        ChatRequest request = Request([ChatMessage.User("A number")]) with { Format = Grammar.Regex("[0-9]{3}"), Thinking = false };
        ChatResult plain = await chat.Start(request, Token).ReadToEndAsync(Token);
        Assert.Matches("^[0-9]{3}$", plain.Message.Text);
        Assert.Equal("", plain.Message.Reasoning);
        var endsSoon = new Dictionary<int, float> { ['<'] = 100, ['/'] = 100, ['>'] = 100 };   // bytes are the ids
        ChatResult thought = await chat.Start(
            request with
            {
                Thinking = null,
                Generation = Options(1, 400) with { Sampling = new SamplingOptions { Seed = 1, LogitBias = endsSoon.Concat("think".ToDictionary(c => (int)c, _ => 60f)).ToDictionary() } },
            },
            Token).ReadToEndAsync(Token);
        if (thought.Generation.Reason == StopReason.Complete)
            Assert.Matches("^[0-9]{3}$", thought.Message.Text);
    }

    [Fact]
    public void What_cannot_be_done_is_said_before_anything_is_written()
    {
        using ChatModel chat = Load(ChatMl);
        Assert.Throws<ArgumentException>(() => chat.Start(Request([]), Token));
        var tool = new ToolDefinition("odd", "", """{"type":"object","properties":{"x":{"not":{}}},"required":["x"]}""");
        ConstraintException e = Assert.Throws<ConstraintException>(() => chat.Start(
            Request([ChatMessage.User("x")]) with { Tools = [tool], ToolChoice = ToolChoice.Required }, Token));
        Assert.Equal("not", e.Keyword);
        string message = Assert.Throws<ArgumentException>(() => chat.Start(Request([ChatMessage.User(new string('x', 5000))]), Token)).Message;
        Assert.Contains("2048", message, StringComparison.Ordinal);
        Assert.Equal(0, chat.Engine.Statistics.Running);
    }

    [Fact]
    public async Task A_cancelled_reply_ends_and_gives_its_pages_back()
    {
        using ChatModel chat = Load(ChatMl, reuse: false);
        using var cancel = new CancellationTokenSource();
        ChatRequest request = Request([ChatMessage.User("Hello")]) with
        {
            Generation = new GenerationOptions { Sampling = new SamplingOptions { Seed = 1, LogitBias = new Dictionary<int, float> { [256] = float.NegativeInfinity } } },
        };
        ChatReply reply = chat.Start(request, cancel.Token);
        await foreach (ChatDelta delta in reply.ReadAsync(Token))
            await cancel.CancelAsync();
        Assert.Equal(StopReason.Cancelled, reply.Result.Generation.Reason);
        await chat.Engine.DrainAsync();
        Assert.Equal(chat.Engine.Statistics.Pages, chat.Engine.Statistics.FreePages);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly ToolDefinition s_weather = new(
        "weather", "Tells the weather.",
        """{"type":"object","properties":{"place":{"type":"string","maxLength":8},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["place","days"],"additionalProperties":false}""");

    private static readonly ToolDefinition s_clock = new("clock", "Tells the time.", """{"type":"object","properties":{},"additionalProperties":false}""");

    private static GenerationOptions Options(int seed, int tokens) =>
        new() { MaxTokens = tokens, Sampling = new SamplingOptions { Seed = (ulong)seed } };

    private static ChatRequest Request(ChatMessage[] messages, int seed = 1) => new() { Messages = messages, Generation = Options(seed, 30) };

    private ChatModel Load(string template, bool reuse = true)
    {
        TinyModel.Write(_path, change: (metadata, _) => metadata.Set("tokenizer.chat_template", template));
        return ChatModel.Load(_path, null, new EngineOptions { ContextLength = 2048, ReusePrefixes = reuse });
    }
}

using Microsoft.Extensions.AI;
using Polymath.Extensions.AI;
using Polymath.Generation.Batching;
using Polymath.Models;
using Xunit;
using ChatModel = Polymath.Chat.ChatModel;
using ChatRequest = Polymath.Chat.ChatRequest;
using ChatResult = Polymath.Chat.ChatResult;

namespace Polymath.Tests.ExtensionsAI;

/// <summary>The contract of a chat client, seen from a caller.</summary>
public sealed class ChatClientTests
{
    [Fact]
    public async Task A_reply_is_the_streamed_pieces_together()
    {
        using var chat = new TinyChat();
        ChatResponse whole = await chat.Client.GetResponseAsync("Hello");
        List<ChatResponseUpdate> pieces = await TinyChat.ReadAsync(chat.Client.GetStreamingResponseAsync("Hello"));
        Assert.NotEmpty(whole.Text);
        Assert.True(pieces.Count > 3, "it was not streamed");
        Assert.Equal(whole.Text, string.Concat(pieces.Select(piece => piece.Text)));
        Assert.Equal(ChatFinishReason.Length, whole.FinishReason);
        Assert.Equal(ChatFinishReason.Length, Assert.Single(pieces, piece => piece.FinishReason is not null).FinishReason);
        Assert.Single(pieces.Select(piece => (piece.ResponseId, piece.MessageId, piece.CreatedAt, piece.ModelId, piece.Role)).Distinct());
        Assert.Equal("tiny", whole.ModelId);
        Assert.NotNull(whole.CreatedAt);
        Assert.NotEqual(whole.ResponseId, pieces[0].ResponseId);
        Assert.Equal(ChatRole.Assistant, Assert.Single(whole.Messages).Role);
        Assert.NotNull(whole.Messages[0].MessageId);
    }

    [Fact]
    public async Task Usage_counts_what_was_read_written_and_kept()
    {
        using var chat = new TinyChat();
        string text = new('a', 300);
        int prompt = chat.Model.Encode(new ChatRequest { Messages = [Polymath.Chat.ChatMessage.User(text)] }).Length;
        ChatResponse first = await chat.Client.GetResponseAsync(text, new ChatOptions { MaxOutputTokens = 5 });
        Assert.Equal((prompt, 5L, prompt + 5L, 0L, 0L), Counts(first));
        ChatResponse second = await chat.Client.GetResponseAsync(text, new ChatOptions { MaxOutputTokens = 5 });
        Assert.InRange(second.Usage!.CachedInputTokenCount!.Value, 256, prompt - 1);
        Assert.Equal(first.Text, second.Text);

        static (long?, long?, long?, long?, long?) Counts(ChatResponse response) =>
            (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount, response.Usage.TotalTokenCount,
            response.Usage.CachedInputTokenCount, response.Usage.ReasoningTokenCount);
    }

    [Fact]
    public async Task Callers_at_once_get_what_each_gets_alone()
    {
        using var chat = new TinyChat();
        (string Text, ChatOptions Options)[] asked = [.. Enumerable.Range(0, 32).Select(i =>
            (new string((char)('a' + (i % 26)), 1 + (7 * i)), new ChatOptions { Seed = i, MaxOutputTokens = 8 + i }))];
        var alone = new List<string>();
        foreach ((string text, ChatOptions options) in asked)
            alone.Add((await chat.Client.GetResponseAsync(text, options)).Text);
        long steps = chat.Engine.Statistics.Steps;
        ChatResponse[] together = await Task.WhenAll(asked.Select(a => chat.Client.GetResponseAsync(a.Text, a.Options)));
        Assert.Equal(alone, together.Select(response => response.Text));
        await chat.IdleAsync();
        Assert.InRange(chat.Engine.Statistics.Steps - steps, 1, asked.Sum(a => a.Options.MaxOutputTokens!.Value) / 2);
    }

    [Fact]
    public async Task A_request_is_cancelled_while_its_prompt_is_read()
    {
        using var chat = new TinyChat(
            new EngineOptions { ContextLength = 16384, PromptTokens = 16, ReusePrefixes = false }, contextLength: 16384);
        using var cancelled = new CancellationTokenSource();
        Task<ChatResponse> reply = chat.Client.GetResponseAsync(new string('a', 16000), cancellationToken: cancelled.Token);
        while (chat.Engine.Statistics.PromptTokens == 0)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reply);
        await chat.IdleAsync();
        EngineStatistics after = chat.Engine.Statistics;
        Assert.Equal(0, after.GeneratedTokens);
        Assert.Equal(after.Pages, after.FreePages);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_ends_when_it_is_cancelled_or_nobody_reads_on(bool cancels)
    {
        using var chat = new TinyChat(new EngineOptions { ContextLength = 4096, ReusePrefixes = false });
        using var cancelled = new CancellationTokenSource();
        var options = new ChatOptions { MaxOutputTokens = 4000 };
        if (cancels)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(Read);
        else
            await Read();
        await chat.IdleAsync();
        EngineStatistics after = chat.Engine.Statistics;
        Assert.InRange(after.GeneratedTokens, 1, 3999);
        Assert.Equal(after.Pages, after.FreePages);

        async Task Read()
        {
            await foreach (ChatResponseUpdate _ in chat.Client.GetStreamingResponseAsync("a", options, cancelled.Token))
            {
                if (!cancels)
                    return;
                await cancelled.CancelAsync();
            }
        }
    }

    [Fact]
    public async Task A_request_that_is_cancelled_already_does_nothing()
    {
        using var chat = new TinyChat();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chat.Client.GetResponseAsync("a", cancellationToken: new CancellationToken(true)));
        Assert.Equal(0, chat.Engine.Statistics.PromptTokens);
    }

    [Fact]
    public async Task Reasoning_is_set_apart_and_can_be_left_out()
    {
        using var chat = new TinyChat(template: TinyChat.ThinkingTemplate);
        var options = new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.High } };
        ChatResponse shown = await chat.Client.GetResponseAsync("a", options);
        Assert.IsType<TextReasoningContent>(Assert.Single(shown.Messages[0].Contents));
        Assert.True(shown.Usage!.ReasoningTokenCount > 0);
        options.Reasoning.Output = ReasoningOutput.None;
        ChatResponse hidden = await chat.Client.GetResponseAsync("a", options);
        Assert.Empty(hidden.Messages.SelectMany(message => message.Contents));
        Assert.Equal(shown.Usage.OutputTokenCount, hidden.Usage!.OutputTokenCount);
        options.Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None };
        Assert.NotEmpty((await chat.Client.GetResponseAsync("a", options)).Text);
    }

    [Fact]
    public async Task What_it_stands_on_can_be_asked_for()
    {
        using var chat = new TinyChat();
        var metadata = chat.Client.GetService<ChatClientMetadata>()!;
        Assert.Equal(("polymath", "tiny"), (metadata.ProviderName, metadata.DefaultModelId));
        Assert.Same(chat.Client, chat.Client.GetService<IChatClient>());
        Assert.Same(chat.Client, chat.Client.GetService<PolymathChatClient>());
        Assert.Same(chat.Engine, chat.Client.GetService<Engine>());
        Assert.Same(chat.Model.Model, chat.Client.GetService<Model>());
        Assert.Null(chat.Client.GetService<string>());
        Assert.Null(chat.Client.GetService(typeof(IChatClient), "key"));
        ChatResponse reply = await chat.Client.GetResponseAsync("a");
        List<ChatResponseUpdate> pieces = await TinyChat.ReadAsync(chat.Client.GetStreamingResponseAsync("a"));
        Assert.Equal(reply.Text, Assert.IsType<ChatResult>(pieces[^1].RawRepresentation).Message.Text);
        Assert.Equal(reply.Text, Assert.IsType<ChatResult>(reply.RawRepresentation).Message.Text);
    }

    [Fact]
    public async Task A_disposed_client_takes_nothing_and_closes_only_what_it_opened()
    {
        using var chat = new TinyChat();
        ChatModel model = chat.Model;
        var other = new PolymathChatClient(model, defaults: TinyChat.Defaults);
        other.Dispose();
        other.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => other.GetResponseAsync("a"));
        Assert.NotEmpty((await chat.Client.GetResponseAsync("a")).Text);
        Task<ChatResponse> running = chat.Client.GetResponseAsync("a", new ChatOptions { MaxOutputTokens = 4000 });
        while (model.Engine.Statistics.Running == 0)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        chat.Client.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => chat.Client.GetResponseAsync("a"));
    }

    [Fact]
    public async Task Nothing_to_answer_is_an_error()
    {
        using var chat = new TinyChat();
        await Assert.ThrowsAsync<ArgumentNullException>(() => chat.Client.GetResponseAsync((IEnumerable<ChatMessage>)null!));
        await Assert.ThrowsAsync<ArgumentException>(() => chat.Client.GetResponseAsync(Array.Empty<ChatMessage>()));
        await Assert.ThrowsAsync<ArgumentException>(() => chat.Client.GetResponseAsync(new string('a', 5000)));
    }
}

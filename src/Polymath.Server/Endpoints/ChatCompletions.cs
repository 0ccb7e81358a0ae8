using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polymath.Chat;
using Polymath.Server.Wire;

namespace Polymath.Server.Endpoints;

/// <summary>POST /v1/chat/completions: replies in OpenAI's form, whole or as events.</summary>
internal static class ChatCompletions
{
    /// <summary>Adds the endpoint.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedModel served) =>
        routes.MapPost("/v1/chat/completions", context => AnswerAsync(context, served));

    private static async Task AnswerAsync(HttpContext context, ServedModel served)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var request = ChatCompletionRequest.Read(new Fields(body.RootElement), served, Access.Caller(context));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        try
        {
            ChatReply[] replies = served.Start(request.Chat, request.Count, stop.Token);
            var frame = new ChatCompletion(Replies.NewId("chatcmpl"), "chat.completion", DateTimeOffset.UtcNow.ToUnixTimeSeconds(), served.Name, [], null);
            if (request.Stream)
                await StreamAsync(context, served, request, replies, frame with { Object = "chat.completion.chunk" }).ConfigureAwait(false);
            else
                await SendAsync(context, served, request, replies, frame).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);   // of several replies one may have failed
        }
    }

    private static async Task SendAsync(
        HttpContext context, ServedModel served, ChatCompletionRequest request, ChatReply[] replies, ChatCompletion frame)
    {
        ChatResult[] results = await served.ReadToEndAsync(replies, context.RequestAborted).ConfigureAwait(false);
        ChatChoice[] choices = [.. results.Select((result, index) =>
            new ChatChoice(index, Whole(result.Message), null, LogProbs(result, request, served), Replies.Reason(result)))];
        await context.Response.SendAsync(frame with { Choices = choices, Usage = UsageOf(results) }, WireJson.Default.ChatCompletion).ConfigureAwait(false);
    }

    private static async Task StreamAsync(
        HttpContext context, ServedModel served, ChatCompletionRequest request, ChatReply[] replies, ChatCompletion frame)
    {
        var begun = new bool[replies.Length];
        var calls = new int[replies.Length];
        await foreach ((int number, ReplyPiece piece) in served.ReadAsync(replies, context.RequestAborted).ConfigureAwait(false))
        {
            await BeginAsync(number).ConfigureAwait(false);
            await SendAsync(number, piece.Call is { } call ? new ReplyMessage(ToolCalls: [Replies.Call(call, calls[number]++)])
                : piece.IsReasoning ? new ReplyMessage(ReasoningContent: piece.Text) : new ReplyMessage(Content: piece.Text)).ConfigureAwait(false);
        }

        for (int i = 0; i < replies.Length; i++)
        {
            await BeginAsync(i).ConfigureAwait(false);
            ChatResult result = replies[i].Result;
            await SendAsync(i, new ReplyMessage(), LogProbs(result, request, served), Replies.Reason(result)).ConfigureAwait(false);
        }

        if (request.IncludeUsage)
        {
            Usage usage = UsageOf([.. replies.Select(reply => reply.Result)]);
            await context.Response.SendEventAsync(frame with { Usage = usage }, WireJson.Default.ChatCompletion).ConfigureAwait(false);
        }

        await context.Response.SendDoneAsync().ConfigureAwait(false);

        async Task BeginAsync(int number)
        {
            if (!begun[number])
                await SendAsync(number, new ReplyMessage("assistant", "")).ConfigureAwait(false);
            begun[number] = true;
        }

        Task SendAsync(int number, ReplyMessage delta, LogProbList? probabilities = null, string? reason = null) => context.Response.SendEventAsync(
            frame with { Choices = [new ChatChoice(number, null, delta, probabilities, reason)] }, WireJson.Default.ChatCompletion);
    }

    private static ReplyMessage Whole(ChatMessage message) => new(
        "assistant", message.Text, message.Reasoning.Length > 0 ? message.Reasoning : null,
        message.ToolCalls.Count > 0 ? [.. message.ToolCalls.Select(call => Replies.Call(call))] : null);

    private static LogProbList? LogProbs(ChatResult result, ChatCompletionRequest request, ServedModel served) =>
        Replies.LogProbs(result.Generation, request.Chat.Generation.LogProbs is not null, served.Chat.Model.Tokenizer);

    private static Usage UsageOf(ChatResult[] results) =>
        Replies.Usage([.. results.Select(result => result.Generation)], results.Sum(result => result.ReasoningTokens));
}

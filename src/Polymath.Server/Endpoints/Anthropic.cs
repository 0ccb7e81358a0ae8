using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polymath.Chat;
using Polymath.Generation;
using Polymath.Server.Wire;

namespace Polymath.Server.Endpoints;

/// <summary>POST /v1/messages and /v1/messages/count_tokens: replies in Anthropic's form, whole or as events.</summary>
internal static class Anthropic
{
    /// <summary>What the paths begin with.</summary>
    public const string Prefix = "/v1/messages";

    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedModel served)
    {
        routes.MapPost(Prefix, context => AnswerAsync(context, served));
        routes.MapPost($"{Prefix}/count_tokens", context => CountAsync(context, served));
    }

    private static async Task CountAsync(HttpContext context, ServedModel served)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var request = AnthropicRequest.Read(new Fields(body.RootElement), served, "");
        var count = new AnthropicCount(served.Chat.Encode(request.Chat).Length);
        await context.Response.SendAsync(count, WireJson.Default.AnthropicCount).ConfigureAwait(false);
    }

    private static async Task AnswerAsync(HttpContext context, ServedModel served)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var fields = new Fields(body.RootElement);
        var request = AnthropicRequest.Read(fields, served, Access.Caller(context));
        if (request.Chat.Generation.MaxTokens < 0)
            throw fields.Wrong("max_tokens", "is missing");
        ChatReply[] replies = served.Start(request.Chat, 1, context.RequestAborted);
        var frame = new AnthropicMessage(Replies.NewId("msg"), "message", "assistant", served.Name, [], null, null, new AnthropicUsage(0, 0, 0));
        if (request.Stream)
        {
            await StreamAsync(context, served, request, replies, frame).ConfigureAwait(false);
            return;
        }

        ChatResult result = (await served.ReadToEndAsync(replies, context.RequestAborted).ConfigureAwait(false))[0];
        (string reason, string? stop) = Reason(result, request);
        await context.Response.SendAsync(
            frame with { Content = Blocks(result.Message), StopReason = reason, StopSequence = stop, Usage = UsageOf(result.Generation) },
            WireJson.Default.AnthropicMessage).ConfigureAwait(false);
    }

    private static async Task StreamAsync(
        HttpContext context, ServedModel served, AnthropicRequest request, ChatReply[] replies, AnthropicMessage frame)
    {
        int prompt = served.Chat.Encode(request.Chat).Length, index = -1;
        string? open = null;
        await foreach ((int _, ReplyPiece piece) in served.ReadAsync(replies, context.RequestAborted).ConfigureAwait(false))
        {
            if (index < 0 && open is null)
                await BeginAsync().ConfigureAwait(false);
            if (piece.Call is { } call)
            {
                await OpenAsync("tool_use", new AnthropicBlock("tool_use", Id: call.Id, Name: call.Name, Input: JsonElement.Parse("{}"))).ConfigureAwait(false);
                await DeltaAsync(new AnthropicDelta("input_json_delta", PartialJson: call.Arguments)).ConfigureAwait(false);
                await CloseAsync().ConfigureAwait(false);
            }
            else if (piece.IsReasoning)
            {
                await OpenAsync("thinking", new AnthropicBlock("thinking", Thinking: "", Signature: "")).ConfigureAwait(false);
                await DeltaAsync(new AnthropicDelta("thinking_delta", Thinking: piece.Text)).ConfigureAwait(false);
            }
            else
            {
                await OpenAsync("text", new AnthropicBlock("text", "")).ConfigureAwait(false);
                await DeltaAsync(new AnthropicDelta("text_delta", piece.Text)).ConfigureAwait(false);
            }
        }

        if (index < 0)
            await BeginAsync().ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
        (string reason, string? stop) = Reason(replies[0].Result, request);
        await SendAsync(new AnthropicEvent("message_delta", Delta: new AnthropicDelta(StopReason: reason, StopSequence: stop),
            Usage: UsageOf(replies[0].Result.Generation))).ConfigureAwait(false);
        await SendAsync(new AnthropicEvent("message_stop")).ConfigureAwait(false);

        Task BeginAsync() => SendAsync(new AnthropicEvent("message_start", Message: frame with { Usage = new AnthropicUsage(prompt, 0, 0) }));

        async Task OpenAsync(string type, AnthropicBlock block)
        {
            if (open == type)
                return;
            await CloseAsync().ConfigureAwait(false);
            open = type;
            await SendAsync(new AnthropicEvent("content_block_start", ++index, ContentBlock: block)).ConfigureAwait(false);
        }

        Task DeltaAsync(AnthropicDelta delta) => SendAsync(new AnthropicEvent("content_block_delta", index, Delta: delta));

        async Task CloseAsync()
        {
            if (open is null)
                return;
            open = null;
            await SendAsync(new AnthropicEvent("content_block_stop", index)).ConfigureAwait(false);
        }

        Task SendAsync(AnthropicEvent sent) => context.Response.SendEventAsync(sent, WireJson.Default.AnthropicEvent, sent.Type);
    }

    private static AnthropicBlock[] Blocks(ChatMessage message)
    {
        var blocks = new List<AnthropicBlock>();
        if (message.Reasoning.Length > 0)
            blocks.Add(new AnthropicBlock("thinking", Thinking: message.Reasoning, Signature: ""));
        if (message.Text.Length > 0)
            blocks.Add(new AnthropicBlock("text", message.Text));
        blocks.AddRange(message.ToolCalls.Select(call =>
            new AnthropicBlock("tool_use", Id: call.Id, Name: call.Name, Input: JsonElement.Parse(call.Arguments))));
        return [.. blocks];
    }

    /// <summary>Why it ended, and the stop text where there was one to choose from.</summary>
    private static (string Reason, string? Stop) Reason(ChatResult result, AnthropicRequest request) => Replies.Reason(result) switch
    {
        "length" => ("max_tokens", null),
        "tool_calls" => ("tool_use", null),
        _ when result.Generation.Reason == StopReason.StopText =>
            ("stop_sequence", request.Chat.Generation.Stop is [string only] ? only : null),
        _ => ("end_turn", null),
    };

    private static AnthropicUsage UsageOf(GenerationResult result) =>
        new(result.PromptTokens - result.CachedTokens, result.CachedTokens, result.Ids.Count);
}

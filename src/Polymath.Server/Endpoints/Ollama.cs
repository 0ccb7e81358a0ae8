using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polymath.Chat;
using Polymath.Files;
using Polymath.Generation;
using Polymath.Server.Wire;

namespace Polymath.Server.Endpoints;

/// <summary>POST /api/chat, /api/generate and /api/show, GET /api/tags and /api/version: Ollama's interface.</summary>
internal static class Ollama
{
    /// <summary>What the paths begin with.</summary>
    public const string Prefix = "/api";

    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedModel served)
    {
        routes.MapPost($"{Prefix}/chat", context => AnswerAsync(context, served, isChat: true));
        routes.MapPost($"{Prefix}/generate", context => AnswerAsync(context, served, isChat: false));
        routes.MapGet($"{Prefix}/tags", context => context.Response.SendAsync(new OllamaModels([Entry(served)]), WireJson.Default.OllamaModels));
        routes.MapPost($"{Prefix}/show", context => ShowAsync(context, served));
        routes.MapGet($"{Prefix}/version", context => context.Response.SendAsync(
            new OllamaVersion(typeof(Ollama).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0"),
            WireJson.Default.OllamaVersion));
    }

    private static async Task AnswerAsync(HttpContext context, ServedModel served, bool isChat)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var fields = new Fields(body.RootElement);
        OllamaRequest request = isChat
            ? OllamaRequest.ReadChat(fields, served, Access.Caller(context)) : OllamaRequest.ReadGenerate(fields, served, Access.Caller(context));
        if (request.Chat.Messages.Count == 0)   // asks whether the model is loaded
        {
            await context.Response.SendAsync(Piece("") with { Done = true, DoneReason = "load" }, WireJson.Default.OllamaReply).ConfigureAwait(false);
            return;
        }

        ChatReply[] replies = served.Start(request.Chat, 1, context.RequestAborted);
        await foreach ((int _, ReplyPiece piece) in served.ReadAsync(replies, context.RequestAborted).ConfigureAwait(false))
        {
            if (request.Stream)
                await context.Response.SendLineAsync(piece.IsReasoning ? Piece("", piece.Text) : Piece(piece.Text, null, piece.Call), WireJson.Default.OllamaReply).ConfigureAwait(false);
        }

        ChatResult result = replies[0].Result;
        if (request.Stream)
            await context.Response.SendLineAsync(Ended(Piece(""), result.Generation), WireJson.Default.OllamaReply).ConfigureAwait(false);
        else
        {
            OllamaReply whole = Piece(result.Message.Text, result.Message.Reasoning is { Length: > 0 } reasoning ? reasoning : null, [.. result.Message.ToolCalls]);
            await context.Response.SendAsync(Ended(whole, result.Generation), WireJson.Default.OllamaReply).ConfigureAwait(false);
        }

        OllamaReply Piece(string text, string? thinking = null, params ReadOnlySpan<ToolCall?> calls)
        {
            var reply = new OllamaReply(served.Name, DateTimeOffset.UtcNow, null, text, thinking, Done: false);
            OllamaCall[] called = [.. calls.ToArray().OfType<ToolCall>().Select(call => new OllamaCall(new OllamaFunction(call.Name, JsonElement.Parse(call.Arguments))))];
            return isChat
                ? reply with { Response = null, Thinking = null, Message = new OllamaMessage("assistant", text, thinking, called.Length > 0 ? called : null) }
                : reply;
        }
    }

    private static OllamaReply Ended(OllamaReply reply, GenerationResult result) => reply with
    {
        Done = true,
        DoneReason = Replies.Reason(result.Reason),
        TotalDuration = Nanoseconds(result.PromptTime + result.DecodeTime),
        LoadDuration = 0,
        PromptEvalCount = result.PromptTokens,
        PromptEvalDuration = Nanoseconds(result.PromptTime),
        EvalCount = result.Ids.Count,
        EvalDuration = Nanoseconds(result.DecodeTime),
    };

    private static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

    private static async Task ShowAsync(HttpContext context, ServedModel served)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        _ = new Fields(body.RootElement).Text("model");
        string architecture = served.Chat.Model.Settings.Architecture;
        var info = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
        {
            ["general.architecture"] = JsonElement.Parse(JsonSerializer.Serialize(architecture, WireJson.Default.String)),
            [$"{architecture}.context_length"] = JsonElement.Parse(served.Chat.Engine.ContextLength.ToString(CultureInfo.InvariantCulture)),
            [$"{architecture}.block_count"] = JsonElement.Parse(served.Chat.Model.Settings.Layers.ToString(CultureInfo.InvariantCulture)),
        };
        string[] capabilities = served.Chat.CanSwitchThinking ? ["completion", "tools", "thinking"] : ["completion", "tools"];
        await context.Response.SendAsync(new OllamaShown(Details(served), info, capabilities, served.Created), WireJson.Default.OllamaShown).ConfigureAwait(false);
    }

    private static OllamaModel Entry(ServedModel served) => new(
        served.Name, served.Name, served.Created, served.Chat.Model.Source.Tensors.Sum(tensor => tensor.ByteLength), "", Details(served));

    private static OllamaDetails Details(ServedModel served)
    {
        WeightSource source = served.Chat.Model.Source;
        string architecture = served.Chat.Model.Settings.Architecture;
        double billions = source.Tensors.Sum(tensor => tensor.ElementCount) / 1e9;
        int most = source.Tensors.GroupBy(tensor => tensor.FormatId).MaxBy(group => group.Sum(tensor => tensor.ElementCount))!.Key;
        return new OllamaDetails("gguf", architecture, [architecture], billions.ToString("0.###", CultureInfo.InvariantCulture) + "B", GgmlTypes.Name(most));
    }
}

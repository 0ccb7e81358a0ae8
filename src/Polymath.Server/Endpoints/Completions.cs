using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polymath.Generation;
using Polymath.Generation.Batching;
using Polymath.Server.Wire;
using Polymath.Text;

namespace Polymath.Server.Endpoints;

/// <summary>POST /v1/completions: how texts go on, without a chat template, whole or as events.</summary>
internal static class Completions
{
    /// <summary>Adds the endpoint.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedModel served) =>
        routes.MapPost("/v1/completions", context => AnswerAsync(context, served));

    private static async Task AnswerAsync(HttpContext context, ServedModel served)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var request = CompletionRequest.Read(new Fields(body.RootElement), served);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        try
        {
            PendingAnswer[] answers = [.. request.Prompts.SelectMany(prompt => Enumerable.Range(0, request.Count).Select(i =>
                served.Start(prompt, SamplingFields.Numbered(request.Generation, i), Access.Caller(context), stop.Token)))];
            var frame = new TextCompletion(Replies.NewId("cmpl"), "text_completion", DateTimeOffset.UtcNow.ToUnixTimeSeconds(), served.Name, [], null);
            if (request.Stream)
                await StreamAsync(context, served, request, answers, frame).ConfigureAwait(false);
            else
                await SendAsync(context, served, request, answers, frame).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    private static async Task SendAsync(
        HttpContext context, ServedModel served, CompletionRequest request, PendingAnswer[] answers, TextCompletion frame)
    {
        await foreach ((int, string) _ in ReadAsync(served, answers, context.RequestAborted).ConfigureAwait(false))
        {
        }

        GenerationResult[] results = [.. answers.Select(answer => answer.Result.Result)];
        TextChoice[] choices = [.. results.Select((result, i) =>
        {
            string echo = Echo(request, i, served);
            return new TextChoice(i, echo + result.Text, LogProbs(result, request, served, echo.Length), Replies.Reason(result.Reason));
        })];
        await context.Response.SendAsync(frame with { Choices = choices, Usage = UsageOf(results, request) }, WireJson.Default.TextCompletion).ConfigureAwait(false);
    }

    private static async Task StreamAsync(
        HttpContext context, ServedModel served, CompletionRequest request, PendingAnswer[] answers, TextCompletion frame)
    {
        var begun = new bool[answers.Length];
        await foreach ((int number, string piece) in ReadAsync(served, answers, context.RequestAborted).ConfigureAwait(false))
            await SendAsync(number, piece).ConfigureAwait(false);
        GenerationResult[] results = [.. answers.Select(answer => answer.Result.Result)];
        for (int i = 0; i < results.Length; i++)
            await SendAsync(i, "", LogProbs(results[i], request, served, Echo(request, i, served).Length), Replies.Reason(results[i].Reason)).ConfigureAwait(false);
        if (request.IncludeUsage)
            await context.Response.SendEventAsync(frame with { Usage = UsageOf(results, request) }, WireJson.Default.TextCompletion).ConfigureAwait(false);
        await context.Response.SendDoneAsync().ConfigureAwait(false);

        Task SendAsync(int number, string text, TextLogProbs? probabilities = null, string? reason = null)
        {
            string echo = begun[number] ? "" : Echo(request, number, served);
            begun[number] = true;
            return context.Response.SendEventAsync(
                frame with { Choices = [new TextChoice(number, echo + text, probabilities, reason)] }, WireJson.Default.TextCompletion);
        }
    }

    /// <summary>The pieces of all texts as they come, each with the number of its text.</summary>
    private static IAsyncEnumerable<(int Number, string Piece)> ReadAsync(ServedModel served, PendingAnswer[] answers, CancellationToken cancellation)
    {
        var pieces = Channel.CreateUnbounded<(int, string)>(new UnboundedChannelOptions { SingleReader = true });
        Task all = Task.WhenAll(answers.Select(PumpAsync));
        _ = all.ContinueWith(done => pieces.Writer.TryComplete(done.Exception?.InnerException), TaskScheduler.Default);
        return pieces.Reader.ReadAllAsync(cancellation);

        async Task PumpAsync(PendingAnswer answer, int number)
        {
            await foreach (string piece in served.ReadAsync(answer).ConfigureAwait(false))
                pieces.Writer.TryWrite((number, piece));
        }
    }

    private static string Echo(CompletionRequest request, int number, ServedModel served) =>
        request.Echo ? served.Chat.Model.Tokenizer.Decode(request.Prompts[number / request.Count]) : "";

    private static Usage UsageOf(GenerationResult[] results, CompletionRequest request)
    {
        GenerationResult[] prompts = [.. results.Where((_, i) => i % request.Count == 0)];
        return Replies.Usage(prompts.Sum(r => r.PromptTokens), prompts.Sum(r => r.CachedTokens), results.Sum(r => r.Ids.Count), null);
    }

    private static TextLogProbs? LogProbs(GenerationResult result, CompletionRequest request, ServedModel served, int echoed)
    {
        if (request.Generation.LogProbs is null)
            return null;
        Tokenizer tokenizer = served.Chat.Model.Tokenizer;
        string[] tokens = [.. result.LogProbs.Select(token => Replies.TextOf(token.Chosen.Id, tokenizer))];
        var offsets = new int[tokens.Length];   // in the text as sent, behind the prompt where that is part of it
        for (int i = 0, offset = echoed; i < offsets.Length; i++)
        {
            offsets[i] = offset;
            offset += tokens[i].Length;
        }

        return new TextLogProbs(tokens, [.. result.LogProbs.Select(token => Math.Max(token.Chosen.LogProb, -9999f))],
            [.. result.LogProbs.Select(token => Likeliest(token, tokenizer))], offsets);
    }

    private static Dictionary<string, float> Likeliest(AnswerToken token, Tokenizer tokenizer)
    {
        var likeliest = new Dictionary<string, float>(StringComparer.Ordinal);
        foreach (TokenLogProb other in token.Likeliest)
            likeliest.TryAdd(Replies.TextOf(other.Id, tokenizer), Math.Max(other.LogProb, -9999f));
        return likeliest;
    }
}

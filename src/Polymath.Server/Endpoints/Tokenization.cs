using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polymath.Server.Wire;

namespace Polymath.Server.Endpoints;

/// <summary>POST /tokenize and /detokenize: text to ids and back.</summary>
internal static class Tokenization
{
    private const int MostIds = 4 << 20;

    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedModel served)
    {
        routes.MapPost("/tokenize", context => TokenizeAsync(context, served));
        routes.MapPost("/detokenize", context => DetokenizeAsync(context, served));
    }

    private static async Task TokenizeAsync(HttpContext context, ServedModel served)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var fields = new Fields(body.RootElement);
        string text = fields.Text("content") ?? fields.Text("prompt") ?? throw fields.Wrong("content", "is missing");
        int[] ids = served.Chat.Model.Tokenizer.Encode(text, fields.Flag("add_special") ?? false, fields.Flag("parse_special") ?? true);
        await context.Response.SendAsync(new TokenizedText(ids, ids.Length), WireJson.Default.TokenizedText).ConfigureAwait(false);
    }

    private static async Task DetokenizeAsync(HttpContext context, ServedModel served)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        int[] ids = new Fields(body.RootElement).Ids("tokens", MostIds, served.Vocabulary);
        var text = new DetokenizedText(served.Chat.Model.Tokenizer.Decode(ids));
        await context.Response.SendAsync(text, WireJson.Default.DetokenizedText).ConfigureAwait(false);
    }
}

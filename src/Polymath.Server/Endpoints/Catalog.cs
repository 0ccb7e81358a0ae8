using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Polymath.Server.Wire;

namespace Polymath.Server.Endpoints;

/// <summary>GET /v1/models and /v1/models/{id}: the one model there is.</summary>
internal static class Catalog
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedModel served)
    {
        routes.MapGet("/v1/models", context =>
            context.Response.SendAsync(new ModelList("list", [Entry(served)]), WireJson.Default.ModelList));
        routes.MapGet("/v1/models/{**id}", context => (string?)context.Request.RouteValues["id"] == served.Name
            ? context.Response.SendAsync(Entry(served), WireJson.Default.ModelEntry)
            : throw new ApiException(404, "there is no such model") { Field = "model", Code = "model_not_found" });
    }

    private static ModelEntry Entry(ServedModel served) =>
        new(served.Name, "model", served.Created.ToUnixTimeSeconds(), "polymath", served.Chat.Engine.ContextLength);
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polymath.Server.Wire;

namespace Polymath.Server.Endpoints;

/// <summary>GET /health/live, /health/ready and /metrics: for those who run the server.</summary>
internal static class Monitoring
{
    /// <summary>Adds the endpoints.</summary>
    public static void Map(IEndpointRouteBuilder routes, ServedModel served, ServerMetrics metrics)
    {
        routes.MapGet(Access.Public, context => context.Response.SendAsync(new HealthStatus("live"), WireJson.Default.HealthStatus));
        routes.MapGet("/health/ready", context => served.IsDraining
            ? throw new ApiException(503, "the server is stopping")
            : context.Response.SendAsync(new HealthStatus("ready"), WireJson.Default.HealthStatus));
        routes.MapGet("/metrics", context =>
        {
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return context.Response.WriteAsync(metrics.Write(served.Chat.Engine.Statistics), context.RequestAborted);
        });
    }
}

using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Polymath.Server.Wire;

namespace Polymath.Server;

/// <summary>The ways of answering a request: whole, as events (SSE), or as lines of JSON.</summary>
internal static class Answers
{
    /// <summary>Media type of events.</summary>
    public const string Events = "text/event-stream";

    /// <summary>Media type of lines of JSON.</summary>
    public const string Lines = "application/x-ndjson";

    /// <summary>Sends a whole answer.</summary>
    public static async Task SendAsync<T>(this HttpResponse response, T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        WireJson.Write(response.BodyWriter, value, type);
        await response.BodyWriter.FlushAsync(response.HttpContext.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Sends an event. The first one sends the headers: what goes wrong before it still has a status of its own.</summary>
    /// <param name="response">Where to.</param>
    /// <param name="value">What.</param>
    /// <param name="type">How it becomes JSON.</param>
    /// <param name="name">Name of the event; null for none.</param>
    public static async Task SendEventAsync<T>(this HttpResponse response, T value, JsonTypeInfo<T> type, string? name = null)
    {
        PipeWriter body = Begin(response, Events);
        if (name is not null)
            body.Write(Encoding.UTF8.GetBytes($"event: {name}\n"));
        body.Write("data: "u8);
        WireJson.Write(body, value, type);
        body.Write("\n\n"u8);
        await body.FlushAsync(response.HttpContext.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Sends the event that ends a stream in OpenAI's form.</summary>
    public static async Task SendDoneAsync(this HttpResponse response)
    {
        PipeWriter body = Begin(response, Events);
        body.Write("data: [DONE]\n\n"u8);
        await body.FlushAsync(response.HttpContext.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Sends a line of JSON.</summary>
    public static async Task SendLineAsync<T>(this HttpResponse response, T value, JsonTypeInfo<T> type)
    {
        PipeWriter body = Begin(response, Lines);
        WireJson.Write(body, value, type);
        body.Write("\n"u8);
        await body.FlushAsync(response.HttpContext.RequestAborted).ConfigureAwait(false);
    }

    private static PipeWriter Begin(HttpResponse response, string type)
    {
        if (!response.HasStarted)
        {
            response.ContentType = type;
            response.Headers.CacheControl = "no-store";
        }

        return response.BodyWriter;
    }

    private static void Write(this PipeWriter body, ReadOnlySpan<byte> bytes) => System.Buffers.BuffersExtensions.Write(body, bytes);
}

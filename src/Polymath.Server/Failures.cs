using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polymath.Files;
using Polymath.Generation.Batching;
using Polymath.Generation.Constraints;
using Polymath.Server.Endpoints;
using Polymath.Server.Wire;
using Polymath.Text.Templates;

namespace Polymath.Server;

/// <summary>Turns what goes wrong into an answer, in the form of the interface that was asked. Says nothing of paths or insides.</summary>
internal sealed class Failures(ServerOptions options, ServerMetrics metrics)
{
    /// <summary>What is wrong with an argument, without the name of a parameter that no client knows.</summary>
    public static string MessageOf(ArgumentException exception) => exception.ParamName is { } name
        ? exception.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : exception.Message;

    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        int status = 0;
        try
        {
            await next(context).ConfigureAwait(false);
            status = context.Response.StatusCode;
            if (status is 404 or 405 && !context.Response.HasStarted)
                await SendAsync(context, new ApiException(status, status == 404 ? "there is no such endpoint" : "the endpoint has no such method")).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            status = StatusCodes.Status499ClientClosedRequest;   // nobody is there to be told
        }
        catch (Exception e)
        {
            ApiException told = Describe(e);
            status = told.Status;
            await SendAsync(context, told).ConfigureAwait(false);
        }
        finally
        {
            string? endpoint = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
            metrics.Request(endpoint ?? "none", status);
        }
    }

    private ApiException Describe(Exception exception)
    {
        switch (exception)
        {
            case ApiException known:
                return known;
            case BadHttpRequestException bad:
                return new ApiException(bad.StatusCode, bad.StatusCode == 413
                    ? $"the body is longer than {ServerOptions.LongestBody} bytes" : "the request is no valid HTTP");
            case EngineBusyException busy:
                return new ApiException(429, busy.Message) { Code = "engine_busy" };
            case ObjectDisposedException:
                return new ApiException(503, "the server is stopping");
            case ConstraintException constraint:
                return new ApiException(400, constraint.Message) { Code = "constraint_not_supported" };
            case TemplateException template:
                return new ApiException(400, $"the model's chat template refuses the conversation: {template.Message}") { Field = "messages" };
            case ModelFormatException:
                options.OnDefect?.Invoke(exception);
                return new ApiException(500, "the model's weights are damaged") { Code = "model_damaged" };
            default:
                options.OnDefect?.Invoke(exception);
                return new ApiException(500, "the server failed") { Code = "internal_error" };
        }
    }

    private static Task SendAsync(HttpContext context, ApiException error)
    {
        HttpResponse response = context.Response;
        if (!response.HasStarted)
        {
            if (error.Status is 429 or 503)
                response.Headers.RetryAfter = "1";
            if (error.Status == 401)
                response.Headers.WWWAuthenticate = "Bearer";
        }

        PathString path = context.Request.Path;
        if (path.StartsWithSegments(Anthropic.Prefix, StringComparison.Ordinal))
            return SendAsync(response, new AnthropicError("error", new AnthropicErrorDetail(error.Type, error.Message)), WireJson.Default.AnthropicError, error.Status, "error");
        return path.StartsWithSegments(Ollama.Prefix, StringComparison.Ordinal)
            ? SendAsync(response, new OllamaError(error.Message), WireJson.Default.OllamaError, error.Status)
            : SendAsync(response, new ErrorBody(new ErrorDetail(error.Message, error.Type, error.Field, error.Code)), WireJson.Default.ErrorBody, error.Status);
    }

    /// <summary>As an answer, or as the end of one that has begun.</summary>
    private static Task SendAsync<T>(HttpResponse response, T error, JsonTypeInfo<T> type, int status, string? name = null) =>
        !response.HasStarted ? response.SendAsync(error, type, status)
        : response.ContentType == Answers.Events ? response.SendEventAsync(error, type, name)
        : response.ContentType == Answers.Lines ? response.SendLineAsync(error, type)
        : Task.CompletedTask;
}

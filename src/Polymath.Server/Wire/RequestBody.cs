using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace Polymath.Server.Wire;

/// <summary>Reads the JSON of a request. What is read can be read on without surprises: valid UTF-8, whole characters, no name twice.</summary>
internal static class RequestBody
{
    private static readonly JsonReaderOptions Reading = new() { MaxDepth = ServerOptions.DeepestJson };

    private static readonly JsonDocumentOptions Parsing = new() { MaxDepth = ServerOptions.DeepestJson, AllowDuplicateProperties = false };

    /// <summary>The body as JSON, to be disposed of.</summary>
    /// <exception cref="ApiException">It is none, or too deep.</exception>
    /// <exception cref="BadHttpRequestException">It is too long.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpContext context)
    {
        var bytes = new ArrayBufferWriter<byte>();
        PipeReader reader = context.Request.BodyReader;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            foreach (ReadOnlyMemory<byte> part in result.Buffer)
                bytes.Write(part.Span);
            reader.AdvanceTo(result.Buffer.End);
            if (bytes.WrittenCount > ServerOptions.LongestBody)
                throw new BadHttpRequestException("the body is too long", StatusCodes.Status413PayloadTooLarge);
            if (result.IsCompleted)
                break;
        }

        return Parse(bytes.WrittenMemory);
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> bytes)
    {
        if (!Utf8.IsValid(bytes.Span))
            throw new ApiException(400, "the body is no UTF-8");
        try
        {
            CheckTexts(bytes.Span);
            return JsonDocument.Parse(bytes, Parsing);
        }
        catch (JsonException e)
        {
            string where = e.LineNumber is { } line ? $" at line {line + 1}, byte {e.BytePositionInLine + 1}" : "";
            throw new ApiException(400, $"the body is no valid JSON{where}, or nested deeper than {ServerOptions.DeepestJson}, or has a name twice");
        }
    }

    /// <summary>An escape may write half a character, which is no text.</summary>
    private static void CheckTexts(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes, Reading);
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped)
                continue;
            try
            {
                _ = reader.GetString();
            }
            catch (InvalidOperationException)
            {
                throw new ApiException(400, "a string of the body holds half a surrogate pair");
            }
        }
    }
}

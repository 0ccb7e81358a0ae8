using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Polymath.Server;

/// <summary>
/// Who is answered. Requests that a web page of somebody else sends through a person's browser are refused by their Host
/// and Origin; with keys, so is everybody without one.
/// </summary>
internal sealed class Access(ServerOptions options)
{
    /// <summary>The only endpoint that needs no key.</summary>
    public const string Public = "/health/live";

    private readonly byte[][] _keys = [.. options.ApiKeys.Select(key => SHA256.HashData(Encoding.UTF8.GetBytes(key)))];

    /// <summary>Lets a request pass, or refuses it.</summary>
    /// <exception cref="ApiException">It is refused.</exception>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        if (IPAddress.IsLoopback(options.Host) && !IsLoopbackName(request.Host.Host))
            throw new ApiException(403, "the Host header names another machine");
        if (request.Headers.Origin is [{ } origin, ..] && !IsSame(origin, request))
            throw new ApiException(403, "the Origin header names another site");
        int key = _keys.Length > 0 ? Find(request) : -1;
        if (_keys.Length > 0 && key < 0 && request.Path != Public)
            throw new ApiException(401, "a key is needed: Authorization: Bearer KEY") { Code = "invalid_api_key" };
        context.Items[typeof(Access)] = key >= 0 ? $"key {key}" : context.Connection.RemoteIpAddress?.ToString() ?? "";
        return next(context);
    }

    /// <summary>Whose request it is, for the engine to be fair.</summary>
    public static string Caller(HttpContext context) => context.Items[typeof(Access)] as string ?? "";

    private static bool IsSame(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && string.Equals(uri.Host, request.Host.Host, StringComparison.OrdinalIgnoreCase)
        && uri.Port == (request.Host.Port ?? (request.IsHttps ? 443 : 80));

    private static bool IsLoopbackName(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    /// <summary>Number of the key, or −1. Takes as long for a wrong key as for a right one.</summary>
    private int Find(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        string authorization = request.Headers.Authorization.ToString();
        string given = authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? authorization[Scheme.Length..].Trim() : request.Headers["x-api-key"].ToString();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(given), hash);
        int found = -1;
        for (int i = 0; i < _keys.Length; i++)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, _keys[i]))
                found = i;
        }

        return found;
    }
}

using System.Net;
using System.Net.Http.Headers;

namespace Polymath.Hub;

/// <summary>What came of a request after its redirects: the response, its body unread, and what the hub said on the way.</summary>
internal sealed class HubAnswer(HttpResponseMessage response, Uri address, string? commit, string? linkedDigest) : IDisposable
{
    public HttpStatusCode Status => response.StatusCode;

    /// <summary>Where the response came from.</summary>
    public Uri Address => address;

    /// <summary>The commit that the files belong to: 40 hexadecimal digits, or null when the hub did not say.</summary>
    public string? Commit => commit;

    /// <summary>SHA-256 of the file as the hub's redirect gave it, or null.</summary>
    public string? LinkedDigest => linkedDigest;

    /// <summary>An ETag that names these very bytes, for If-Range; weak ones do not.</summary>
    public string? StrongTag => response.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null;

    /// <summary>Bytes of the body, where the server says so.</summary>
    public long? Length => response.Content.Headers.ContentLength;

    /// <summary>Which bytes of the file a partial answer holds.</summary>
    public ContentRangeHeaderValue? Range => response.Content.Headers.ContentRange;

    /// <summary>Values of a header, none when it is missing.</summary>
    public IEnumerable<string> Header(string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values : [];

    /// <summary>The time the server asks to wait, zero when it does not.</summary>
    public TimeSpan RetryAfter => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date > DateTimeOffset.UtcNow ? date - DateTimeOffset.UtcNow : TimeSpan.Zero,
        _ => TimeSpan.Zero,
    };

    public Task<Stream> Body(CancellationToken cancellation) => response.Content.ReadAsStreamAsync(cancellation);

    public void Dispose() => response.Dispose();
}

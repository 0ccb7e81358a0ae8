using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Polymath.Hub;

/// <summary>
/// Requests to a hub that speaks the HTTP interface of huggingface.co. Redirects are followed here and not by the
/// framework, because the token may go to the endpoint's own scheme, host and port and nowhere else.
/// </summary>
internal sealed class HubClient : IDisposable
{
    private const int MaxRedirects = 10;

    private static readonly Regex s_nextLink = new("<([^<>]+)>[ ]*;[ ]*rel=\"?next\"?", RegexOptions.NonBacktracking);

    private readonly HubOptions _options;
    private readonly Action<string> _tell;
    private readonly HttpClient _http;

    public HubClient(HubOptions options, Action<string> tell)
    {
        _options = options;
        _tell = tell;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(20),
        };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("polymath", typeof(HubClient).Assembly.GetName().Version?.ToString(3)));
        _http.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
    }

    /// <summary>All files of the main branch, and the commit they belong to where the hub says so.</summary>
    public async Task<(HubListing Listing, string? Commit)> List(string repository, CancellationToken cancellation)
    {
        var listing = new HubListing(repository);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        string? commit = null;
        Uri? page = new(_options.Endpoint, $"api/models/{repository}/tree/main?recursive=true");
        while (page is not null)
        {
            if (!seen.Add(page.AbsoluteUri) || seen.Count > HubListing.Pages)
                throw new HubException($"{repository}: the list of files that the hub sent does not end");
            Uri current = page;
            var tries = new Tries(_options, _tell);
            while (true)
            {
                try
                {
                    using HubAnswer answer = await Get(current, repository, null, cancellation).ConfigureAwait(false);
                    listing.Add(await ReadPage(answer, repository, cancellation).ConfigureAwait(false));
                    commit ??= answer.Commit;
                    page = Next(answer);
                    break;
                }
                catch (HubException e) when (e.IsPassing)
                {
                    await tries.Again(e, cancellation).ConfigureAwait(false);
                }
            }
        }

        return (listing, commit);
    }

    /// <summary>A file from byte <paramref name="from"/> on, where it is still the one that <paramref name="tag"/> names; else from its start.</summary>
    public Task<HubAnswer> Open(string repository, string revision, string path, long from, string? tag, CancellationToken cancellation)
    {
        string escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        var address = new Uri(_options.Endpoint, $"{repository}/resolve/{revision}/{escaped}");
        return Get(address, repository, from == 0 ? null : Continue, cancellation);

        void Continue(HttpRequestMessage request)
        {
            request.Headers.Range = new RangeHeaderValue(from, null);
            if (tag is not null && EntityTagHeaderValue.TryParse(tag, out EntityTagHeaderValue? parsed))
                request.Headers.IfRange = new RangeConditionHeaderValue(parsed);
        }
    }

    /// <summary>Reads from a body; a server that falls silent is a broken connection.</summary>
    public async ValueTask<int> Read(Stream body, Memory<byte> buffer, CancellationToken cancellation)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(_options.Patience);
        try
        {
            return await body.ReadAsync(buffer, late.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            throw new HubException("the connection broke", e) { IsPassing = true };
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Follows redirects to an answer with a body, or throws what is wrong.</summary>
    private async Task<HubAnswer> Get(Uri address, string repository, Action<HttpRequestMessage>? prepare, CancellationToken cancellation)
    {
        string? commit = null, digest = null;
        for (int hop = 0; hop <= MaxRedirects; hop++)
        {
            HttpResponseMessage response = await Send(address, prepare, cancellation).ConfigureAwait(false);
            if (IsEndpoint(address))
            {
                commit ??= Hexadecimal(response, "X-Repo-Commit", 40);
                digest ??= Hexadecimal(response, "X-Linked-ETag", 64);
            }

            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
            {
                var answer = new HubAnswer(response, address, commit, digest);
                if (Problem(answer, repository) is not { } problem)
                    return answer;
                answer.Dispose();
                throw problem;
            }

            using (response)
                address = Target(address, response.Headers.Location);
        }

        throw new HubException($"{repository}: the hub redirects without end");
    }

    private async Task<HttpResponseMessage> Send(Uri address, Action<HttpRequestMessage>? prepare, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (_options.Token is not null && IsEndpoint(address))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _options.Token);
        prepare?.Invoke(request);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(_options.Patience);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, late.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            bool trust = e.HttpRequestError == HttpRequestError.SecureConnectionError;
            throw new HubException($"{address.Host} cannot be reached ({(e.InnerException ?? e).Message})", e) { IsPassing = !trust };
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new HubException($"{address.Host} does not answer", e) { IsPassing = true };
        }
    }

    private HubException? Problem(HubAnswer answer, string repository)
    {
        int status = (int)answer.Status;
        string code = answer.Header("X-Error-Code").FirstOrDefault() ?? "";
        bool hub = IsEndpoint(answer.Address);
        return status switch
        {
            200 or 206 or 416 => null,
            401 or 403 when hub && code == "GatedRepo" => new HubException(
                $"{repository} is gated: accept its terms at {new Uri(_options.Endpoint, repository)} and set HF_TOKEN to a token of that account"),
            401 or 403 when hub && _options.Token is null =>
                new HubException($"{repository} does not exist, or is private and needs HF_TOKEN (the hub answered {status})"),
            401 or 403 when hub => new HubException(
                $"{repository} does not exist, or is closed to the account of HF_TOKEN (the hub answered {status})"),
            404 when hub => new HubException(code == "EntryNotFound"
                ? $"{repository}: a file is gone from the hub; it was changed meanwhile, try again"
                : $"{repository} is not on {answer.Address.Host}"),
            403 or 408 or 425 or 429 or >= 500 =>   // 403 of another host: the signed address has run out, the next one is new
                new HubException($"{answer.Address.Host} answered {status}") { IsPassing = true, Wait = answer.RetryAfter },
            _ => new HubException($"{repository}: {answer.Address.Host} answered {status}"),
        };
    }

    private static Uri Target(Uri from, Uri? location)
    {
        if (location is null || !Uri.TryCreate(from, location, out Uri? to) || to.Scheme is not ("http" or "https") || to.UserInfo.Length > 0)
            throw new HubException($"{from.Host} redirects to nowhere");
        return from.Scheme == "https" && to.Scheme == "http"
            ? throw new HubException($"{from.Host} redirects from https to http, which is not followed")
            : to;
    }

    private bool IsEndpoint(Uri address) =>
        Uri.Compare(address, _options.Endpoint, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;

    private static string? Hexadecimal(HttpResponseMessage response, string header, int length)
    {
        string? value = response.Headers.TryGetValues(header, out IEnumerable<string>? values) ? values.First().Trim('"') : null;
        return value?.Length == length && value.All(char.IsAsciiHexDigit) ? value.ToLowerInvariant() : null;
    }

    private async Task<ReadOnlyMemory<byte>> ReadPage(HubAnswer answer, string repository, CancellationToken cancellation)
    {
        if (answer.Status != HttpStatusCode.OK)
            throw new HubException($"{repository}: the hub answered {(int)answer.Status}");
        Stream body = await answer.Body(cancellation).ConfigureAwait(false);
        byte[] buffer = new byte[1 << 16];
        using var page = new MemoryStream();
        for (int count; (count = await Read(body, buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            if (page.Length + count > HubListing.PageBytes)
                throw new HubException($"{repository}: the list of files that the hub sent is too long");
            page.Write(buffer, 0, count);
        }

        return page.GetBuffer().AsMemory(0, (int)page.Length);
    }

    private static Uri? Next(HubAnswer answer)
    {
        foreach (string header in answer.Header("Link"))
        {
            if (s_nextLink.Match(header) is { Success: true } match)
                return Uri.TryCreate(match.Groups[1].Value, UriKind.RelativeOrAbsolute, out Uri? link) ? Target(answer.Address, link) : null;
        }

        return null;
    }
}

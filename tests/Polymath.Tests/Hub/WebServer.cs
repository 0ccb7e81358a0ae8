using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Polymath.Tests.Hub;

/// <summary>One request as a server sees it.</summary>
internal sealed record WebRequest(string Target, Dictionary<string, string> Headers)
{
    /// <summary>The path without the query.</summary>
    public string Path => Uri.UnescapeDataString(Target.Split('?')[0]);

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>The first byte that a Range header asks for, or 0.</summary>
    public long From => Header("Range") is { } range ? long.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture) : 0;
}

/// <summary>
/// An HTTP/1.1 server for tests that may lie and break off: what is written to a connection is up to the answer, byte
/// for byte. A connection serves one request.
/// </summary>
internal sealed class WebServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<WebRequest, WebAnswer> _respond;
    private readonly CancellationTokenSource _end = new();

    public WebServer(Func<WebRequest, WebAnswer> respond)
    {
        _respond = respond;
        _listener.Start();
        _ = Task.Run(Accept);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Address => new($"http://127.0.0.1:{Port}/");

    /// <summary>All requests so far.</summary>
    public ConcurrentQueue<WebRequest> Requests { get; } = new();

    public void Dispose()
    {
        _end.Cancel();   // not disposed: a test may end a server before its hub does
        _listener.Stop();
    }

    private async Task Accept()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = Task.Run(() => Serve(client));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                if (await ReadHead(stream) is not { } request)
                    return;
                Requests.Enqueue(request);
                await _respond(request).Write(stream);
                client.Client.Shutdown(SocketShutdown.Send);
                client.Client.LingerState = new LingerOption(false, 0);
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                // The client has gone; that is its right.
            }
        }
    }

    private static async Task<WebRequest?> ReadHead(NetworkStream stream)
    {
        var head = new List<byte>();
        byte[] one = new byte[1];
        while (!(head.Count >= 4 && head[^1] == '\n' && head[^3] == '\n'))
        {
            if (await stream.ReadAsync(one) == 0)
                return null;
            head.Add(one[0]);
        }

        string[] lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase);
        return new WebRequest(lines[0].Split(' ')[1], headers);
    }
}

/// <summary>What a server sends back.</summary>
internal sealed record WebAnswer(int Status, byte[] Body, params (string Name, string Value)[] Headers)
{
    /// <summary>The Content-Length to claim; null for the true one, negative for none.</summary>
    public long? Claim { get; init; }

    /// <summary>Bytes of the body after which the connection breaks off.</summary>
    public long? BreakAt { get; init; }

    /// <summary>Repeat the body without end.</summary>
    public bool Endless { get; init; }

    /// <summary>Called after every few kilobytes.</summary>
    public Func<Task>? Pace { get; init; }

    public static WebAnswer Text(int status, string body, params (string, string)[] headers) => new(status, Encoding.UTF8.GetBytes(body), headers);

    public static WebAnswer Redirect(string to, params (string, string)[] headers) => new(302, [], [("Location", to), .. headers]);

    public async Task Write(Stream stream)
    {
        var head = new StringBuilder($"HTTP/1.1 {Status} Answer\r\nConnection: close\r\n");
        if (!Endless && (Claim ?? Body.Length) is >= 0 and var length)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        foreach ((string name, string value) in Headers)
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        await stream.WriteAsync(Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()));
        int end = (int)Math.Min(Body.Length, BreakAt ?? Body.Length);
        do
        {
            for (int at = 0; at < end; at += 4096)
            {
                await stream.WriteAsync(Body.AsMemory(at, Math.Min(4096, end - at)));
                await (Pace?.Invoke() ?? Task.CompletedTask);
            }
        }
        while (Endless && end > 0);
    }
}

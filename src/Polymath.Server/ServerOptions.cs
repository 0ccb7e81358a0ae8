using System.Net;

namespace Polymath.Server;

/// <summary>Where a server listens and whom it answers.</summary>
public sealed record ServerOptions
{
    /// <summary>Largest body of a request, in bytes.</summary>
    public const int LongestBody = 8 << 20;

    /// <summary>Deepest nesting of JSON in a request.</summary>
    public const int DeepestJson = 64;

    /// <summary>Most connections at a time; more are closed at once.</summary>
    public const int MostConnections = 1024;

    /// <summary>The address to listen on.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 for one that is free.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Keys that open the server; with none it is open to all of this machine, and to nobody else.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>What the model is called.</summary>
    public string ModelName { get; init; } = "polymath";

    /// <summary>How long a server that stops waits for what is being written.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Told of defects: what a request died of that nobody foresaw.</summary>
    public Action<Exception>? OnDefect { get; init; }
}

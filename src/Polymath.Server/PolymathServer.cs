using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Polymath.Chat;
using Polymath.Server.Endpoints;

namespace Polymath.Server;

/// <summary>A model behind HTTP. Requests share the model's batches; who goes away frees what his request holds.</summary>
public sealed class PolymathServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ServedModel _served;
    private readonly ServerOptions _options;

    private PolymathServer(WebApplication application, ServedModel served, ServerOptions options)
    {
        _application = application;
        _served = served;
        _options = options;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>All endpoints: method and path.</summary>
    internal IEnumerable<(string Method, string Path)> Endpoints =>
        ((IEndpointRouteBuilder)_application).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().SelectMany(endpoint =>
            (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []).Select(method => (method, endpoint.RoutePattern.RawText!)));

    /// <summary>Starts to listen.</summary>
    /// <param name="chat">The model; it must outlive the server, which drains its engine when it stops.</param>
    /// <param name="options">Where, and for whom.</param>
    /// <param name="cancellation">Gives up starting.</param>
    /// <exception cref="ArgumentException">An address that others can reach, and no key.</exception>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<PolymathServer> StartAsync(ChatModel chat, ServerOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(chat);
        ArgumentNullException.ThrowIfNull(options);
        if (options.ApiKeys.Any(string.IsNullOrWhiteSpace))
            throw new ArgumentException("an API key is empty", nameof(options));
        if (options.ApiKeys.Count == 0 && !IPAddress.IsLoopback(options.Host))
            throw new ArgumentException($"{options.Host} can be reached from other machines: that needs an API key", nameof(options));
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, options));
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Grace);
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        WebApplication application = builder.Build();
        var metrics = new ServerMetrics();
        var served = new ServedModel(chat, options, metrics);
        application.Use(new Failures(options, metrics).InvokeAsync);
        application.Use(new Access(options).InvokeAsync);
        application.UseRouting();
        ChatCompletions.Map(application, served);
        Completions.Map(application, served);
        Catalog.Map(application, served);
        Tokenization.Map(application, served);
        Anthropic.Map(application, served);
        Ollama.Map(application, served);
        Monitoring.Map(application, served, metrics);
        var server = new PolymathServer(application, served, options);
        try
        {
            await application.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return server;
    }

    /// <summary>Runs until <paramref name="cancellation"/> or SIGTERM, then stops.</summary>
    public async Task RunAsync(CancellationToken cancellation = default)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration cancelled = cancellation.Register(() => end.TrySetResult());
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            end.TrySetResult();
        });
        await end.Task.ConfigureAwait(false);
        await StopAsync().ConfigureAwait(false);
    }

    /// <summary>Takes no more requests, waits for those that are there as long as the options allow, and closes.</summary>
    public async Task StopAsync()
    {
        _served.IsDraining = true;
        await Task.WhenAny(_served.Chat.Engine.DrainAsync(), Task.Delay(_options.Grace)).ConfigureAwait(false);
        using var last = new CancellationTokenSource(TimeSpan.FromSeconds(2));   // what is written still has to be sent
        await _application.StopAsync(last.Token).ConfigureAwait(false);
    }

    /// <summary>Closes at once; what is being written is cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync().ConfigureAwait(false);
        await _application.StopAsync(now.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    private static void Limit(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = ServerOptions.LongestBody;
        kestrel.Limits.MaxConcurrentConnections = ServerOptions.MostConnections;
        kestrel.Listen(options.Host, options.Port);
    }
}

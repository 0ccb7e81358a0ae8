using System.Text;
using System.Text.Json;
using Polymath.Chat;
using Polymath.Files;
using Polymath.Generation.Batching;
using Polymath.Server;
using Xunit;

namespace Polymath.Tests.Server;

/// <summary>A server over a tiny random model, on a port of its own, and a client for it.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    /// <summary>Words at the start of a chat request that never ends by itself: the end token is banned.</summary>
    public const string Endless = """{"messages": [{"role": "user", "content": "x"}], "logit_bias": {"256": -100}, "seed": 1""";

    private readonly string _path;

    private ServerUnderTest(string path, ChatModel chat, PolymathServer server)
    {
        _path = path;
        Chat = chat;
        Server = server;
        Client = new HttpClient { BaseAddress = server.Address };
    }

    public ChatModel Chat { get; }

    public PolymathServer Server { get; }

    public HttpClient Client { get; }

    public static async Task<ServerUnderTest> StartAsync(
        ServerOptions? options = null, EngineOptions? engine = null, Action<Metadata, List<GgufWriter.Entry>>? change = null)
    {
        string path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");
        TinyModel.Write(path, change: change);
        var chat = ChatModel.Load(path, new() { Threads = 1 }, engine ?? new EngineOptions { ContextLength = 2048 });
        var server = await PolymathServer.StartAsync(chat, (options ?? new ServerOptions()) with { Port = 0 }, TestContext.Current.CancellationToken);
        return new ServerUnderTest(path, chat, server);
    }

    public Task<HttpResponseMessage> PostAsync(string path, string json) =>
        Client.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);

    /// <summary>Posts and takes the answer as JSON, which must have the status 200.</summary>
    public async Task<JsonElement> AskAsync(string path, string json)
    {
        using HttpResponseMessage response = await PostAsync(path, json);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True((int)response.StatusCode == 200, $"{(int)response.StatusCode} {text}");
        return JsonElement.Parse(text);
    }

    /// <summary>Posts and takes the events of the answer: their data, in order.</summary>
    public async Task<List<string>> EventsAsync(string path, string json)
    {
        using HttpResponseMessage response = await PostAsync(path, json);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True((int)response.StatusCode == 200, $"{(int)response.StatusCode} {text}");
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(e => e.Split("data: ", 2)[1])];
    }

    /// <summary>Waits until the engine has nothing to do.</summary>
    public async Task IdleAsync()
    {
        for (int i = 0; i < 600 && (Chat.Engine.Statistics.Running > 0 || Chat.Engine.Statistics.Waiting > 0); i++)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.Equal((0, 0), (Chat.Engine.Statistics.Running, Chat.Engine.Statistics.Waiting));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        Chat.Dispose();
        File.Delete(_path);
    }
}

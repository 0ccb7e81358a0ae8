using Microsoft.Extensions.AI;
using Polymath.Extensions.AI;
using Polymath.Generation;
using Polymath.Generation.Batching;
using Polymath.Models;
using ChatModel = Polymath.Chat.ChatModel;

namespace Polymath.Tests.ExtensionsAI;

/// <summary>A client over a model of random weights, which never ends a text by itself. What it says makes no sense; how it says it must.</summary>
internal sealed class TinyChat : IDisposable
{
    /// <summary>Begins with reasoning when asked to.</summary>
    public const string ThinkingTemplate =
        "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}assistant: {% if enable_thinking %}<think>\n{% endif %}";

    private readonly string _path;

    public TinyChat(EngineOptions? options = null, string? template = null, int contextLength = 4096)
    {
        _path = WriteFile(template, contextLength);
        Client = PolymathChatClient.Load(
            _path, new ModelOptions { Threads = 2 }, options ?? new EngineOptions { ContextLength = contextLength }, "tiny", Defaults);
    }

    public static GenerationOptions Defaults { get; } = new()
    {
        MaxTokens = 24,
        Sampling = new SamplingOptions { Seed = 7, LogitBias = new Dictionary<int, float> { [256] = -12 } },
    };

    public PolymathChatClient Client { get; }

    public ChatModel Model => (ChatModel)Client.GetService(typeof(ChatModel))!;

    public Engine Engine => Model.Engine;

    public static string WriteFile(string? template = null, int contextLength = 4096)
    {
        string path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");
        TinyModel.Write(path, change: (metadata, _) =>
        {
            metadata.Set("llama.context_length", (uint)contextLength);
            if (template is not null)
                metadata.Set("tokenizer.chat_template", template);
        });
        return path;
    }

    /// <summary>Returns when the engine has nothing to do.</summary>
    public async Task IdleAsync()
    {
        while (Engine.Statistics is not { Running: 0, Waiting: 0 })
            await Task.Delay(1, Xunit.TestContext.Current.CancellationToken);
    }

    public static async Task<List<ChatResponseUpdate>> ReadAsync(IAsyncEnumerable<ChatResponseUpdate> updates)
    {
        var read = new List<ChatResponseUpdate>();
        await foreach (ChatResponseUpdate update in updates)
            read.Add(update);
        return read;
    }

    public void Dispose()
    {
        Client.Dispose();
        File.Delete(_path);
    }
}

/// <summary>A function with few possible arguments, so that random weights call it in few tokens.</summary>
internal sealed class Adding(string name = "add") : AIFunction
{
    private int _calls;

    public int Calls => _calls;

    public override string Name => name;

    public override string Description => "Adds";

    public override System.Text.Json.JsonElement JsonSchema { get; } = System.Text.Json.JsonElement.Parse("""
        {"type":"object","properties":{"a":{"type":"integer","minimum":0,"maximum":9},"b":{"enum":[1,2]}},"required":["a","b"],"additionalProperties":false}
        """);

    protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        return ValueTask.FromResult<object?>(Number("a") + Number("b"));

        int Number(string key) => ((System.Text.Json.JsonElement)arguments[key]!).GetInt32();
    }
}

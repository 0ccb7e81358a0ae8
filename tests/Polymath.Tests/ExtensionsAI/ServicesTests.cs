using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Polymath.Extensions.AI;
using Polymath.Generation.Batching;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.ExtensionsAI;

/// <summary>Models as services of an application.</summary>
public sealed class ServicesTests : IDisposable
{
    private readonly string _path = TinyChat.WriteFile();
    private readonly HostApplicationBuilder _builder = Host.CreateEmptyApplicationBuilder(null);

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task A_host_has_the_model_warm_before_it_is_started()
    {
        _builder.Services.AddPolymath(options => (options.ModelPath, options.MaxTexts, options.Generation) = (_path, 3, TinyChat.Defaults));
        _builder.Services.AddPolymath(options => options.ModelId = "mine");   // configures the same further
        using IHost host = _builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var client = host.Services.GetRequiredService<IChatClient>();
        Assert.Same(host.Services.GetRequiredService<PolymathChatClient>(), client);
        Engine engine = client.GetRequiredService<Engine>();
        while (engine.Statistics.Running > 0)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        Assert.Equal(1, engine.Statistics.GeneratedTokens);
        Assert.Equal("mine", (await client.GetResponseAsync("a")).ModelId);
        Task<ChatResponse> running = client.GetResponseAsync("a", new ChatOptions { MaxOutputTokens = 200 });
        while (engine.Statistics.Running == 0)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.NotNull((await running).FinishReason);   // what runs may end
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync("a"));
    }

    [Fact]
    public async Task Middleware_goes_around_the_client()
    {
        _builder.Services.AddPolymath(options => (options.ModelPath, options.WarmUp) = (_path, false));
        _builder.Services.AddChatClient(services => services.GetRequiredService<PolymathChatClient>()).UseFunctionInvocation();
        using IHost host = _builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var client = Assert.IsType<FunctionInvokingChatClient>(host.Services.GetRequiredService<IChatClient>());
        Assert.NotNull(client.GetService<PolymathChatClient>());
        Assert.Equal(0, client.GetRequiredService<Engine>().Statistics.Steps);
    }

    [Fact]
    public void Several_models_have_keys()
    {
        _builder.Services.AddKeyedPolymath("small", options => (options.ModelPath, options.ModelId) = (_path, "s"));
        _builder.Services.AddKeyedPolymath("large", options => (options.ModelPath, options.ModelId) = (_path, "l"));
        using IHost host = _builder.Build();
        Assert.Equal(["s", "l"], new[] { "small", "large" }.Select(key =>
            host.Services.GetRequiredKeyedService<IChatClient>(key).GetService<ChatClientMetadata>()!.DefaultModelId));
        Assert.Null(host.Services.GetService<IChatClient>());
    }

    [Fact]
    public async Task An_encoder_is_registered_beside_it()
    {
        TinyArchitectures.Encoders["llama-mean"]().WithVocabulary(addsBegin: true).Write(_path);
        _builder.Services.AddPolymathEmbeddings(options => (options.ModelPath, options.CutLongTexts) = (_path, true));
        _builder.Services.AddKeyedPolymathEmbeddings("b", options => options.ModelPath = _path);
        using IHost host = _builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var generator = host.Services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        Assert.Single(await generator.GenerateAsync([new string('a', 1000)]));
        var other = host.Services.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("b");
        await Assert.ThrowsAnyAsync<ArgumentException>(() => other.GenerateAsync([new string('a', 1000)]));
    }

    public static TheoryData<Action<PolymathOptions>, string> Wrong => new()
    {
        { options => options.ModelPath = "", nameof(PolymathOptions.ModelPath) },
        { options => options.ModelPath = "no/such/file.gguf", "no/such/file.gguf" },
        { options => options.Threads = -1, nameof(PolymathOptions.Threads) },
        { options => options.ContextLength = -1, nameof(PolymathOptions.ContextLength) },
        { options => options.MaxTexts = 0, nameof(PolymathOptions.MaxTexts) },
        { options => options.MaxWaiting = -1, nameof(PolymathOptions.MaxWaiting) },
        { options => (options.ContextLength, options.CacheTokens) = (512, 256), nameof(PolymathOptions.CacheTokens) },
        { options => options.Generation = null!, nameof(PolymathOptions.Generation) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Wrong_options_stop_the_host_from_starting(Action<PolymathOptions> spoil, string name)
    {
        _builder.Services.AddPolymath(options =>
        {
            options.ModelPath = _path;
            spoil(options);
        });
        using IHost host = _builder.Build();
        var wrong = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(name, wrong.Message, StringComparison.Ordinal);
    }
}

using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Polymath.Generation.Batching;
using Polymath.Models;

namespace Polymath.Extensions.AI;

/// <summary>Registers models with services. Their options are validated when the host starts.</summary>
public static class PolymathServices
{
    /// <summary>
    /// Registers a chat model, loaded once: <see cref="IChatClient"/>, <see cref="PolymathChatClient"/> and
    /// <see cref="Chat.ChatModel"/> as singletons. To put middleware around it, register the client once more:
    /// <c>services.AddChatClient(s => s.GetRequiredService&lt;PolymathChatClient&gt;()).UseFunctionInvocation()</c>.
    /// </summary>
    public static IServiceCollection AddPolymath(this IServiceCollection services, Action<PolymathOptions> configure) =>
        AddChat(services, null, configure);

    /// <summary>Registers one of several chat models, under a key.</summary>
    /// <inheritdoc cref="AddPolymath"/>
    public static IServiceCollection AddKeyedPolymath(this IServiceCollection services, string key, Action<PolymathOptions> configure)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        return AddChat(services, key, configure);
    }

    /// <summary>
    /// Registers a text encoder, loaded once: <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> of string and
    /// <see cref="Embedding{T}"/>, <see cref="PolymathEmbeddingGenerator"/> and <see cref="TextEncoder"/> as singletons.
    /// </summary>
    public static IServiceCollection AddPolymathEmbeddings(this IServiceCollection services, Action<PolymathEmbeddingOptions> configure) =>
        AddEmbeddings(services, null, configure);

    /// <summary>Registers one of several text encoders, under a key.</summary>
    /// <inheritdoc cref="AddPolymathEmbeddings"/>
    public static IServiceCollection AddKeyedPolymathEmbeddings(
        this IServiceCollection services, string key, Action<PolymathEmbeddingOptions> configure)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        return AddEmbeddings(services, key, configure);
    }

    private static IServiceCollection AddChat(IServiceCollection services, string? key, Action<PolymathOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<PolymathOptions>(key).Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PolymathOptions>, PolymathOptionsValidator>());
        if (!Add(services, key, provider => Load(Options<PolymathOptions>(provider, key))))
            return services;   // the same model, configured further
        Add(services, key, provider =>
        {
            PolymathOptions options = Options<PolymathOptions>(provider, key);
            return new PolymathChatClient(Get<Chat.ChatModel>(provider, key), options.ModelId, options.Generation);
        });
        Add<IChatClient>(services, key, provider => Get<PolymathChatClient>(provider, key));
        services.AddSingleton<IHostedService>(provider => new ChatWarmUp(
            () => Options<PolymathOptions>(provider, key).WarmUp, () => Get<Chat.ChatModel>(provider, key)));
        return services;
    }

    private static IServiceCollection AddEmbeddings(IServiceCollection services, string? key, Action<PolymathEmbeddingOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<PolymathEmbeddingOptions>(key).Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PolymathEmbeddingOptions>, PolymathOptionsValidator>());
        if (!Add(services, key, provider => Load(Options<PolymathEmbeddingOptions>(provider, key))))
            return services;
        Add(services, key, provider => new PolymathEmbeddingGenerator(
            Get<TextEncoder>(provider, key), Options<PolymathEmbeddingOptions>(provider, key).ModelId));
        Add<IEmbeddingGenerator<string, Embedding<float>>>(services, key, provider => Get<PolymathEmbeddingGenerator>(provider, key));
        services.AddSingleton<IHostedService>(provider => new EmbeddingWarmUp(
            () => Options<PolymathEmbeddingOptions>(provider, key).WarmUp, () => Get<PolymathEmbeddingGenerator>(provider, key)));
        return services;
    }

    private static Chat.ChatModel Load(PolymathOptions options) => Chat.ChatModel.Load(
        options.ModelPath,
        new ModelOptions { Threads = options.Threads },
        new EngineOptions
        {
            MaxTexts = options.MaxTexts,
            MaxWaiting = options.MaxWaiting,
            ContextLength = options.ContextLength,
            CacheTokens = options.CacheTokens,
        });

    private static TextEncoder Load(PolymathEmbeddingOptions options) => TextEncoder.Load(
        options.ModelPath,
        new TextEncoderOptions
        {
            Threads = options.Threads,
            MaxTokens = options.MaxTokens,
            Dimensions = options.Dimensions,
            LongText = options.CutLongTexts ? LongText.Cut : LongText.Refuse,
        });

    /// <summary>Adds a singleton under a key, or under none; false where there is one.</summary>
    private static bool Add<T>(IServiceCollection services, string? key, Func<IServiceProvider, T> make)
        where T : class
    {
        int before = services.Count;
        services.TryAdd(new ServiceDescriptor(typeof(T), key, (provider, _) => make(provider), ServiceLifetime.Singleton));
        return services.Count > before;
    }

    private static T Get<T>(IServiceProvider provider, string? key)
        where T : notnull =>
        key is null ? provider.GetRequiredService<T>() : provider.GetRequiredKeyedService<T>(key);

    private static T Options<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>(
        IServiceProvider provider, string? key)
        where T : class =>
        provider.GetRequiredService<IOptionsMonitor<T>>().Get(key);
}

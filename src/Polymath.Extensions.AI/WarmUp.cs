using Microsoft.Extensions.Hosting;
using Polymath.Generation;
using Polymath.Generation.Batching;

namespace Polymath.Extensions.AI;

/// <summary>Loads a chat model and lets it write a token before the host counts as started; lets replies end before it stops.</summary>
internal sealed class ChatWarmUp(Func<bool> isWanted, Func<Chat.ChatModel> load) : IHostedService
{
    private Engine? _engine;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!isWanted())
            return;
        Chat.ChatModel model = await Task.Run(load, cancellationToken).ConfigureAwait(false);
        _engine = model.Engine;
        PendingAnswer answer = _engine.Start(
            [model.Model.Tokenizer.BeginId ?? 0], new GenerationOptions { MaxTokens = 1 }, cancellation: cancellationToken);
        await answer.Result.ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_engine is { } engine)
            await engine.DrainAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>Loads an encoder and lets it make a vector before the host counts as started.</summary>
internal sealed class EmbeddingWarmUp(Func<bool> isWanted, Func<PolymathEmbeddingGenerator> load) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!isWanted())
            return;
        PolymathEmbeddingGenerator generator = await Task.Run(load, cancellationToken).ConfigureAwait(false);
        await generator.GenerateAsync(["a"], cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

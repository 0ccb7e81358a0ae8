using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Polymath.Generation;
using Polymath.Generation.Batching;
using Polymath.Models;

namespace Polymath.Extensions.AI;

/// <summary>
/// A chat model as an <see cref="IChatClient"/>. Safe for concurrent callers: their replies are written together, in
/// the batches of one engine, and each is the one its caller would get alone. What a <see cref="ChatOptions"/> asks for
/// is done, or refused with a <see cref="NotSupportedException"/> that names it. Calls of tools are reported and not
/// made: that is what <c>UseFunctionInvocation</c> is for.
/// </summary>
public sealed class PolymathChatClient : IChatClient
{
    private readonly Chat.ChatModel _model;
    private readonly RequestReader _reader;
    private readonly ChatClientMetadata _metadata;
    private readonly bool _ownsModel;
    private bool _disposed;

    /// <summary>A client over <paramref name="model"/>, which must outlive it.</summary>
    /// <param name="model">The model; other clients may use it too.</param>
    /// <param name="modelId">Its name for the callers; null for the name of its file.</param>
    /// <param name="defaults">What holds where a request's options say nothing.</param>
    public PolymathChatClient(Chat.ChatModel model, string? modelId = null, GenerationOptions? defaults = null)
        : this(model, modelId, defaults, ownsModel: false)
    {
    }

    private PolymathChatClient(Chat.ChatModel model, string? modelId, GenerationOptions? defaults, bool ownsModel)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _ownsModel = ownsModel;
        string id = modelId ?? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(model.Model.Source.Path));
        _reader = new RequestReader(model, id, defaults ?? new GenerationOptions());
        _metadata = new ChatClientMetadata("polymath", null, id);
    }

    /// <summary>Loads a model, which the client then owns.</summary>
    /// <param name="path">A GGUF file or a Hugging Face folder.</param>
    /// <param name="modelOptions">How it computes.</param>
    /// <param name="engineOptions">How its callers share it.</param>
    /// <param name="modelId">Its name for the callers; null for the name of its file.</param>
    /// <param name="defaults">What holds where a request's options say nothing.</param>
    /// <exception cref="Files.ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    /// <exception cref="FileNotFoundException">Nothing at <paramref name="path"/>.</exception>
    public static PolymathChatClient Load(
        string path, ModelOptions? modelOptions = null, EngineOptions? engineOptions = null, string? modelId = null, GenerationOptions? defaults = null) =>
        new(Chat.ChatModel.Load(path, modelOptions, engineOptions), modelId, defaults, ownsModel: true);

    /// <summary>The whole reply, with the <see cref="Chat.ChatResult"/> as its raw representation.</summary>
    /// <inheritdoc cref="GetStreamingResponseAsync"/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var updates = new List<ChatResponseUpdate>();
        await foreach (ChatResponseUpdate update in GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
            updates.Add(update);
        ChatResponse response = updates.ToChatResponse();
        response.RawRepresentation = updates[^1].RawRepresentation;
        return response;
    }

    /// <summary>
    /// The reply as it is written: text and reasoning piece by piece, a call of a tool once it is complete. The last update
    /// has the finish reason, the usage and, as its raw representation, the <see cref="Chat.ChatResult"/>. Who stops
    /// reading ends the request.
    /// </summary>
    /// <param name="messages">The conversation: texts, reasoning, calls of functions and their results.</param>
    /// <param name="options">What is asked for.</param>
    /// <param name="cancellationToken">Ends the request, while the prompt is read too; its memory is free after the step that runs.</param>
    /// <exception cref="NotSupportedException">An option or a content that cannot be honoured; the message names it.</exception>
    /// <exception cref="ArgumentException">An option is out of its range, or the prompt is longer than the context.</exception>
    /// <exception cref="Text.Templates.TemplateException">The model's template refuses the conversation.</exception>
    /// <exception cref="Generation.Constraints.ConstraintException">A schema has a keyword that cannot be honoured.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait.</exception>
    /// <exception cref="OperationCanceledException">The request was cancelled, or the client disposed.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return StreamAsync(messages, options, cancellationToken);
    }

    /// <summary>This client, its <see cref="ChatClientMetadata"/>, the <see cref="Chat.ChatModel"/>, the <see cref="Engine"/> or the <see cref="Model"/>.</summary>
    /// <param name="serviceType">Which of them.</param>
    /// <param name="serviceKey">Null; there are none under keys.</param>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(Chat.ChatModel) ? _model
            : serviceType == typeof(Engine) ? _model.Engine
            : serviceType == typeof(Model) ? _model.Model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Ends the requests and closes the model, where <see cref="Load"/> opened it; else only takes no more requests.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        if (_ownsModel)
            _model.Dispose();
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var request = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            // Templates, schemas and tokens may take a while: not on the thread of the caller.
            Chat.ChatReply reply = await Task.Run(
                () => _model.Start(_reader.Read(messages, options, this), request.Token), cancellation).ConfigureAwait(false);
            var contents = new ReplyContents(withReasoning: options?.Reasoning?.Output != ReasoningOutput.None);
            string id = Guid.NewGuid().ToString("N");
            DateTimeOffset created = DateTimeOffset.UtcNow;
            await foreach (Chat.ChatDelta delta in reply.ReadAsync(cancellation).ConfigureAwait(false))
            {
                if (contents.Next(delta) is { } content)
                    yield return Update([content]);
            }

            Chat.ChatResult result = reply.Result;
            if (result.Generation.Reason == StopReason.Cancelled)
                throw new OperationCanceledException("the request was cancelled", cancellation);
            ChatResponseUpdate last = Update([new UsageContent(ReplyContents.Usage(result))]);
            last.FinishReason = ReplyContents.FinishReason(result);
            last.RawRepresentation = result;
            yield return last;

            ChatResponseUpdate Update(List<AIContent> parts) => new(ChatRole.Assistant, parts)
            {
                ResponseId = id,
                MessageId = id,
                CreatedAt = created,
                ModelId = _metadata.DefaultModelId,
            };
        }
        finally
        {
            await request.CancelAsync().ConfigureAwait(false);   // of no effect where the reply is over
        }
    }
}

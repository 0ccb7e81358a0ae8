using System.Runtime.CompilerServices;
using Polymath.Generation;
using Polymath.Generation.Batching;
using Polymath.Text;

namespace Polymath.Chat;

/// <summary>A piece of a reply.</summary>
/// <param name="Part">What it is.</param>
/// <param name="Text">The piece of text; empty where a call begins or ends.</param>
/// <param name="Call">Which call of the reply, counted from 0; −1 when it belongs to none.</param>
/// <param name="Id">Id of the call that begins, else null.</param>
/// <param name="Name">Tool of the call that begins, else null.</param>
public readonly record struct ChatDelta(ReplyPart Part, string Text, int Call = -1, string? Id = null, string? Name = null);

/// <summary>A whole reply.</summary>
/// <param name="Message">Answer, reasoning and calls.</param>
/// <param name="Generation">Tokens, times, and why it ended.</param>
/// <param name="ReasoningTokens">Tokens of the reasoning, its text tokenised once more.</param>
/// <param name="HasMalformed">Something that should have been a call was none; it stands in the answer.</param>
public sealed record ChatResult(ChatMessage Message, GenerationResult Generation, int ReasoningTokens, bool HasMalformed);

/// <summary>
/// A reply while it is written: read its pieces once, or <see cref="ReadToEndAsync"/>. For one reader. Who stops reading
/// had better cancel the request.
/// </summary>
public sealed class ChatReply
{
    private readonly PendingAnswer _answer;
    private readonly ReplyParser _parser;
    private readonly ReplyBuilder _builder = new();
    private readonly Queue<ChatDelta> _found = new();
    private readonly Tokenizer _tokenizer;
    private ChatResult? _result;

    internal ChatReply(PendingAnswer answer, Dialect dialect, ReplyOptions options, Tokenizer tokenizer)
    {
        _answer = answer;
        _tokenizer = tokenizer;
        _parser = dialect.NewParser(options, found =>
        {
            _builder.Add(found);
            if (found.Part != ReplyPart.End)
                _found.Enqueue(new ChatDelta(found.Part, found.Text.ToString(), found.Call, found.Id, found.Name));
        });
    }

    /// <summary>The whole reply, once all pieces are read.</summary>
    /// <exception cref="InvalidOperationException">They are not.</exception>
    public ChatResult Result => _result ?? throw new InvalidOperationException("the reply is not read to its end");

    /// <summary>The pieces as they become certain. A cancelled request ends them; its result says so.</summary>
    /// <param name="cancellation">Ends the waiting, not the request.</param>
    /// <exception cref="Files.ModelFormatException">The weights are damaged.</exception>
    public async IAsyncEnumerable<ChatDelta> ReadAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (string piece in _answer.Pieces.WithCancellation(cancellation).ConfigureAwait(false))
        {
            _parser.Push(piece);
            while (_found.TryDequeue(out ChatDelta delta))
                yield return delta;
        }

        _parser.End();
        while (_found.TryDequeue(out ChatDelta delta))
            yield return delta;
        GenerationResult generation = await _answer.Result.ConfigureAwait(false);
        ChatMessage message = _builder.ToMessage();
        int reasoning = message.Reasoning.Length == 0 ? 0 : _tokenizer.Encode(message.Reasoning, addSpecial: false).Length;
        _result = new ChatResult(message, generation, reasoning, _builder.HasMalformed);
    }

    /// <summary>Reads all pieces and returns the whole.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public async Task<ChatResult> ReadToEndAsync(CancellationToken cancellation = default)
    {
        await foreach (ChatDelta _ in ReadAsync(cancellation).ConfigureAwait(false))
        {
        }

        return Result;
    }
}

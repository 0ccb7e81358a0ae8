using System.Threading.Channels;

namespace Polymath.Generation.Batching;

/// <summary>
/// An answer as an <see cref="Engine"/> writes it: its pieces once, in order, and then how it went. The pieces
/// together are the text of the result.
/// </summary>
public sealed class PendingAnswer
{
    private readonly Channel<string> _pieces = Channel.CreateUnbounded<string>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly TaskCompletionSource<GenerationResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal PendingAnswer()
    {
    }

    /// <summary>The pieces of text, as they become certain; to be read once. After a failure reading throws it.</summary>
    public IAsyncEnumerable<string> Pieces => _pieces.Reader.ReadAllAsync();

    /// <summary>
    /// How it went. A cancelled answer ends with <see cref="StopReason.Cancelled"/>; one that failed throws, a
    /// <see cref="Files.ModelFormatException"/> where the weights are damaged.
    /// </summary>
    public Task<GenerationResult> Result => _result.Task;

    internal void Write(ReadOnlySpan<char> piece) => _pieces.Writer.TryWrite(piece.ToString());

    internal void Complete(GenerationResult result)
    {
        _result.TrySetResult(result);
        _pieces.Writer.TryComplete();
    }

    internal void Fail(Exception exception)
    {
        _result.TrySetException(exception);
        _ = _result.Task.Exception;   // seen: who reads only the pieces gets it there
        _pieces.Writer.TryComplete(exception);
    }
}

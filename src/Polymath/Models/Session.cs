using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>The keys and values of one text, and the forward pass over what is added to it. One thread at a time.</summary>
public sealed class Session : IDisposable
{
    /// <summary>The model.</summary>
    public Model Model => throw new NotSupportedException();

    /// <summary>Tokens in the cache.</summary>
    public int Position => throw new NotSupportedException();

    /// <summary>Tokens the cache can hold.</summary>
    public int Capacity => throw new NotSupportedException();

    /// <summary>
    /// Adds <paramref name="ids"/> to the text, in batches, and returns the logits [V] after the last one.
    /// They stay valid until the next call. The bits do not depend on how a text is split into calls.
    /// </summary>
    /// <exception cref="InvalidOperationException">The text grows over <see cref="Capacity"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between layers; the text is as it was before the call.</exception>
    public ReadOnlySpan<float> Forward(ReadOnlySpan<int> ids, CancellationToken cancellation = default) => throw new NotSupportedException();

    /// <summary>The same, giving the logits after every one of at most BatchSize ids: [ids, V].</summary>
    public Tensor ForwardAll(ReadOnlySpan<int> ids, CancellationToken cancellation = default) => throw new NotSupportedException();

    /// <summary>Forgets what came after the first <paramref name="position"/> tokens.</summary>
    public void Rewind(int position) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotSupportedException();
}

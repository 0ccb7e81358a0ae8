using Polymath.Files;
using Polymath.Tensors;
using Polymath.Text;

namespace Polymath.Models;

/// <summary>Takes the final hidden states [rows, D] of a text's tokens from <paramref name="first"/> on; they are gone afterwards.</summary>
/// <param name="text">Index of the text.</param>
/// <param name="first">Index of the first of these tokens in the text.</param>
/// <param name="states">[rows, D].</param>
internal delegate void TakeStates(int text, int first, Tensor states);

/// <summary>A model as what it makes of texts: a hidden state for each token. One thread at a time.</summary>
internal abstract class HiddenStates : IDisposable
{
    /// <summary>Hyper-parameters.</summary>
    public abstract ModelSettings Settings { get; }

    /// <summary>The file behind the weights.</summary>
    public abstract WeightSource Source { get; }

    /// <summary>The threads.</summary>
    public abstract ThreadTeam Team { get; }

    /// <summary>The vocabulary, loaded at first use.</summary>
    public abstract Tokenizer Tokenizer { get; }

    /// <summary>Most tokens of a text.</summary>
    public abstract int MaxTokens { get; }

    /// <summary>Tokens see those before them alone.</summary>
    public abstract bool IsCausal { get; }

    /// <summary>Loads an encoder or a decoder; the source is then owned, and closed if loading fails.</summary>
    /// <exception cref="ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    public static HiddenStates Load(WeightSource source, TextEncoderOptions options)
    {
        try
        {
            if (EncoderStates.TryLoad(source, options) is { } encoder)
                return encoder;
        }
        catch
        {
            source.Dispose();
            throw;
        }

        return new DecoderStates(Model.Load(source, new ModelOptions { Threads = options.Threads }));
    }

    /// <summary>Runs the texts, none of them empty or longer than <see cref="MaxTokens"/>; each text's states come in order.</summary>
    /// <exception cref="OperationCanceledException">Cancelled between layers.</exception>
    public abstract void Run(IReadOnlyList<int[]> texts, TakeStates take, CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract void Dispose();
}

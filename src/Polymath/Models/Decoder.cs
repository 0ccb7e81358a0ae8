using Polymath.Files;
using Polymath.Models.Architectures;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>The weights of one decoder architecture and its forward pass. Immutable; sessions bring the state.</summary>
public abstract class Decoder
{
    // To add an architecture: one file in Architectures/ and one line here.
    private static readonly Dictionary<string, Func<WeightSource, Decoder>> Registry = new(StringComparer.Ordinal)
    {
        ["llama"] = source => new Llama(source),
    };

    /// <summary>Takes over the checked settings.</summary>
    protected Decoder(ModelSettings settings) => Settings = settings;

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings { get; }

    /// <summary>Reads the weights of <paramref name="source"/>.</summary>
    /// <exception cref="ModelFormatException">Unknown architecture, or weights that are missing or misshapen.</exception>
    public static Decoder Load(WeightSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Registry.TryGetValue(source.Architecture, out Func<WeightSource, Decoder>? load)
            ? load(source)
            : throw new ModelFormatException(
                $"{source.Path}: architecture \"{source.Architecture}\" is not supported; supported: {string.Join(", ", Registry.Keys)}");
    }

    /// <summary>Bytes of scratch that a pass over <paramref name="tokens"/> tokens needs, without the logits.</summary>
    public abstract long ScratchBytes(int tokens);

    /// <summary>Rotations for <paramref name="positions"/> positions.</summary>
    public abstract RopeTable BuildRope(int positions);

    /// <summary>Final hidden states [T, D] of <paramref name="ids"/>, normalised and ready for the head; the cache is extended.</summary>
    public abstract Tensor Forward(Pass pass, ReadOnlySpan<int> ids);

    /// <summary>Logits of the hidden states [T, D] into <paramref name="logits"/> [T, V].</summary>
    public abstract void Head(Pass pass, Tensor hidden, Tensor logits);
}

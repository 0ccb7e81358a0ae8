using Polymath.Files;
using Polymath.Models.Architectures;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>
/// The weights of one encoder architecture and its forward pass, in which every token of a text sees all of it.
/// Immutable.
/// </summary>
public abstract class Encoder : LayeredModel
{
    // To add an architecture: one file in Architectures/ and one line here.
    private static readonly Dictionary<string, Func<WeightReader, Encoder>> Registry = new(StringComparer.Ordinal)
    {
        ["bert"] = weights => new Bert(weights),
        ["nomic-bert"] = weights => new Bert(weights),
        ["nomic-bert-moe"] = weights => new Bert(weights),
        ["jina-bert-v3"] = weights => new Bert(weights),
        ["modern-bert"] = weights => new ModernBert(weights),
        ["gemma-embedding"] = weights => new GemmaEmbedding(weights),
    };

    /// <summary>Reads what every encoder has: the embedding.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="ropes">The rotations that layers name by index.</param>
    private protected Encoder(WeightReader weights, params RopeSettings[] ropes)
        : base(weights, ropes)
    {
    }

    /// <summary>Names of the architectures that can be loaded.</summary>
    public static IReadOnlyCollection<string> Supported => Registry.Keys;

    /// <summary>Reads the weights; null where the architecture is no encoder.</summary>
    /// <param name="source">The file.</param>
    /// <param name="team">Threads that rearrange weights to be read fast; null to leave them as they are stored.</param>
    /// <exception cref="ModelFormatException">Weights are missing or misshapen.</exception>
    internal static Encoder? TryLoad(WeightSource source, ThreadTeam? team = null) =>
        Registry.TryGetValue(source.Architecture, out Func<WeightReader, Encoder>? load) ? load(new WeightReader(source, team)) : null;
}

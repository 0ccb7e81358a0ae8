using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>The part of a block in which a token takes from those before it: attention or a recurrence.</summary>
internal interface ITokenMixer
{
    /// <summary>Index of the layer: which part of the cache is its own.</summary>
    int Layer { get; }

    /// <summary>What the layer keeps of earlier tokens.</summary>
    CacheLayer Cache { get; }

    /// <summary>The tokens x [T, D], normalised, each with what it takes from itself and those before: [T, D].</summary>
    Tensor Run(Pass p, Tensor x);
}

using Polymath.Models.Layers;

namespace Polymath.Models.Architectures;

/// <summary>
/// Phi 3, 3.5 and 4 (arXiv:2404.14219): Llama with fused matrices and, for long contexts, LongRoPE. A sliding window in the
/// metadata is not applied, as in the reference.
/// </summary>
internal sealed class Phi3(WeightReader w) : Transformer(
    w,
    layer => TransformerBlock.ReadNorms(w, SelfAttention.Read(w, layer)) with
    {
        FeedForward = w.Settings.Experts == 0 ? FeedForward.ReadFused(w, layer) : null,
        Experts = w.Settings.Experts == 0 ? null : MixtureOfExperts.Read(w, layer) with { Normalize = true },
    });

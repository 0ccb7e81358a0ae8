using Polymath.Models.Layers;

namespace Polymath.Models.Architectures;

/// <summary>The mixtures of experts of Qwen 3 (arXiv:2505.09388).</summary>
internal sealed class Qwen3Moe(WeightReader w) : Transformer(
    w,
    layer => TransformerBlock.ReadNorms(w, SelfAttention.Read(w, layer).WithNorms(w)) with
    {
        Experts = MixtureOfExperts.Read(w, layer) with { Normalize = true },
    });

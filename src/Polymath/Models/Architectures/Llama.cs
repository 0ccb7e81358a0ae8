using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// Llama 1 to 3 and what shares its shape (Touvron et al. 2023, arXiv:2302.13971), such as Mistral: RMS norm before each half
/// block, rotary positions on adjacent pairs, grouped-query attention, SwiGLU, tied or separate head. With experts it is
/// Mixtral (Jiang et al. 2024, arXiv:2401.04088).
/// </summary>
internal sealed class Llama(WeightReader w) : Transformer(w, layer => Read(w, layer))
{
    private static TransformerBlock Read(WeightReader w, int layer)
    {
        float scale = w.Single("attention.scale", 1f / MathF.Sqrt(w.Settings.HeadSize));
        SelfAttention attention = SelfAttention.Read(w, layer) with { RopeLayout = RopeLayout.Adjacent, Rule = new AttentionRule(scale) };
        return w.Settings.Experts == 0
            ? TransformerBlock.Read(w, attention)
            : TransformerBlock.ReadNorms(w, attention) with { Experts = MixtureOfExperts.Read(w, layer) with { Normalize = true } };
    }
}

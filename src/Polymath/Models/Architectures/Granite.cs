using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// Granite 3 (IBM): Llama with factors of its own on token vectors, scores, residuals and logits; with experts, and an
/// expert that all tokens share, it is Granite MoE.
/// </summary>
internal sealed class Granite : Transformer
{
    public Granite(WeightReader w)
        : base(w, layer => Read(w, layer))
    {
        float embedding = w.Single("embedding_scale", 0), logits = w.Single("logit_scale");
        if (logits == 0)
            throw w.Bad("logit_scale", logits);
        EmbeddingScale = embedding == 0 ? 1 : embedding;
        LogitScale = 1 / logits;
    }

    private static TransformerBlock Read(WeightReader w, int layer)
    {
        float scale = w.Single("attention.scale", 0), residual = w.Single("residual_scale", 0);
        int shared = w.Int32("expert_shared_feed_forward_length", 0);
        bool rotated = w.Bool("rope.scaling.finetuned", true);
        SelfAttention attention = SelfAttention.Read(w, layer) with
        {
            RopeLayout = RopeLayout.Adjacent,
            Rope = rotated ? 0 : -1,
            Rule = new AttentionRule(scale == 0 ? 1f / MathF.Sqrt(w.Settings.HeadSize) : scale),
        };
        TransformerBlock block = w.Settings.Experts == 0
            ? TransformerBlock.Read(w, attention)
            : TransformerBlock.ReadNorms(w, attention) with
            {
                Experts = MixtureOfExperts.Read(w, layer) with { Normalize = true },
                FeedForward = shared > 0 ? FeedForward.Read(w, layer, suffix: "_shexp", width: shared) : null,
            };
        return block with { ResidualScale = residual == 0 ? 1 : residual };
    }
}

using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// Gemma 2 (arXiv:2408.00118): norms before and after each half block, GeGLU, capped scores and logits, every other layer
/// with a sliding window, token vectors scaled by √D.
/// </summary>
internal sealed class Gemma2 : Transformer
{
    public Gemma2(WeightReader w)
        : base(w, Reader(w))
    {
        EmbeddingScale = MathF.Sqrt(w.Settings.Width);
    }

    private static Func<int, TransformerBlock> Reader(WeightReader w)
    {
        const int Layers27B = 46;   // that model alone scales by D/H instead of S
        ModelSettings s = w.Settings;
        bool[] sliding = w.SlidingLayers(2);
        int window = w.Int32("attention.sliding_window", 4096);
        var rule = new AttentionRule(1f / MathF.Sqrt(s.Layers == Layers27B ? s.Width / s.Heads : s.HeadSize))
        {
            SoftCap = w.Single("attn_logit_softcapping", 50),
        };
        return layer =>
        {
            SelfAttention attention = SelfAttention.Read(w, layer) with { Rule = rule with { Window = sliding[layer] ? window : 0 } };
            return (TransformerBlock.ReadNorms(w, attention) with { FeedForward = FeedForward.Read(w, layer, Activation.Gelu) })
                .WithPostNorms(w);
        };
    }
}

using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// Gemma 3 (arXiv:2503.19786): Gemma 2 with norms on queries and keys instead of capped scores; five layers with a sliding
/// window and rotations of their own to each layer without.
/// </summary>
internal sealed class Gemma3 : Transformer
{
    public Gemma3(WeightReader w)
        : base(w, Reader(w), RopeSettings.ReadWithLocal(w, w.Single("rope.freq_base_swa", 10000)))
    {
        EmbeddingScale = MathF.Sqrt(w.Settings.Width);
    }

    private static Func<int, TransformerBlock> Reader(WeightReader w)
    {
        const int Layers27B = 62;   // that model alone scales by D/H instead of S
        ModelSettings s = w.Settings;
        int window = w.Int32("attention.sliding_window", 0);
        bool[] sliding = w.SlidingLayers(window > 0 ? 6 : 1);
        var rule = new AttentionRule(1f / MathF.Sqrt(s.Layers == Layers27B ? s.Width / s.Heads : s.HeadSize));
        return layer =>
        {
            bool local = window > 0 && sliding[layer];
            SelfAttention attention = SelfAttention.Read(w, layer).WithNorms(w) with
            {
                Rope = local ? 1 : 0,
                Rule = rule with { Window = local ? window : 0 },
            };
            return (TransformerBlock.ReadNorms(w, attention) with { FeedForward = FeedForward.Read(w, layer, Activation.Gelu) })
                .WithPostNorms(w);
        };
    }
}

using Polymath.Models.Layers;

namespace Polymath.Models.Architectures;

/// <summary>
/// OLMo 2 (arXiv:2501.00656): norms after attention and feed-forward instead of before, and on whole rows of queries and
/// keys. OLMo 3 adds sliding windows, whose layers keep their unstretched rotations.
/// </summary>
internal sealed class Olmo2(WeightReader w) : Transformer(w, Reader(w), RopeSettings.ReadWithLocal(w))
{
    private static Func<int, TransformerBlock> Reader(WeightReader w)
    {
        int window = w.Int32("attention.sliding_window", 0);
        bool[] sliding = w.SlidingLayers(window > 0 ? 4 : 1);
        return layer =>
        {
            SelfAttention attention = SelfAttention.Read(w, layer).WithNorms(w, wholeRows: true);
            if (window > 0 && sliding[layer])
                attention = attention with { Rope = 1, Rule = attention.Rule with { Window = window } };
            return new TransformerBlock { Attention = attention, FeedForward = FeedForward.Read(w, layer) }.WithPostNorms(w);
        };
    }
}

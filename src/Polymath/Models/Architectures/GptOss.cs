using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// gpt-oss (arXiv:2508.10925): experts in MXFP4 with biases and a clamped SwiGLU, attention sinks, every other layer with a
/// sliding window, YaRN.
/// </summary>
internal sealed class GptOss(WeightReader w) : Transformer(w, Reader(w), RopeSettings.Read(w))
{
    private static Func<int, TransformerBlock> Reader(WeightReader w)
    {
        bool[] sliding = w.SlidingLayers(2);
        int window = w.Int32("attention.sliding_window");
        if (window <= 0)
            throw w.Bad("attention.sliding_window", window);
        return layer =>
        {
            SelfAttention attention = SelfAttention.Read(w, layer);
            attention = attention with
            {
                Rule = attention.Rule with
                {
                    Window = sliding[layer] ? window : 0,
                    Sinks = w.Vector($"blk.{layer}.attn_sinks.weight", w.Settings.Heads),
                },
            };
            return new TransformerBlock
            {
                Attention = attention,
                AttnNorm = Norm.Rms(w, $"blk.{layer}.attn_norm"),
                FfnNorm = Norm.Rms(w, $"blk.{layer}.post_attention_norm"),
                Experts = MixtureOfExperts.Read(w, layer) with { Gating = Gating.SoftmaxOfChosen, Activation = Activation.SwiGluOai },
            };
        };
    }
}

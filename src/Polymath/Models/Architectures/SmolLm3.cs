using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>SmolLM 3: Llama in which every fourth layer has no rotary positions (NoPE, arXiv:2501.18795).</summary>
internal sealed class SmolLm3(WeightReader w) : Transformer(
    w,
    layer => TransformerBlock.Read(w, SelfAttention.Read(w, layer) with
    {
        RopeLayout = RopeLayout.Adjacent,
        Rope = (layer + 1) % 4 == 0 ? -1 : 0,
        Rule = new AttentionRule(w.Single("attention.scale", 1f / MathF.Sqrt(w.Settings.HeadSize))),
    }));

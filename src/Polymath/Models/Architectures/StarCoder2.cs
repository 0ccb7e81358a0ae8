using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>StarCoder 2 (arXiv:2402.19173): layer norms and biases throughout, a plain GELU feed-forward layer, rotary positions.</summary>
internal sealed class StarCoder2(WeightReader w) : Transformer(
    w,
    layer => TransformerBlock.ReadNorms(w, SelfAttention.Read(w, layer), centred: true) with
    {
        FeedForward = FeedForward.Read(w, layer, Activation.Gelu),
    })
{
    private readonly Norm _outputNorm = Norm.Layer(w, "output_norm");

    /// <inheritdoc/>
    private protected override Tensor FinalNorm(Pass p, Tensor x) => _outputNorm.Run(p, x);
}

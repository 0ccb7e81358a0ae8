using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>GPT-2 (Radford et al. 2019): layer norms and biases throughout, a learned vector for each position, GELU.</summary>
internal sealed class Gpt2(WeightReader w) : Transformer(
    w,
    layer => TransformerBlock.ReadNorms(w, SelfAttention.Read(w, layer) with { Rope = -1 }, centred: true) with
    {
        FeedForward = FeedForward.Read(w, layer, Activation.Gelu),
    })
{
    private readonly Norm _outputNorm = Norm.Layer(w, "output_norm");
    private readonly Tensor _positions = w.Floats("position_embd.weight", w.Settings.ContextLength, w.Settings.Width);   // [C, D]

    /// <inheritdoc/>
    public override int MaxContext => _positions.Rows;

    /// <inheritdoc/>
    private protected override Tensor Embed(Pass p, ReadOnlySpan<int> ids) =>
        p.Add(base.Embed(p, ids), p.Embed(p.Positions(ids.Length), _positions));

    /// <inheritdoc/>
    private protected override Tensor FinalNorm(Pass p, Tensor x) => _outputNorm.Run(p, x);
}

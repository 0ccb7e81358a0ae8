using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// A decoder that is a row of transformer blocks (Vaswani et al. 2017, arXiv:1706.03762). The architectures say how their blocks
/// are read and what is done before the first and after the last.
/// </summary>
internal abstract class Transformer : Decoder
{
    private readonly TransformerBlock[] _blocks;

    /// <summary>Reads the blocks.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="read">Reads the block of a layer.</param>
    /// <param name="ropes">The rotations that layers name by index; none: one, as the metadata says.</param>
    protected Transformer(WeightReader w, Func<int, TransformerBlock> read, params RopeSettings[] ropes)
        : base(w, ropes)
    {
        _blocks = new TransformerBlock[w.Settings.Layers];
        for (int i = 0; i < _blocks.Length; i++)
            _blocks[i] = read(i);
        LogitSoftCap = w.Single("final_logit_softcapping", 0);
    }

    /// <summary>Factor on the tokens' vectors.</summary>
    protected float EmbeddingScale { get; init; } = 1;

    /// <summary>Factor on the logits.</summary>
    protected float LogitScale { get; init; } = 1;

    /// <summary>Logits l become cap · tanh(l / cap); 0 for none.</summary>
    protected float LogitSoftCap { get; init; }

    /// <inheritdoc/>
    public override void Head(Pass pass, Tensor hidden, Tensor logits)
    {
        base.Head(pass, hidden, logits);
        pass.Scale(logits, LogitScale);
        if (LogitSoftCap > 0)
            Elementwise.SoftCap(logits, LogitSoftCap);
    }

    /// <inheritdoc/>
    private protected override Tensor Embed(Pass p, ReadOnlySpan<int> ids) => p.Scale(base.Embed(p, ids), EmbeddingScale);

    /// <inheritdoc/>
    private protected override void Block(Pass p, int layer, Tensor x) => _blocks[layer].Run(p, x);

    /// <inheritdoc/>
    private protected override CacheLayer CacheOf(int layer) => _blocks[layer].Attention.Cache;
}

using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// EmbeddingGemma (arXiv:2509.20354): Gemma 3 whose tokens see both ways, five of six layers through a window with
/// rotations of their own.
/// </summary>
internal sealed class GemmaEmbedding : Encoder
{
    private readonly Norm _outputNorm;
    private readonly TransformerBlock[] _blocks;

    public GemmaEmbedding(WeightReader w)
        : base(w, RopeSettings.ReadWithLocal(w, w.Single("rope.freq_base_swa", 10000)))
    {
        _outputNorm = Norm.Rms(w, "output_norm");
        int window = w.Int32("attention.sliding_window");
        if (window <= 0)
            throw w.Bad("attention.sliding_window", window);
        bool[] sliding = w.SlidingLayers(6);
        _blocks = new TransformerBlock[w.Settings.Layers];
        for (int i = 0; i < _blocks.Length; i++)
        {
            SelfAttention attention = SelfAttention.Read(w, i).WithNorms(w);
            attention = attention with
            {
                Rope = sliding[i] ? 1 : 0,
                Rule = attention.Rule with { Bidirectional = true, Window = sliding[i] ? window : 0 },
            };
            _blocks[i] = (TransformerBlock.ReadNorms(w, attention) with { FeedForward = FeedForward.Read(w, i, Activation.Gelu) })
                .WithPostNorms(w);
        }
    }

    /// <inheritdoc/>
    private protected override Tensor Embed(Pass p, ReadOnlySpan<int> ids) =>
        p.Scale(p.Embed(ids, TokenEmbd), MathF.Sqrt(Settings.Width));                               // [T, D]

    /// <inheritdoc/>
    private protected override void Block(Pass p, int layer, Tensor x) => _blocks[layer].Run(p, x);

    /// <inheritdoc/>
    private protected override Tensor FinalNorm(Pass p, Tensor x) => _outputNorm.Run(p, x);
}

using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// ModernBERT (Warner et al. 2024, arXiv:2412.13663): layer norm without bias before each half block, none before the first
/// attention, rotary positions, GeGLU, and in two of three layers a window with rotations of its own.
/// </summary>
internal sealed class ModernBert : Encoder
{
    private const string HiddenActivation = "hidden_activation";

    private readonly Norm _tokenEmbdNorm;
    private readonly Norm _outputNorm;
    private readonly TransformerBlock[] _blocks;

    public ModernBert(WeightReader w)
        : base(w, RopeSettings.ReadWithLocal(w, w.Single("rope.freq_base_swa", 10000)))
    {
        _tokenEmbdNorm = Norm.Layer(w, "token_embd_norm");
        _outputNorm = Norm.Layer(w, "output_norm");
        int window = w.Int32("attention.sliding_window", 0);
        bool[] sliding = w.SlidingLayers(window > 0 ? 3 : 1, denseFirst: true);
        string name = w.Text(HiddenActivation, "gelu");
        Activation activation = name switch
        {
            "gelu" or "geglu" => Activation.Gelu,
            "silu" or "swish" or "swiglu" => Activation.Silu,
            _ => throw w.Bad(HiddenActivation, $"\"{name}\", not one of gelu, silu"),
        };
        _blocks = new TransformerBlock[w.Settings.Layers];
        for (int i = 0; i < _blocks.Length; i++)
        {
            bool local = window > 0 && sliding[i];
            var attention = SelfAttention.Read(w, i);
            string norm = $"blk.{i}.attn_norm";
            _blocks[i] = new TransformerBlock
            {
                AttnNorm = i == 0 && !w.Contains(norm + ".weight") ? default : Norm.Layer(w, norm),
                Attention = attention with
                {
                    Rope = local ? 1 : 0,
                    Rule = attention.Rule with { Bidirectional = true, Window = local ? window : 0 },
                },
                FfnNorm = Norm.Layer(w, $"blk.{i}.ffn_norm"),
                FeedForward = FeedForward.ReadFused(w, i, activation),
            };
        }
    }

    /// <inheritdoc/>
    private protected override Tensor Embed(Pass p, ReadOnlySpan<int> ids) => _tokenEmbdNorm.Run(p, p.Embed(ids, TokenEmbd));

    /// <inheritdoc/>
    private protected override void Block(Pass p, int layer, Tensor x) => _blocks[layer].Run(p, x);

    /// <inheritdoc/>
    private protected override Tensor FinalNorm(Pass p, Tensor x) => _outputNorm.Run(p, x);
}

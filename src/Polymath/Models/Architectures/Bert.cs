using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// BERT (Devlin et al. 2018, arXiv:1810.04805) and what shares its shape, such as XLM-RoBERTa, BGE, E5 and MiniLM: learned
/// positions, layer norm after each half block. Nomic BERT (arXiv:2402.01613) has rotary positions instead and a gate, its
/// second version experts in every other layer (arXiv:2502.07972); Jina BERT v3 (arXiv:2409.10173) rotary positions alone.
/// All tokens are of the first type, as in the reference engine.
/// </summary>
internal sealed class Bert : Encoder
{
    private sealed record Layer(
        SelfAttention Attention,
        Norm AttnOutputNorm,
        FeedForward? FeedForward,   // one of these two
        MixtureOfExperts? Experts,
        Norm LayerOutputNorm);

    private readonly Tensor _positionEmbd;   // [C, D], or empty: rotary
    private readonly Tensor _tokenType;      // [1, D], or empty
    private readonly Norm _tokenEmbdNorm;
    private readonly Layer[] _layers;

    public Bert(WeightReader w)
        : base(w, IsRotary(w) ? [RopeSettings.Read(w)] : [])
    {
        ModelSettings s = w.Settings;
        bool rotary = IsRotary(w);
        if (!rotary)
            _positionEmbd = w.Matrix("position_embd", s.ContextLength, s.Width);
        if (w.Contains("token_types.weight"))
            _tokenType = w.Floats("token_types.weight", w.GlobalInt32("tokenizer.ggml.token_type_count", 2), s.Width).Slice(0, 1);
        _tokenEmbdNorm = Norm.Layer(w, "token_embd_norm");
        int every = w.Int32("moe_every_n_layers", 0);
        Activation activation = s.Architecture == "nomic-bert" ? Activation.Silu : Activation.Gelu;
        _layers = new Layer[s.Layers];
        for (int i = 0; i < s.Layers; i++)
        {
            bool experts = every > 0 && i % every == 1;
            var attention = SelfAttention.Read(w, i);
            _layers[i] = new Layer(
                attention with { Rope = rotary ? 0 : -1, Rule = attention.Rule with { Bidirectional = true } },
                Norm.Layer(w, $"blk.{i}.attn_output_norm"),
                experts ? null : FeedForward.Read(w, i, activation),
                experts ? MixtureOfExperts.Read(w, i) with { Activation = activation } : null,
                Norm.Layer(w, $"blk.{i}.layer_output_norm"));
        }
    }

    private static bool IsRotary(WeightReader w) => w.Settings.Architecture != "bert";

    /// <inheritdoc/>
    private protected override Tensor Embed(Pass p, ReadOnlySpan<int> ids)
    {
        Tensor x = p.Embed(ids, TokenEmbd);                                             // [T, D]
        for (int t = 0; t < x.Rows && !_tokenType.IsEmpty; t++)
            p.Add(x.Slice(t, 1), _tokenType);
        if (!_positionEmbd.IsEmpty)
            p.Add(x, p.Embed(p.Positions(ids.Length), _positionEmbd));
        return _tokenEmbdNorm.Run(p, x);                                                // [T, D]
    }

    /// <inheritdoc/>
    private protected override void Block(Pass p, int layer, Tensor x)
    {
        Layer w = _layers[layer];
        Tensor h = w.AttnOutputNorm.Run(p, p.Add(x, w.Attention.Run(p, x)));            // [T, D]
        Tensor y = w.FeedForward?.Run(p, h) ?? w.Experts!.Run(p, h);                    // [T, D]
        w.LayerOutputNorm.Run(p, p.Add(h, y)).AsFloats().CopyTo(x.AsFloats());
    }
}

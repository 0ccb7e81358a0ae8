using Polymath.Models.Layers;

namespace Polymath.Models.Architectures;

/// <summary>
/// Qwen's hybrids: three blocks of a gated delta net (arXiv:2412.06464) to one of attention with an output gate and partly
/// rotated heads; dense, or with experts beside one that all tokens share by a gate of their own.
/// </summary>
internal abstract class DeltaHybrid : Transformer
{
    private readonly long _perToken;   // bytes of scratch beyond those of a plain transformer

    /// <summary>Reads the blocks.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="tiled">Value head h of a delta net takes the key head h mod K, not h / (V/K).</param>
    /// <param name="rope">The rotations.</param>
    protected DeltaHybrid(WeightReader w, bool tiled, RopeSettings rope)
        : base(w, Reader(w, tiled, out List<GatedDeltaNet> nets), rope)
    {
        long attention = 3L * w.Settings.QueryWidth * sizeof(float);
        _perToken = attention + nets.Select(net => net.ScratchBytes(1)).DefaultIfEmpty().Max();
    }

    /// <inheritdoc/>
    public override long ScratchBytes(int tokens) => base.ScratchBytes(tokens) + (tokens * _perToken);

    private static Func<int, TransformerBlock> Reader(WeightReader w, bool tiled, out List<GatedDeltaNet> nets)
    {
        bool[]? recurrent = w.LayerFlags("attention.recurrent_layers");
        int interval = w.Int32("full_attention_interval", 4);
        if (interval <= 0)
            throw w.Bad("full_attention_interval", interval);
        List<GatedDeltaNet> found = nets = [];
        return layer =>
        {
            ITokenMixer mixer;
            if (recurrent?[layer] ?? (layer + 1) % interval != 0)
            {
                found.Add(GatedDeltaNet.Read(w, layer, tiled));
                mixer = found[^1];
            }
            else
            {
                mixer = SelfAttention.Read(w, layer, gated: true).WithNorms(w);
            }

            return new TransformerBlock
            {
                Attention = mixer,
                AttnNorm = Norm.Rms(w, $"blk.{layer}.attn_norm"),
                FfnNorm = Norm.Rms(w, $"blk.{layer}.post_attention_norm"),
                Experts = w.Settings.Experts == 0 ? null : MixtureOfExperts.Read(w, layer) with { Normalize = true },
                FeedForward = w.Settings.Experts == 0 ? FeedForward.Read(w, layer) : Shared(w, layer),
            };
        };
    }

    private static FeedForward Shared(WeightReader w, int layer) =>
        FeedForward.Read(w, layer, suffix: "_shexp", width: w.Int32("expert_shared_feed_forward_length", 0)) with
        {
            TokenGate = new Linear(w.Matrix($"blk.{layer}.ffn_gate_inp_shexp", 1, w.Settings.Width))
            {
                Name = $"blk.{layer}.ffn_gate_inp_shexp.weight",
            },
        };
}

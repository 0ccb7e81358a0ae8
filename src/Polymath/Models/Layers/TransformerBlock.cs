using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// One block of a transformer: attention and feed-forward, each added to the residual stream, with a norm before
/// it, after it or both.
/// </summary>
internal sealed record TransformerBlock
{
    /// <summary>Before the attention.</summary>
    public Norm AttnNorm { get; init; }

    /// <summary>The attention, or what stands in its place.</summary>
    public required ITokenMixer Attention { get; init; }

    /// <summary>After the attention, before it is added.</summary>
    public Norm AttnPostNorm { get; init; }

    /// <summary>Before the feed-forward layer.</summary>
    public Norm FfnNorm { get; init; }

    /// <summary>The feed-forward layer; beside <see cref="Experts"/>, the expert that all tokens share.</summary>
    public FeedForward? FeedForward { get; init; }

    /// <summary>The mixture of experts.</summary>
    public MixtureOfExperts? Experts { get; init; }

    /// <summary>After the feed-forward layer, before it is added.</summary>
    public Norm FfnPostNorm { get; init; }

    /// <summary>Factor on what is added to the residual stream.</summary>
    public float ResidualScale { get; init; } = 1;

    /// <summary>Reads the usual block: attn_norm and ffn_norm before, the given attention, ffn_gate, ffn_up and ffn_down.</summary>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen.</exception>
    public static TransformerBlock Read(WeightReader w, SelfAttention attention) =>
        ReadNorms(w, attention) with { FeedForward = FeedForward.Read(w, attention.Layer) };

    /// <summary>Reads attn_norm and ffn_norm around the given attention; the feed-forward layer is still to be added.</summary>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen.</exception>
    public static TransformerBlock ReadNorms(WeightReader w, SelfAttention attention, bool centred = false)
    {
        string attn = $"blk.{attention.Layer}.attn_norm", ffn = $"blk.{attention.Layer}.ffn_norm";
        return new TransformerBlock
        {
            Attention = attention,
            AttnNorm = centred ? Norm.Layer(w, attn) : Norm.Rms(w, attn),
            FfnNorm = centred ? Norm.Layer(w, ffn) : Norm.Rms(w, ffn),
        };
    }

    /// <summary>The same with post_attention_norm and post_ffw_norm.</summary>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen.</exception>
    public TransformerBlock WithPostNorms(WeightReader w) => this with
    {
        AttnPostNorm = Norm.Rms(w, $"blk.{Attention.Layer}.post_attention_norm"),
        FfnPostNorm = Norm.Rms(w, $"blk.{Attention.Layer}.post_ffw_norm"),
    };

    /// <summary>Changes the residual stream <paramref name="x"/> [T, D] in place.</summary>
    public void Run(Pass p, Tensor x)
    {
        Tensor a = AttnPostNorm.Run(p, Attention.Run(p, AttnNorm.Run(p, x)));   // [T, D]
        p.Add(x, p.Scale(a, ResidualScale));
        Tensor f = FfnPostNorm.Run(p, RunFeedForward(p, FfnNorm.Run(p, x)));    // [T, D]
        p.Add(x, p.Scale(f, ResidualScale));
    }

    private Tensor RunFeedForward(Pass p, Tensor x)
    {
        if (Experts is null)
            return FeedForward!.Run(p, x);
        Tensor y = Experts.Run(p, x);
        return FeedForward is null ? y : p.Add(y, FeedForward.Run(p, x));
    }
}

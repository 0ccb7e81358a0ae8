using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// Grouped-query self-attention (Ainslie et al. 2023, arXiv:2305.13245) with what models add to it: biases, norms of
/// queries and keys, a window, capped scores, sinks, an output gate.
/// </summary>
internal sealed record SelfAttention : ITokenMixer
{
    /// <inheritdoc/>
    public required int Layer { get; init; }

    /// <summary>H.</summary>
    public required int Heads { get; init; }

    /// <summary>K.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>S.</summary>
    public required int HeadSize { get; init; }

    /// <summary>[H·S, D]; <see cref="Gated"/>: [2·H·S, D], for each head its query and then its gate.</summary>
    public required Linear Query { get; init; }

    /// <summary>[K·S, D].</summary>
    public required Linear Key { get; init; }

    /// <summary>[K·S, D].</summary>
    public required Linear Value { get; init; }

    /// <summary>[D, H·S].</summary>
    public required Linear Output { get; init; }

    /// <summary>The result of each head is multiplied by the sigmoid of its gate (Qwen 3 Next; arXiv:2505.06708).</summary>
    public bool Gated { get; init; }

    /// <summary>RMS norm of the queries, [1, S] for each head alone or [1, H·S] for all; empty for none.</summary>
    public Tensor QueryNorm { get; init; }

    /// <summary>RMS norm of the keys, [1, S] or [1, K·S]; empty for none.</summary>
    public Tensor KeyNorm { get; init; }

    /// <summary>Scale, window, cap and sinks.</summary>
    public required AttentionRule Rule { get; init; }

    /// <summary>Which of the model's rotations; −1 for none.</summary>
    public int Rope { get; init; }

    /// <summary>Which elements of a head are rotated together.</summary>
    public RopeLayout RopeLayout { get; init; } = RopeLayout.Halves;

    /// <summary>
    /// Reads attn_q, attn_k and attn_v, or the fused attn_qkv, and attn_output under blk.{layer}; with the biases that are
    /// there, without norms.
    /// </summary>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen.</exception>
    public static SelfAttention Read(WeightReader w, int layer, bool gated = false)
    {
        ModelSettings s = w.Settings;
        string b = $"blk.{layer}.";
        int queryWidth = gated ? checked(2 * s.QueryWidth) : s.QueryWidth;
        bool fused = w.Contains(b + "attn_qkv.weight");
        Linear all = fused ? w.Linear(b + "attn_qkv", queryWidth + (2 * s.KeyValueWidth), s.Width) : default;
        return new SelfAttention
        {
            Layer = layer,
            Heads = s.Heads,
            KeyValueHeads = s.KeyValueHeads,
            HeadSize = s.HeadSize,
            Query = fused ? all.Slice(0, queryWidth) : w.Linear(b + "attn_q", queryWidth, s.Width),
            Gated = gated,
            Key = fused ? all.Slice(queryWidth, s.KeyValueWidth) : w.Linear(b + "attn_k", s.KeyValueWidth, s.Width),
            Value = fused
                ? all.Slice(queryWidth + s.KeyValueWidth, s.KeyValueWidth)
                : w.Linear(b + "attn_v", s.KeyValueWidth, s.Width),
            Output = w.Linear(b + "attn_output", s.Width, s.QueryWidth),
            Rule = new AttentionRule(1f / MathF.Sqrt(s.HeadSize)),
        };
    }

    /// <summary>The same with the norms of queries and keys that blk.{layer} names: of single heads, or of whole rows.</summary>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen.</exception>
    public SelfAttention WithNorms(WeightReader w, bool wholeRows = false) => this with
    {
        QueryNorm = w.Vector($"blk.{Layer}.attn_q_norm.weight", wholeRows ? Heads * HeadSize : HeadSize),
        KeyNorm = w.Vector($"blk.{Layer}.attn_k_norm.weight", wholeRows ? KeyValueHeads * HeadSize : HeadSize),
    };

    /// <inheritdoc/>
    public CacheLayer Cache => new(KeyValueHeads * HeadSize, HeadSize, Rule.Window);

    /// <inheritdoc/>
    public Tensor Run(Pass p, Tensor x)
    {
        (Tensor q, Tensor k, Tensor v) = p.Linear(x, Query, Key, Value);      // [T, H·S], [T, K·S], [T, K·S]
        Tensor gate = Gated ? p.TakePieces(q, Heads, HeadSize, HeadSize) : default;   // [T, H·S]
        q = Gated ? p.TakePieces(q, Heads, 0, HeadSize) : q;                  // [T, H·S]
        if (!QueryNorm.IsEmpty)
        {
            p.RmsNormPieces(q, QueryNorm);
            p.RmsNormPieces(k, KeyNorm);
        }

        if (Rope >= 0)
        {
            p.Rotate(q, HeadSize, Rope, RopeLayout);
            p.Rotate(k, HeadSize, Rope, RopeLayout);
        }

        if (!Rule.Bidirectional)
            p.Store(Layer, k, v);
        Tensor y = Rule.Bidirectional                                         // [T, H·S]
            ? p.AttendBothWays(q, k, v, Heads, KeyValueHeads, Rule)
            : p.Attend(q, Layer, Heads, KeyValueHeads, Rule);
        return p.Linear(Gated ? p.Gate(Activation.Sigmoid, gate, y) : y, Output);   // [T, D]
    }
}

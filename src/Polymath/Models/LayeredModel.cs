using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models;

/// <summary>What decoders and encoders share: token vectors, a row of blocks, the rotations that the blocks name.</summary>
public abstract class LayeredModel
{
    private readonly RopeSettings[] _ropes;
    private readonly WeightReader _weights;

    /// <summary>Reads the embedding.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="ropes">The rotations that layers name by index.</param>
    private protected LayeredModel(WeightReader weights, RopeSettings[] ropes)
    {
        Settings = weights.Settings;
        TokenEmbd = weights.Matrix("token_embd", Settings.Vocabulary, Settings.Width);
        _ropes = ropes;
        _weights = weights;
    }

    /// <summary>Hyper-parameters.</summary>
    public ModelSettings Settings { get; }

    /// <summary>Memory of the weights that were rearranged; whoever loaded the model frees it.</summary>
    internal IReadOnlyList<InterleavedMatrix> Interleaved => _weights.Interleaved;

    /// <summary>Bytes of that memory and of the mapped weights whose place it takes; also where the model is only outlined.</summary>
    internal (long Made, long Forgotten) Rearranged => (_weights.InterleavedBytes, _weights.ForgottenBytes);

    /// <summary>[V, D].</summary>
    protected Tensor TokenEmbd { get; }

    /// <summary>Bytes of scratch that a pass over <paramref name="tokens"/> tokens takes, roughly: what to reserve at first.</summary>
    public virtual long ScratchBytes(int tokens)
    {
        ModelSettings s = Settings;
        int widest = Math.Max(s.FeedForward, s.ExpertFeedForward);
        return (7 * Arena.SizeOf(tokens, s.Width)) + (2 * Arena.SizeOf(tokens, s.QueryWidth)) + (2 * Arena.SizeOf(tokens, s.KeyValueWidth))
            + (2 * Arena.SizeOf(tokens, widest)) + Attention.ScratchBytes(s.Heads, s.HeadSize)
            + MatMul.ScratchBytes(TensorFormat.Q8_0, tokens, Math.Max(s.QueryWidth, Math.Max(s.Width, widest)))
            + (s.Experts == 0 ? 0 : Arena.SizeOf(checked(tokens * s.ExpertsUsed), s.Width));
    }

    /// <summary>Bytes of the rotations for texts of at most <paramref name="context"/> tokens.</summary>
    internal long RopeBytes(int context) => _ropes.Sum(rope => (long)context * rope.Size * sizeof(float));

    /// <summary>Final hidden states [T, D] of <paramref name="ids"/>, normalised; a cache that the pass has is extended.</summary>
    public Tensor Forward(Pass pass, ReadOnlySpan<int> ids)
    {
        ArgumentNullException.ThrowIfNull(pass);
        Tensor x = Embed(pass, ids);                                    // [T, D]
        for (int layer = 0; layer < Settings.Layers; layer++)
        {
            pass.ThrowIfCancelled();
            long mark = pass.Mark;
            Block(pass, layer, x);
            pass.Release(mark);
        }

        return FinalNorm(pass, x);                                      // [T, D]
    }

    /// <summary>Which set of rotations a text of <paramref name="context"/> tokens needs; texts with the same share them.</summary>
    internal bool IsLong(int context) => Array.Exists(_ropes, rope => rope.IsLong(context));

    /// <summary>The rotations for texts of at most <paramref name="context"/> tokens.</summary>
    internal RopeTable[] BuildRopes(int context) => Array.ConvertAll(_ropes, rope => rope.Build(context));

    /// <summary>The tokens' vectors, as the first block takes them: [T, D].</summary>
    private protected virtual Tensor Embed(Pass p, ReadOnlySpan<int> ids) => p.Embed(ids, TokenEmbd);

    /// <summary>One block; changes the residual stream <paramref name="x"/> [T, D] in place.</summary>
    private protected abstract void Block(Pass p, int layer, Tensor x);

    /// <summary>The norm after the last block, where there is one: [T, D].</summary>
    private protected virtual Tensor FinalNorm(Pass p, Tensor x) => x;
}

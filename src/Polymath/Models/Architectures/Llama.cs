using Polymath.Files;
using Polymath.Models.Layers;
using Polymath.Tensors;

namespace Polymath.Models.Architectures;

/// <summary>
/// Llama 1 to 3 and what shares its shape (Touvron et al. 2023, https://arxiv.org/abs/2302.13971): RMS norm before
/// each half block, rotary positions on adjacent pairs, grouped-query attention, SwiGLU, tied or separate head.
/// </summary>
internal sealed class Llama : Decoder
{
    private sealed class Layer
    {
        public required Tensor AttnNorm;    // [1, D]
        public required Linear AttnQ;       // [H·S, D]
        public required Linear AttnK;       // [K·S, D]
        public required Linear AttnV;       // [K·S, D]
        public required Linear AttnOutput;  // [D, H·S]
        public required Tensor FfnNorm;     // [1, D]
        public required Linear FfnGate;     // [F, D]
        public required Linear FfnUp;       // [F, D]
        public required Linear FfnDown;     // [D, F]
    }

    private readonly Tensor _tokenEmbd;     // [V, D]
    private readonly Tensor _outputNorm;    // [1, D]
    private readonly Linear _output;        // [V, D]
    private readonly float[] _ropeFactors;  // [S / 2], or empty
    private readonly Layer[] _layers;

    public Llama(WeightSource source)
        : base(ModelSettings.Read(source))
    {
        ModelSettings s = Settings;
        _tokenEmbd = source.Read("token_embd.weight", s.Vocabulary, s.Width);
        _outputNorm = Norm("output_norm.weight");
        _output = source.Contains("output.weight") ? Matrix("output", s.Vocabulary, s.Width) : new Linear(_tokenEmbd);
        _ropeFactors = ReadRopeFactors(source);
        _layers = new Layer[s.Layers];
        for (int i = 0; i < s.Layers; i++)
        {
            string b = $"blk.{i}.";
            _layers[i] = new Layer
            {
                AttnNorm = Norm(b + "attn_norm.weight"),
                AttnQ = Matrix(b + "attn_q", s.QueryWidth, s.Width),
                AttnK = Matrix(b + "attn_k", s.KeyValueWidth, s.Width),
                AttnV = Matrix(b + "attn_v", s.KeyValueWidth, s.Width),
                AttnOutput = Matrix(b + "attn_output", s.Width, s.QueryWidth),
                FfnNorm = Norm(b + "ffn_norm.weight"),
                FfnGate = Matrix(b + "ffn_gate", s.FeedForward, s.Width),
                FfnUp = Matrix(b + "ffn_up", s.FeedForward, s.Width),
                FfnDown = Matrix(b + "ffn_down", s.Width, s.FeedForward),
            };
        }

        Tensor Norm(string name) => RequireF32(source, name, source.Read(name, 1, s.Width));

        Linear Matrix(string name, int rows, int columns) => new(
            source.Read(name + ".weight", rows, columns),
            source.Contains(name + ".bias") ? RequireF32(source, name + ".bias", source.Read(name + ".bias", 1, rows)) : default);
    }

    /// <inheritdoc/>
    public override RopeTable BuildRope(int positions) =>
        new(positions, Settings.RopeSize, Settings.RopeBase, Settings.RopeScale, _ropeFactors);

    /// <inheritdoc/>
    public override long ScratchBytes(int tokens)
    {
        ModelSettings s = Settings;
        long kernels = Attention.ScratchBytes(tokens, s.Heads)
            + _layers.SelectMany(l => new[] { l.AttnQ, l.AttnK, l.AttnV, l.AttnOutput, l.FfnGate, l.FfnUp, l.FfnDown })
                .Append(_output).Max(l => MatMul.ScratchBytes(l.Weight.Format, tokens, l.Inputs));
        // The residual stream and the last norm, then what one block holds at once.
        return (6 * Arena.SizeOf(tokens, s.Width)) + (2 * Arena.SizeOf(tokens, s.QueryWidth))
            + (2 * Arena.SizeOf(tokens, s.FeedForward)) + kernels;
    }

    /// <inheritdoc/>
    public override Tensor Forward(Pass p, ReadOnlySpan<int> ids)
    {
        Tensor x = p.Embed(ids, _tokenEmbd);                            // [T, D]
        for (int i = 0; i < _layers.Length; i++)
        {
            p.ThrowIfCancelled();
            long mark = p.Mark;
            Block(p, i, _layers[i], x);
            p.Release(mark);
        }

        return p.RmsNorm(x, _outputNorm);                               // [T, D]
    }

    /// <inheritdoc/>
    public override void Head(Pass p, Tensor hidden, Tensor logits) => p.LinearInto(hidden, _output, logits);

    /// <summary>One block; changes the residual stream <paramref name="x"/> [T, D] in place.</summary>
    private void Block(Pass p, int index, Layer w, Tensor x)
    {
        p.Add(x, SelfAttention(p, index, w, p.RmsNorm(x, w.AttnNorm))); // [T, D]
        p.Add(x, FeedForward(p, w, p.RmsNorm(x, w.FfnNorm)));           // [T, D]
    }

    private Tensor SelfAttention(Pass p, int index, Layer w, Tensor x)
    {
        Tensor q = p.Project(index, x, w.AttnQ, w.AttnK, w.AttnV);      // [T, H·S]; keys and values into the cache
        Tensor a = p.Attend(q, index, 1f / MathF.Sqrt(Settings.HeadSize)); // [T, H·S]
        return p.Linear(a, w.AttnOutput);                               // [T, D]
    }

    private static Tensor FeedForward(Pass p, Layer w, Tensor x)
    {
        (Tensor gate, Tensor up) = p.Linear(x, w.FfnGate, w.FfnUp);     // [T, F] each
        return p.Linear(p.SwiGlu(gate, up), w.FfnDown);                 // [T, D]
    }

    private float[] ReadRopeFactors(WeightSource source)
    {
        const string Name = "rope_freqs.weight";
        if (!source.Contains(Name))
            return [];
        float[] factors = RequireF32(source, Name, source.Read(Name, 1, Settings.RopeSize / 2)).AsFloats().ToArray();
        return factors.All(f => f > 0 && float.IsFinite(f))
            ? factors
            : throw new ModelFormatException($"{source.Path}: tensor {Name} holds values that are not positive");
    }

    private static Tensor RequireF32(WeightSource source, string name, Tensor tensor) =>
        tensor.Format == TensorFormat.F32
            ? tensor
            : throw new ModelFormatException($"{source.Path}: tensor {name} is {tensor.Format}, F32 needed");
}

using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// A gated delta net (Yang, Kautz and Hatamizadeh 2024, arXiv:2412.06464) in the place of attention: a short convolution over
/// queries, keys and values, the recurrence of <see cref="GatedDeltaRule"/>, a norm of each head, an output gate.
/// K key heads serve V value heads, all of S elements; C = 2·K·S + V·S.
/// </summary>
internal sealed record GatedDeltaNet : ITokenMixer
{
    private const int LargestHead = 256;
    private const int MostHeads = 1 << 10;

    /// <inheritdoc/>
    public required int Layer { get; init; }

    /// <summary>K.</summary>
    public required int KeyHeads { get; init; }

    /// <summary>V.</summary>
    public required int ValueHeads { get; init; }

    /// <summary>S.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Value head h takes the key head h mod K, not h / (V/K).</summary>
    public required bool Tiled { get; init; }

    /// <summary>All queries, all keys, all values: [C, D].</summary>
    public Linear Mixed { get; private init; }

    /// <summary>The output gate: [V·S, D].</summary>
    public Linear Gate { get; private init; }

    /// <summary>For each key head its query, key, values and gates: [C + V·S, D]. In older files, in the place of the two above.</summary>
    public Linear Joined { get; private init; }

    /// <summary>How much of a token is written: [V, D].</summary>
    public Linear Beta { get; private init; }

    /// <summary>How much is forgotten: [V, D].</summary>
    public Linear Alpha { get; private init; }

    /// <summary>For each key head β and α of its value heads: [2·V, D]; or the two above.</summary>
    public Linear BetaAlpha { get; private init; }

    /// <summary>Added to α: [1, V].</summary>
    public required Tensor TimeBias { get; init; }

    /// <summary>Factor on softplus(α): [1, V].</summary>
    public required Tensor LogDecay { get; init; }

    /// <summary>Of the convolution: [N, C].</summary>
    public required Tensor Kernel { get; init; }

    /// <summary>RMS norm of each head's result: [1, S].</summary>
    public required Tensor Norm { get; init; }

    /// <summary>[D, V·S].</summary>
    public required Linear Output { get; init; }

    /// <summary>Weights of an RMS norm that gives the queries length 1/√S, [1, S].</summary>
    public required Tensor QueryLength { get; init; }

    /// <summary>Weights of an RMS norm that gives the keys length 1, [1, S].</summary>
    public required Tensor KeyLength { get; init; }

    /// <summary>Under the root of an RMS norm so that it adds the model's epsilon to the sum of squares.</summary>
    public required float LengthEpsilon { get; init; }

    private int Channels => HeadSize * ((2 * KeyHeads) + ValueHeads);

    private int PastLength => (Kernel.Rows - 1) * Channels;

    /// <summary>Floats of the convolution's past, padded to whole cache lines.</summary>
    private int PastRoom => (PastLength + 15) / 16 * 16;

    /// <inheritdoc/>
    public CacheLayer Cache => new(0, 0, StateLength: PastRoom + GatedDeltaRule.StateLength(ValueHeads, HeadSize));

    /// <summary>Reads the tensors attn_qkv, attn_gate and ssm_… under blk.{layer}.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="tiled">Value head h takes the key head h mod K.</param>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen, or a size makes no sense.</exception>
    public static GatedDeltaNet Read(WeightReader w, int layer, bool tiled)
    {
        int size = w.Int32("ssm.state_size"), keyHeads = w.Int32("ssm.group_count"), heads = w.Int32("ssm.time_step_rank");
        int taps = w.Int32("ssm.conv_kernel"), width = w.Settings.Width;
        Require(w, size is > 0 and <= LargestHead && size <= width, "ssm.state_size", size);
        Require(w, keyHeads is > 0 and <= MostHeads, "ssm.group_count", keyHeads);
        Require(w, heads is > 0 and <= MostHeads && heads % keyHeads == 0, "ssm.time_step_rank", heads);
        Require(w, taps is > 1 and <= CausalConvolution.MostTaps, "ssm.conv_kernel", taps);
        Require(w, w.Int32("ssm.inner_size") == heads * size, "ssm.inner_size", w.Int32("ssm.inner_size"));
        string b = $"blk.{layer}.";
        int channels = size * ((2 * keyHeads) + heads);
        bool joined = w.Contains(b + "ssm_in.weight") && !w.Contains(b + "attn_qkv.weight"), both = w.Contains(b + "ssm_ba.weight");
        return new GatedDeltaNet
        {
            Layer = layer,
            KeyHeads = keyHeads,
            ValueHeads = heads,
            HeadSize = size,
            Tiled = tiled,
            Joined = joined ? w.Linear(b + "ssm_in", channels + (heads * size), width) : default,
            Mixed = joined ? default : w.Linear(b + "attn_qkv", channels, width),
            Gate = joined ? default : w.Linear(b + "attn_gate", heads * size, width),
            BetaAlpha = both ? w.Linear(b + "ssm_ba", 2 * heads, width) : default,
            Beta = both ? default : w.Linear(b + "ssm_beta", heads, width),
            Alpha = both ? default : w.Linear(b + "ssm_alpha", heads, width),
            TimeBias = w.Vector(b + "ssm_dt.bias", heads),
            LogDecay = w.Vector(b + "ssm_a", heads),
            Kernel = Transposed(w.Floats(b + "ssm_conv1d.weight", channels, taps)),
            Norm = w.Vector(b + "ssm_norm.weight", size),
            Output = w.Linear(b + "ssm_out", width, heads * size),
            QueryLength = Constant(size, 1f / size),
            KeyLength = Constant(size, 1f / MathF.Sqrt(size)),
            LengthEpsilon = w.Settings.NormEpsilon / size,
        };
    }

    /// <summary>Bytes of scratch for so many tokens, roughly.</summary>
    public long ScratchBytes(int tokens) =>
        (2 * Arena.SizeOf(tokens, Channels)) + (2 * Arena.SizeOf(tokens, ValueHeads * HeadSize)) + (4 * Arena.SizeOf(tokens, ValueHeads))
        + (Joined.Weight.IsEmpty ? 0 : Arena.SizeOf(tokens, Joined.Outputs))
        + MatMul.ScratchBytes(TensorFormat.Q8_0, tokens, Math.Max(ValueHeads * HeadSize, Output.Outputs));

    /// <inheritdoc/>
    public Tensor Run(Pass p, Tensor x)
    {
        (Tensor mixed, Tensor z) = Project(p, x);                             // [T, C], [T, V·S]
        (Tensor beta, Tensor decay) = Gates(p, x);                            // [T, V] each
        Tensor q = p.Rent(x.Rows, KeyHeads * HeadSize), k = p.Rent(x.Rows, KeyHeads * HeadSize);
        Tensor v = p.Rent(x.Rows, ValueHeads * HeadSize), y = p.Rent(x.Rows, v.Columns);   // [T, V·S]
        for (int i = 0; i < p.Texts; i++)
            Convolve(p, i, mixed, q, k, v);
        SetLength(p, q, QueryLength);
        SetLength(p, k, KeyLength);

        for (int i = 0; i < p.Texts; i++)
        {
            (Tensor current, Tensor next) = p.State(i, Layer);                // [1, state]
            int length = current.Columns - PastRoom;
            GatedDeltaRule.Run(
                p.Team, p.RowsOf(i, q), p.RowsOf(i, k), p.RowsOf(i, v), p.RowsOf(i, decay), p.RowsOf(i, beta),
                current.Elements(PastRoom, length), next.Elements(PastRoom, length), p.RowsOf(i, y), Tiled);
        }

        p.RmsNormPieces(y, Norm);
        return p.Linear(p.Gate(Activation.Silu, z, y), Output);               // [T, D]
    }

    /// <summary>The convolution over a text's rows, the last of which are kept.</summary>
    private void Convolve(Pass p, int text, Tensor mixed, Tensor q, Tensor k, Tensor v)
    {
        (Tensor current, Tensor next) = p.State(text, Layer);
        Tensor past = current.Elements(0, PastLength).Reshape(Kernel.Rows - 1, Channels), rows = p.RowsOf(text, mixed);
        CausalConvolution.Run(p.Team, past, rows, Kernel, 0, p.RowsOf(text, q));
        CausalConvolution.Run(p.Team, past, rows, Kernel, q.Columns, p.RowsOf(text, k));
        CausalConvolution.Run(p.Team, past, rows, Kernel, 2 * q.Columns, p.RowsOf(text, v));
        CausalConvolution.Keep(past, rows, next.Elements(0, PastLength).Reshape(past.Rows, past.Columns));
    }

    private (Tensor Mixed, Tensor Gate) Project(Pass p, Tensor x)
    {
        if (Joined.Weight.IsEmpty)
            return p.Linear(x, Mixed, Gate);
        Tensor mixed = p.Rent(x.Rows, Channels), all = p.Linear(x, Joined);
        int values = ValueHeads / KeyHeads * HeadSize;                        // of a key head
        Pass.CopyPieces(all, KeyHeads, 0, HeadSize, mixed, 0);
        Pass.CopyPieces(all, KeyHeads, HeadSize, HeadSize, mixed, KeyHeads * HeadSize);
        Pass.CopyPieces(all, KeyHeads, 2 * HeadSize, values, mixed, 2 * KeyHeads * HeadSize);
        return (mixed, p.TakePieces(all, KeyHeads, (2 * HeadSize) + values, values));
    }

    /// <summary>β = sigmoid, and the decay e^(softplus(α + bias) · factor).</summary>
    private (Tensor Beta, Tensor Decay) Gates(Pass p, Tensor x)
    {
        Tensor beta, alpha;
        if (BetaAlpha.Weight.IsEmpty)
        {
            (beta, alpha) = p.Linear(x, Beta, Alpha);
        }
        else
        {
            Tensor both = p.Linear(x, BetaAlpha);                             // [T, 2·V]
            int group = ValueHeads / KeyHeads;
            (beta, alpha) = (p.TakePieces(both, KeyHeads, 0, group), p.TakePieces(both, KeyHeads, group, group));
        }

        ReadOnlySpan<float> bias = TimeBias.AsFloats(), factor = LogDecay.AsFloats();
        for (int t = 0; t < alpha.Rows; t++)
        {
            Span<float> row = alpha.Row(t);
            for (int h = 0; h < row.Length; h++)
            {
                double a = row[h] + bias[h];
                row[h] = (float)Math.Exp((a > 20 ? a : Math.Log(1 + Math.Exp(a))) * factor[h]);
            }
        }

        return (p.Activate(Activation.Sigmoid, beta), alpha);
    }

    private void SetLength(Pass p, Tensor x, Tensor length)
    {
        Tensor heads = x.Reshape(x.Rows * KeyHeads, HeadSize);
        RmsNorm.Run(p.Team, heads, length, heads, LengthEpsilon);
    }

    private static Tensor Transposed(Tensor x)
    {
        Tensor y = Tensor.Zeros(x.Columns, x.Rows);
        for (int row = 0; row < x.Rows; row++)
        {
            for (int column = 0; column < x.Columns; column++)
                y.Row(column)[row] = x.Row(row)[column];
        }

        return y;
    }

    private static Tensor Constant(int length, float value)
    {
        Tensor tensor = Tensor.Zeros(1, length);
        tensor.AsFloats().Fill(value);
        return tensor;
    }

    private static void Require(WeightReader w, bool holds, string key, int value)
    {
        if (!holds)
            throw w.Bad(key, value);
    }
}

using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>down(f(gate(x)) × up(x)), or down(f(up(x))) in a layer without a gate.</summary>
internal sealed record FeedForward
{
    /// <summary>[F, D], or empty.</summary>
    public Linear Gate { get; init; }

    /// <summary>[F, D].</summary>
    public required Linear Up { get; init; }

    /// <summary>[D, F].</summary>
    public required Linear Down { get; init; }

    /// <summary>f.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>[1, D]: a token's result is multiplied by the sigmoid of its product with this; empty for no such factor.</summary>
    public Linear TokenGate { get; init; }

    /// <summary>Reads ffn_up and ffn_down, and ffn_gate where it is there, under blk.{layer}.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="activation">f.</param>
    /// <param name="suffix">Of the names, such as _shexp for a shared expert.</param>
    /// <param name="width">F; that of the settings when 0.</param>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen.</exception>
    public static FeedForward Read(
        WeightReader w, int layer, Activation activation = Activation.Silu, string suffix = "", int width = 0)
    {
        ModelSettings s = w.Settings;
        string b = $"blk.{layer}.";
        int f = width > 0 ? width : s.FeedForward;
        return new FeedForward
        {
            Gate = w.Contains($"{b}ffn_gate{suffix}.weight") ? w.Linear($"{b}ffn_gate{suffix}", f, s.Width) : default,
            Up = w.Linear($"{b}ffn_up{suffix}", f, s.Width),
            Down = w.Linear($"{b}ffn_down{suffix}", s.Width, f),
            Activation = activation,
        };
    }

    /// <summary>Reads a gate and an up matrix that lie one below the other in ffn_up [2F, D] (Phi 3).</summary>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen.</exception>
    public static FeedForward ReadFused(WeightReader w, int layer, Activation activation = Activation.Silu)
    {
        ModelSettings s = w.Settings;
        Linear both = w.Linear($"blk.{layer}.ffn_up", checked(2 * s.FeedForward), s.Width);
        return new FeedForward
        {
            Gate = both.Slice(0, s.FeedForward),
            Up = both.Slice(s.FeedForward, s.FeedForward),
            Down = w.Linear($"blk.{layer}.ffn_down", s.Width, s.FeedForward),
            Activation = activation,
        };
    }

    /// <summary>The tokens x [T, D], normalised, through the layer: [T, D].</summary>
    public Tensor Run(Pass p, Tensor x)
    {
        Tensor y = RunUngated(p, x);                                   // [T, D]
        if (TokenGate.Weight.IsEmpty)
            return y;
        Tensor factors = p.Activate(Activation.Sigmoid, p.Linear(x, TokenGate));   // [T, 1]
        for (int t = 0; t < y.Rows; t++)
            p.Scale(y.Slice(t, 1), factors.AsFloats()[t]);
        return y;
    }

    private Tensor RunUngated(Pass p, Tensor x)
    {
        if (Gate.Weight.IsEmpty)
            return p.Linear(p.Activate(Activation, p.Linear(x, Up)), Down);
        (Tensor gate, Tensor up) = p.Linear(x, Gate, Up);              // [T, F] each
        return p.Linear(p.Gate(Activation, gate, up), Down);           // [T, D]
    }
}

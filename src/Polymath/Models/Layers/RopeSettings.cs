using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>
/// The rotary positions of a model (Su et al. 2021, arXiv:2104.09864) and how they stretch to longer contexts: linear
/// (arXiv:2306.15595), NTK-aware, YaRN (Peng et al. 2023, arXiv:2309.00071), LongRoPE (Ding et al. 2024,
/// arXiv:2402.13753), or divisors in the file (Llama 3.1).
/// </summary>
internal sealed record RopeSettings
{
    /// <summary>R, the elements of each head that are rotated.</summary>
    public required int Size { get; init; }

    /// <summary>Base of the frequencies.</summary>
    public required double Base { get; init; }

    /// <summary>Contexts are stretched by this.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>True for YaRN: high frequencies stay as they are.</summary>
    public bool Yarn { get; init; }

    /// <summary>Full turns within the original context above which YaRN keeps a frequency.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Full turns below which YaRN stretches a frequency wholly.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>Context the model was trained for before it was stretched.</summary>
    public int OriginalContext { get; init; }

    /// <summary>Factor on cosines and sines.</summary>
    public double Magnitude { get; init; } = 1;

    /// <summary>R/2 divisors of the frequencies, or empty.</summary>
    public float[] Divisors { get; init; } = [];

    /// <summary>R/2 divisors for contexts over <see cref="OriginalContext"/> (LongRoPE), or empty.</summary>
    public float[] LongDivisors { get; init; } = [];

    /// <summary>What the metadata and the tensors rope_freqs, rope_factors_short and rope_factors_long say.</summary>
    /// <exception cref="Files.ModelFormatException">A kind of scaling that is not known, or a value that makes no sense.</exception>
    public static RopeSettings Read(WeightReader w)
    {
        ModelSettings s = w.Settings;
        string kind = w.Text("rope.scaling.type", "linear");
        float given = w.Single("rope.scaling.factor", w.Single("rope.scale_linear", 1));
        double factor = kind == "none" || given == 0 ? 1 : given;
        if (kind is not ("none" or "linear" or "yarn" or "longrope" or "ntk"))
            throw w.Bad("rope.scaling.type", $"\"{kind}\", not one of none, linear, ntk, yarn, longrope");
        if (factor is not (> 0 and <= 1024))
            throw w.Bad("rope.scaling.factor", factor);
        var rope = new RopeSettings
        {
            Size = s.RopeSize,
            Base = s.RopeBase,
            Factor = factor,
            Yarn = kind == "yarn",
            BetaFast = w.Single("rope.scaling.yarn_beta_fast", 32),
            BetaSlow = w.Single("rope.scaling.yarn_beta_slow", 1),
            OriginalContext = w.Int32("rope.scaling.original_context_length", s.ContextLength),
            Magnitude = w.Single("rope.scaling.attn_factor", 1),
            Divisors = ReadDivisors(w, w.Contains("rope_freqs.weight") ? "rope_freqs.weight" : "rope_factors_short.weight"),
            LongDivisors = ReadDivisors(w, "rope_factors_long.weight"),
        };
        if (rope.OriginalContext <= 0)
            throw w.Bad("rope.scaling.original_context_length", rope.OriginalContext);
        if (kind == "ntk")
            return rope with { Factor = 1, Base = s.RopeBase * Math.Pow(factor, s.RopeSize / Math.Max(1.0, s.RopeSize - 2)) };
        return rope.Yarn ? rope with { Magnitude = rope.Magnitude * YarnMagnitude(w, factor) } : rope;
    }

    /// <summary>The rotations that the metadata asks for, and behind them those of layers with a window: as they were trained.</summary>
    /// <param name="w">The metadata.</param>
    /// <param name="localBase">Base of the second; null for the same.</param>
    /// <exception cref="Files.ModelFormatException">A kind of scaling that is not known, or a value that makes no sense.</exception>
    public static RopeSettings[] ReadWithLocal(WeightReader w, double? localBase = null)
    {
        RopeSettings rope = Read(w);
        return [rope, new() { Size = rope.Size, Base = localBase ?? rope.Base, OriginalContext = rope.OriginalContext }];
    }

    /// <summary>True when a context of so many tokens takes the long divisors.</summary>
    public bool IsLong(int context) => context > OriginalContext && LongDivisors.Length > 0;

    /// <summary>The angles of positions 0 … <paramref name="context"/> − 1.</summary>
    public RopeTable Build(int context)
    {
        float[] divisors = IsLong(context) ? LongDivisors : Divisors;
        var frequencies = new double[Size / 2];
        double low = Math.Max(0, Math.Floor(PairOfTurns(BetaFast))), high = Math.Min(Size - 1, Math.Ceiling(PairOfTurns(BetaSlow)));
        for (int i = 0; i < frequencies.Length; i++)
        {
            double trained = Math.Pow(Base, -2.0 * i / Size) / (divisors.Length == 0 ? 1 : divisors[i]);
            double keep = Yarn ? 1 - Math.Clamp((i - low) / Math.Max(0.001, high - low), 0, 1) : 0;
            frequencies[i] = trained * (keep + ((1 - keep) / Factor));
        }

        return new RopeTable(context, frequencies, (float)Magnitude);
    }

    /// <summary>The pair that makes so many full turns within the original context, as a fraction of a pair.</summary>
    private double PairOfTurns(double turns) => Size * Math.Log(OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(Base));

    /// <summary>0.1 ln(factor) + 1, unless the model says by yarn_log_multiplier that part of it is in its weights.</summary>
    private static double YarnMagnitude(WeightReader w, double factor)
    {
        double multiplier = w.Single("rope.scaling.yarn_log_multiplier", 0);
        double of(double m) => factor <= 1 ? 1 : (0.1 * m * Math.Log(factor)) + 1;
        return multiplier == 0 ? of(1) : of(1) / of(multiplier);
    }

    private static float[] ReadDivisors(WeightReader w, string name)
    {
        Tensor tensor = w.OptionalVector(name, w.Settings.RopeSize / 2);
        if (tensor.IsEmpty)
            return [];
        float[] values = tensor.AsFloats().ToArray();
        return Array.TrueForAll(values, f => f > 0 && float.IsFinite(f))
            ? values
            : throw w.Bad(name, "a list with values that are not positive");
    }
}

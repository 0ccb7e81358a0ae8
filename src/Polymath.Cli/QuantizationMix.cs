using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>What a matrix does in the model, as far as it decides how many bits it gets.</summary>
internal enum TensorRole
{
    /// <summary>Anything else.</summary>
    Other,

    /// <summary>The table of token vectors.</summary>
    Embedding,

    /// <summary>The output head.</summary>
    Output,

    /// <summary>Keys.</summary>
    Key,

    /// <summary>Values, alone or in one matrix with queries and keys.</summary>
    Value,

    /// <summary>Back from the heads.</summary>
    AttentionOutput,

    /// <summary>Back from the feed-forward width.</summary>
    Down,
}

/// <summary>
/// A named mix of formats, as model files are traded under: most matrices in one format, those that suffer most from
/// rounding in a finer one. Which gets which is what llama.cpp's llama-quantize does (https://github.com/ggml-org/llama.cpp),
/// so that a name means the same file everywhere.
/// </summary>
/// <param name="Name">For example Q4_K_M.</param>
/// <param name="FileType">Number under general.file_type, as in the GGUF specification.</param>
/// <param name="Format">The format of most matrices.</param>
internal sealed record QuantizationMix(string Name, uint FileType, TensorFormat Format)
{
    /// <summary>All mixes, the largest files first.</summary>
    public static readonly QuantizationMix[] All =
    [
        new("F32", 0, TensorFormat.F32),
        new("F16", 1, TensorFormat.F16),
        new("BF16", 32, TensorFormat.BF16),
        new("Q8_0", 7, TensorFormat.Q8_0),
        new("Q6_K", 18, TensorFormat.Q6_K),
        new("Q5_K_M", 17, TensorFormat.Q5_K),
        new("Q5_K_S", 16, TensorFormat.Q5_K),
        new("Q5_1", 9, TensorFormat.Q5_1),
        new("Q5_0", 8, TensorFormat.Q5_0),
        new("Q4_K_M", 15, TensorFormat.Q4_K),
        new("Q4_K_S", 14, TensorFormat.Q4_K),
        new("Q4_1", 3, TensorFormat.Q4_1),
        new("Q4_0", 2, TensorFormat.Q4_0),
        new("IQ4_NL", 25, TensorFormat.IQ4_NL),
        new("IQ4_XS", 30, TensorFormat.IQ4_XS),
        new("MXFP4_MOE", 38, TensorFormat.MXFP4),
        new("Q3_K_L", 13, TensorFormat.Q3_K),
        new("Q3_K_M", 12, TensorFormat.Q3_K),
        new("Q3_K_S", 11, TensorFormat.Q3_K),
        new("Q2_K", 10, TensorFormat.Q2_K),
        new("Q2_K_S", 21, TensorFormat.Q2_K),
    ];

    private static readonly Dictionary<string, string> s_aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Q3_K"] = "Q3_K_M",
        ["Q4_K"] = "Q4_K_M",
        ["Q5_K"] = "Q5_K_M",
        ["MXFP4"] = "MXFP4_MOE",
    };

    /// <summary>The mix of a name or alias in any case; null where there is none.</summary>
    public static QuantizationMix? Find(string name) =>
        Array.Find(All, mix => mix.Name.Equals(s_aliases.GetValueOrDefault(name, name), StringComparison.OrdinalIgnoreCase));

    /// <summary>True when Q2_K alone would be too coarse without importance.</summary>
    public bool NeedsImportance => Name == "Q2_K_S";

    /// <summary>The format of a matrix, before the width of its rows is looked at.</summary>
    /// <param name="role">What it does.</param>
    /// <param name="tensor">Its shape.</param>
    /// <param name="model">What is known of the model.</param>
    /// <param name="at">How many matrices of this role came before it, or its layer in a model of experts.</param>
    /// <param name="count">How many there are.</param>
    public TensorFormat Choose(TensorRole role, TensorInfo tensor, in QuantizedModel model, int at, int count)
    {
        if (role == TensorRole.Output || (role == TensorRole.Embedding && model.IsTied))
            return ForOutput(tensor, model);
        if (Name == "MXFP4_MOE")
            return IsExpert(role, tensor, model) ? TensorFormat.MXFP4 : TensorFormat.Q8_0;
        return role switch
        {
            TensorRole.Value => ForValue(model, at, count),
            TensorRole.Key when model.Experts == 8 => TensorFormat.Q8_0,
            TensorRole.Down => ForDown(model, at, count),
            TensorRole.AttentionOutput => ForAttentionOutput(model),
            _ => Format,
        };
    }

    /// <summary>The next format whose blocks rows of <paramref name="columns"/> fill; F16 where none does.</summary>
    public static TensorFormat Fitting(TensorFormat format, long columns)
    {
        if (columns % FormatInfo.BlockLength(format) == 0)
            return format;
        TensorFormat smaller = format switch
        {
            TensorFormat.Q2_K or TensorFormat.Q3_K => TensorFormat.Q4_0,
            TensorFormat.Q4_K => TensorFormat.Q5_0,
            TensorFormat.Q5_K => TensorFormat.Q5_1,
            TensorFormat.Q6_K => TensorFormat.Q8_0,
            TensorFormat.IQ4_XS => TensorFormat.IQ4_NL,
            _ => format,
        };
        return columns % FormatInfo.BlockLength(smaller) == 0 ? smaller : TensorFormat.F16;
    }

    private static bool IsExpert(TensorRole role, TensorInfo tensor, in QuantizedModel model)
    {
        bool feedForward = role == TensorRole.Down
            || tensor.Name.Contains("ffn_up", StringComparison.Ordinal) || tensor.Name.Contains("ffn_gate", StringComparison.Ordinal);
        return tensor.Dimensions.Count > 2 && tensor.Dimensions[2] > 1 && (model.Architecture != "bailingmoe3" || feedForward);
    }

    /// <summary>The first eighth, the last eighth and every third layer between.</summary>
    private static bool IsSensitive(int layer, int layers) =>
        layer < layers / 8 || layer >= 7 * layers / 8 || (layer - (layers / 8)) % 3 == 2;

    private TensorFormat ForOutput(TensorInfo tensor, in QuantizedModel model)
    {
        if (Name == "MXFP4_MOE" || model.IsFalcon || tensor.Dimensions[0] % FormatInfo.BlockLength(Format) != 0)
            return TensorFormat.Q8_0;
        return Format == TensorFormat.Q8_0 ? Format : TensorFormat.Q6_K;
    }

    private TensorFormat ForValue(in QuantizedModel model, int at, int count)
    {
        bool shared = model.HeadsPerKeyValue >= 4;
        TensorFormat format = Name switch
        {
            "Q2_K" => shared ? TensorFormat.Q4_K : TensorFormat.Q3_K,
            "Q2_K_S" when shared => TensorFormat.Q4_K,
            "Q3_K_M" => at < 2 ? TensorFormat.Q5_K : TensorFormat.Q4_K,
            "Q3_K_L" => TensorFormat.Q5_K,
            "IQ4_NL" or "IQ4_XS" when shared => TensorFormat.Q5_K,
            "Q4_K_M" or "Q5_K_M" when IsSensitive(at, count) => TensorFormat.Q6_K,
            "Q4_K_S" when at < 4 => TensorFormat.Q5_K,
            _ => Format,
        };
        if (model.Experts == 8)
            return TensorFormat.Q8_0;
        // In a model of 70 billion eight heads share the values, so that more bits for them cost little.
        return model.Is70B && format is (TensorFormat.Q3_K or TensorFormat.Q4_K) ? TensorFormat.Q5_K : format;
    }

    private TensorFormat ForDown(in QuantizedModel model, int at, int count)
    {
        bool early = at < count / 8, first = at < count / 16;
        return Name switch
        {
            "Q2_K" => TensorFormat.Q3_K,
            "Q2_K_S" when early => TensorFormat.Q4_K,
            "Q3_K_M" when first => TensorFormat.Q5_K,
            "Q3_K_M" when !model.IsFalcon || IsSensitive(at, count) => TensorFormat.Q4_K,
            "Q3_K_L" => model.IsFalcon ? TensorFormat.Q4_K : TensorFormat.Q5_K,
            "Q4_K_M" when model.IsFalcon => first ? TensorFormat.Q6_K : IsSensitive(at, count) ? TensorFormat.Q5_K : TensorFormat.Q4_K,
            "Q4_K_M" or "Q5_K_M" when IsSensitive(at, count) => TensorFormat.Q6_K,
            "IQ4_NL" or "IQ4_XS" when early && !model.HasImportance => TensorFormat.Q5_K,
            "Q4_K_S" when early && !model.IsFalcon => TensorFormat.Q5_K,
            "Q4_0" when early && model.HasImportance => TensorFormat.Q4_1,
            "Q5_0" when early && model.HasImportance => TensorFormat.Q5_1,
            _ => Format,
        };
    }

    private TensorFormat ForAttentionOutput(in QuantizedModel model)
    {
        if (model.IsFalcon)
            return Name == "Q3_K_L" ? TensorFormat.Q4_K : Format;
        if (model.Experts == 8)
            return Name is "Q2_K" or "Q3_K_S" or "Q3_K_M" or "Q4_K_S" or "Q4_K_M" or "IQ4_NL" or "IQ4_XS" ? TensorFormat.Q5_K : Format;
        return Name switch
        {
            "Q2_K" => TensorFormat.Q3_K,
            "Q3_K_M" => TensorFormat.Q4_K,
            "Q3_K_L" => TensorFormat.Q5_K,
            _ => Format,
        };
    }
}

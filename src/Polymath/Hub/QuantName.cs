using System.Text.RegularExpressions;
using Polymath.Tensors;

namespace Polymath.Hub;

/// <summary>Names of quants as they stand in file names, and which of them to prefer.</summary>
internal static class QuantName
{
    /// <summary>Best first: the usual balance of size and quality, then others by quality for their size.</summary>
    private static readonly string[] s_order =
    [
        "Q4_K_M", "Q4_0", "Q5_K_M", "Q4_K_S", "Q4_1", "Q5_K_S", "Q5_0", "Q5_1", "Q6_K", "Q8_0", "IQ4_NL", "IQ4_XS", "MXFP4", "MXFP4_MOE",
        "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "Q2_K_S", "BF16", "F16", "F32",
    ];

    private static readonly char[] s_between = ['-', '.', '/', ' '];

    private static readonly Regex s_pattern = new(
        @"(?:\A|_)(I?Q[1-9](?:_[0-9A-Z]+)+|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|F16|F32|FP16|FP32)\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    // What names a mix of formats: Q4_K_M is mostly Q4_K.
    private static readonly Regex s_mix = new("(_K)_(?:XXS|XS|S|M|L|XL|XXL)$|_MOE$", RegexOptions.NonBacktracking);

    /// <summary>The quant in a file's or folder's name, in capitals; null when there is none.</summary>
    public static string? In(string name)
    {
        string[] words = name.Split(s_between);
        int last = Array.FindLastIndex(words, s_pattern.IsMatch);
        if (last < 0)
            return null;
        string quant = s_pattern.Match(words[last]).Groups[1].Value.ToUpperInvariant() switch
        {
            "FP16" => "F16",
            "FP32" => "F32",
            var other => other,
        };
        return last > 0 && words[last - 1].Equals("UD", StringComparison.OrdinalIgnoreCase) ? $"UD-{quant}" : quant;
    }

    /// <summary>Place in the order of preference; what this engine cannot compute with comes last.</summary>
    public static int Rank(string quant)
    {
        int place = Array.IndexOf(s_order, quant.ToUpperInvariant());
        if (place < 0)
            place = s_order.Length + (quant == ModelName.Safetensors ? 1 : 0);
        return CanRun(quant) ? place : place + 1000;
    }

    /// <summary>False when the engine knows the quant and cannot compute with it.</summary>
    public static bool CanRun(string quant)
    {
        if (quant == ModelName.Safetensors || In(quant) is not { } found)
            return true;   // a file name: nobody knows before it is there
        string format = s_mix.Replace(found.StartsWith("UD-", StringComparison.Ordinal) ? found[3..] : found, "$1");
        if (format == "Q8_K")
            format = nameof(TensorFormat.Q8_0);   // Q8_K itself is never stored
        return Enum.TryParse(format, out TensorFormat known) && FormatInfo.IsSupported(known);
    }
}

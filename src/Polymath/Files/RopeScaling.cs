namespace Polymath.Files;

/// <summary>How a model stretches its rotary positions to longer contexts.</summary>
internal enum RopeScalingKind
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All positions divided by one factor.</summary>
    Linear,

    /// <summary>Low frequencies divided, high ones kept, those between blended (Llama 3.1).</summary>
    Llama3,
}

/// <summary>The rope_scaling object of a config.json.</summary>
internal sealed record RopeScaling(RopeScalingKind Kind, double Factor, double LowFactor, double HighFactor, int OriginalContext)
{
    public static RopeScaling Read(JsonFields? json)
    {
        var none = new RopeScaling(RopeScalingKind.None, 1, 1, 1, 1);
        if (json is null)
            return none;
        string type = json.Text("rope_type") ?? json.Text("type") ?? "default";
        switch (type)
        {
            case "default":
                return none;
            case "linear":
                return none with { Kind = RopeScalingKind.Linear, Factor = json.Positive("factor") };
            case "llama3":
                var scaling = new RopeScaling(
                    RopeScalingKind.Llama3,
                    json.Positive("factor"),
                    json.Positive("low_freq_factor"),
                    json.Positive("high_freq_factor"),
                    json.Int32("original_max_position_embeddings", 1, int.MaxValue));
                return scaling.HighFactor > scaling.LowFactor
                    ? scaling
                    : throw json.Bad("high_freq_factor", "it must be larger than low_freq_factor");
            default:
                throw json.Bad("rope_type", $"{FileLimits.Printable(type)} is not supported, only default, linear and llama3");
        }
    }

    /// <summary>
    /// What each of the frequencies theta_i = base^(−2i / width) is divided by, as GGUF stores it in rope_freqs.weight.
    /// Llama 3.1: wavelengths shorter than original / high stay, those longer than original / low are stretched by the
    /// factor, and between the two the divisor's inverse moves linearly with original / wavelength.
    /// </summary>
    public float[] Divisors(double ropeBase, int headWidth)
    {
        var divisors = new float[headWidth / 2];
        for (int i = 0; i < divisors.Length; i++)
        {
            double wavelength = 2 * Math.PI * Math.Pow(ropeBase, 2.0 * i / headWidth);
            double turns = OriginalContext / wavelength;   // full turns within the original context
            double keep = Math.Clamp((turns - LowFactor) / (HighFactor - LowFactor), 0, 1);
            divisors[i] = (float)(1 / (((1 - keep) / Factor) + keep));
        }

        return divisors;
    }
}

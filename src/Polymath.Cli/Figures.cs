using System.Globalization;

namespace Polymath.Cli;

/// <summary>Numbers for people, the same in every culture.</summary>
internal static class Figures
{
    /// <summary>1234567 → "1,234,567".</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Bytes with a binary unit: "812 B", "1.06 MiB".</summary>
    public static string Bytes(long value)
    {
        ReadOnlySpan<string> units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        if (value < 1024)
            return string.Create(CultureInfo.InvariantCulture, $"{value} B");
        double scaled = value / 1024.0;
        int unit = 0;
        for (; scaled >= 1024 && unit < units.Length - 1; unit++)
            scaled /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{scaled:0.00} {units[unit]}");
    }

    /// <summary>Parameters with a decimal unit: "264.19 K", "7.24 B".</summary>
    public static string Parameters(long value) => value switch
    {
        < 1_000 => value.ToString(CultureInfo.InvariantCulture),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e3:0.00} K"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:0.00} M"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:0.00} B"),
    };

    /// <summary>Things in a second with three to four digits that mean something; "–" when no time has passed.</summary>
    public static string Rate(double count, TimeSpan time)
    {
        if (time <= TimeSpan.Zero)
            return "–";
        double rate = count / time.TotalSeconds;
        return rate.ToString(rate < 100 ? "0.00" : "0.0", CultureInfo.InvariantCulture);
    }
}

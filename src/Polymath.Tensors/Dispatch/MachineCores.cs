using System.Globalization;

namespace Polymath.Tensors;

/// <summary>The logical processors of this machine, and how many of them this process may use.</summary>
/// <param name="Usable">Processors that this process computes with: affinity and a container's limit, rounded up, are taken off.</param>
/// <param name="Machine">Processors of the machine.</param>
/// <param name="Limit">Processor time that a container allows, in processors; null where there is no limit.</param>
public readonly record struct MachineCores(int Usable, int Machine, double? Limit)
{
    /// <summary>How it stands now.</summary>
    public static MachineCores Read() => OperatingSystem.IsLinux()
        ? ReadLinux("/", Environment.ProcessorCount)
        : new MachineCores(Environment.ProcessorCount, Environment.ProcessorCount, null);

    /// <summary>What /proc and the control groups below <paramref name="root"/> say.</summary>
    internal static MachineCores ReadLinux(string root, int usable)
    {
        int machine = SystemFiles.Lines(Path.Combine(root, "proc/cpuinfo")).Count(line => line.StartsWith("processor", StringComparison.Ordinal));
        double? limit = null;
        foreach ((string folder, bool second) in SystemFiles.ControlGroups(root, "cpu"))
        {
            if (Share(folder, second) is { } share)
                limit = Math.Min(limit ?? double.MaxValue, share);
        }

        return new MachineCores(usable, Math.Max(usable, machine), limit);
    }

    /// <summary>Time in each period over its length.</summary>
    private static double? Share(string folder, bool second)
    {
        string[] words = second
            ? SystemFiles.Lines(Path.Combine(folder, "cpu.max")).FirstOrDefault("").Split(' ')
            : [Line("cpu.cfs_quota_us"), Line("cpu.cfs_period_us")];
        return words.Length == 2 && Positive(words[0], out double quota) && Positive(words[1], out double period) ? quota / period : null;

        string Line(string name) => SystemFiles.Lines(Path.Combine(folder, name)).FirstOrDefault("");

        static bool Positive(string text, out double value) =>
            double.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value > 0;   // "max" or -1: no limit
    }
}

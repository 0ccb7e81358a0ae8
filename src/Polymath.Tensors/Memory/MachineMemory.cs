using System.Globalization;

namespace Polymath.Tensors;

/// <summary>The memory of this machine, or of the container that this process is confined to.</summary>
/// <param name="Total">Bytes that this process can ever have.</param>
/// <param name="Free">Bytes that can be had now without swapping; what only caches files counts as free.</param>
/// <param name="IsLimited">A container's limit is what bounds <paramref name="Total"/>, not the machine.</param>
public readonly record struct MachineMemory(long Total, long Free, bool IsLimited)
{
    /// <summary>How it stands now.</summary>
    public static MachineMemory Read()
    {
        if (OperatingSystem.IsLinux() && ReadLinux("/") is { } memory)
            return memory;
        GC.Collect(0);   // the figures are those of the last collection
        GCMemoryInfo info = GC.GetGCMemoryInfo();
        return new MachineMemory(info.TotalAvailableMemoryBytes, Math.Max(0, info.TotalAvailableMemoryBytes - info.MemoryLoadBytes), false);
    }

    /// <summary>What /proc and the control groups below <paramref name="root"/> say; null when they say nothing.</summary>
    internal static MachineMemory? ReadLinux(string root)
    {
        Dictionary<string, long> machine = Fields(Path.Combine(root, "proc/meminfo"), 1024);
        if (!machine.TryGetValue("MemTotal", out long total))
            return null;
        long free = machine.GetValueOrDefault("MemAvailable", machine.GetValueOrDefault("MemFree"));
        bool limited = false;
        foreach ((long limit, long used) in Groups(root))
        {
            limited |= limit < total;
            total = Math.Min(total, limit);
            free = Math.Min(free, Math.Max(0, limit - used));
        }

        return new MachineMemory(total, free, limited);
    }

    /// <summary>Limit and use of each control group that this process is in, from its own up to the root.</summary>
    private static IEnumerable<(long Limit, long Used)> Groups(string root)
    {
        foreach (string line in Lines(Path.Combine(root, "proc/self/cgroup")))
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length != 3)
                continue;
            bool second = parts[0] == "0" && parts[1].Length == 0;
            if (!second && !parts[1].Split(',').Contains("memory"))
                continue;
            string mount = Path.Combine(root, second ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
            for (string? group = parts[2].Trim('/'); group is not null; group = group.Length == 0 ? null : Path.GetDirectoryName(group) ?? "")
            {
                if (Group(Path.Combine(mount, group), second) is { } found)
                    yield return found;
            }
        }
    }

    private static (long Limit, long Used)? Group(string folder, bool second)
    {
        if (Number(Path.Combine(folder, second ? "memory.max" : "memory.limit_in_bytes")) is not { } limit)
            return null;   // "max", or no such group here
        long used = Number(Path.Combine(folder, second ? "memory.current" : "memory.usage_in_bytes")) ?? 0;
        Dictionary<string, long> stat = Fields(Path.Combine(folder, "memory.stat"), 1);
        string prefix = second ? "" : "total_";
        long cached = stat.GetValueOrDefault(prefix + "inactive_file") + stat.GetValueOrDefault(prefix + "active_file");
        return (limit, Math.Max(0, used - cached));
    }

    private static long? Number(string path) =>
        long.TryParse(Lines(path).FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    /// <summary>Lines "name value" or "name: value kB" as numbers.</summary>
    private static Dictionary<string, long> Fields(string path, long unit)
    {
        var fields = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string line in Lines(path))
        {
            string[] words = line.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= long.MaxValue / unit)
                fields[words[0]] = value * unit;
        }

        return fields;
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}

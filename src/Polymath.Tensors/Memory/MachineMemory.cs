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
        Dictionary<string, long> machine = SystemFiles.Fields(Path.Combine(root, "proc/meminfo"), 1024);
        if (!machine.TryGetValue("MemTotal", out long total))
            return null;
        long free = machine.GetValueOrDefault("MemAvailable", machine.GetValueOrDefault("MemFree"));
        bool limited = false;
        foreach ((string folder, bool second) in SystemFiles.ControlGroups(root, "memory"))
        {
            if (Group(folder, second) is not var (limit, used))
                continue;
            limited |= limit < total;
            total = Math.Min(total, limit);
            free = Math.Min(free, Math.Max(0, limit - used));
        }

        return new MachineMemory(total, free, limited);
    }

    /// <summary>Limit and use of one control group; null where it has no limit.</summary>
    private static (long Limit, long Used)? Group(string folder, bool second)
    {
        if (SystemFiles.Number(Path.Combine(folder, second ? "memory.max" : "memory.limit_in_bytes")) is not { } limit)
            return null;   // "max", or no such group here
        long used = SystemFiles.Number(Path.Combine(folder, second ? "memory.current" : "memory.usage_in_bytes")) ?? 0;
        Dictionary<string, long> stat = SystemFiles.Fields(Path.Combine(folder, "memory.stat"), 1);
        string prefix = second ? "" : "total_";
        long cached = stat.GetValueOrDefault(prefix + "inactive_file") + stat.GetValueOrDefault(prefix + "active_file");
        return (limit, Math.Max(0, used - cached));
    }
}

namespace Polymath.Tensors;

/// <summary>Whether the system backs large buffers with pages of 2 MiB, which saves address translation.</summary>
public static class HugePages
{
    /// <summary>Linux: always, madvise or never, as transparent_hugepage says; null where the system does not say.</summary>
    public static string? Setting() => OperatingSystem.IsLinux() ? ReadLinux("/") : null;

    /// <summary>The word in brackets of the setting below <paramref name="root"/>.</summary>
    internal static string? ReadLinux(string root)
    {
        string line = SystemFiles.Lines(Path.Combine(root, "sys/kernel/mm/transparent_hugepage/enabled")).FirstOrDefault("");
        int start = line.IndexOf('['), end = line.IndexOf(']');
        return start >= 0 && end > start + 1 ? line[(start + 1)..end] : null;
    }
}

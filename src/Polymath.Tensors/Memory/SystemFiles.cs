using System.Globalization;

namespace Polymath.Tensors;

/// <summary>The text files in which Linux describes a machine; what cannot be read counts as empty.</summary>
internal static class SystemFiles
{
    /// <summary>Folders of the control groups that this process is in, from its own up to the root, of either version.</summary>
    /// <param name="root">The root of the file system; tests give another.</param>
    /// <param name="controller">Such as memory or cpu.</param>
    public static IEnumerable<(string Folder, bool Second)> ControlGroups(string root, string controller)
    {
        foreach (string line in Lines(Path.Combine(root, "proc/self/cgroup")))
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length != 3)
                continue;
            bool second = parts[0] == "0" && parts[1].Length == 0;
            if (!second && !parts[1].Split(',').Contains(controller))
                continue;
            string mount = Path.Combine(root, second ? "sys/fs/cgroup" : $"sys/fs/cgroup/{controller}");
            for (string? group = parts[2].Trim('/'); group is not null; group = group.Length == 0 ? null : Path.GetDirectoryName(group) ?? "")
                yield return (Path.Combine(mount, group), second);
        }
    }

    /// <summary>The number a file holds; null where it holds none.</summary>
    public static long? Number(string path) => Number(Lines(path).FirstOrDefault(), 1);

    /// <summary>Lines "name value" or "name: value kB" as numbers.</summary>
    public static Dictionary<string, long> Fields(string path, long unit)
    {
        var fields = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string line in Lines(path))
        {
            string[] words = line.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && Number(words[1], unit) is { } value)
                fields[words[0]] = value;
        }

        return fields;
    }

    /// <summary>A number of such units.</summary>
    public static long? Number(string? text, long unit) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= long.MaxValue / unit ? number * unit : null;

    /// <summary>The lines of a file.</summary>
    public static string[] Lines(string path)
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

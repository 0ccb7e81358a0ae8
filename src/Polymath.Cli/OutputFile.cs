namespace Polymath.Cli;

/// <summary>Checks where a command is to write, before the work and not after it.</summary>
internal static class OutputFile
{
    /// <summary>Requires a place for a file.</summary>
    /// <exception cref="UsageException">A folder.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder it is to be in is not there.</exception>
    public static void Check(string path)
    {
        if (Directory.Exists(path))
            throw new UsageException($"{path} is a folder; name a file");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{path}: there is no folder {folder}");
    }

    /// <summary>True when both name one file, through symbolic links too.</summary>
    public static bool IsSame(string input, string output)
    {
        return string.Equals(Real(input), Real(output), OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

        static string Real(string path)
        {
            string full = Path.GetFullPath(path);
            return File.Exists(full) ? File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full : full;
        }
    }
}

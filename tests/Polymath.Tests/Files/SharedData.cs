using Xunit;

namespace Polymath.Tests.Files;

/// <summary>Models and vocabularies beside the repository, which are not part of it.</summary>
internal static class SharedData
{
    /// <summary>Path of a shared file; the test is skipped where it is missing.</summary>
    public static string Require(params string[] parts)
    {
        string? path = Find(parts);
        Assert.SkipWhen(path is null, $"needs the shared file {string.Join('/', parts)}");
        return path!;
    }

    /// <summary>Path of a shared file, or null.</summary>
    public static string? Find(params string[] parts)
    {
        string? root = Environment.GetEnvironmentVariable("POLYMATH_SHARED");
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); root is null && at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Polymath.slnx")))
                root = Path.Combine(at.FullName, "..", "shared");
        }

        string? path = root is null ? null : Path.GetFullPath(Path.Combine([root, .. parts]));
        return File.Exists(path) || Directory.Exists(path) ? path : null;
    }
}

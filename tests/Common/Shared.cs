using Xunit;

namespace Polymath;

/// <summary>
/// The shared data beside the project (real models, vocabularies, corpora), which tests may use but not need:
/// ../shared from the folder of Polymath.slnx, or where POLYMATH_SHARED says.
/// </summary>
internal static class Shared
{
    /// <summary>Root of the project: the folder that holds Polymath.slnx.</summary>
    public static string ProjectRoot { get; } = FindRoot();

    /// <summary>The full path of <paramref name="relative"/>, or null when it is not there.</summary>
    public static string? Find(string relative)
    {
        string root = Environment.GetEnvironmentVariable("POLYMATH_SHARED") ?? Path.Combine(ProjectRoot, "..", "shared");
        string path = Path.GetFullPath(Path.Combine(root, relative));
        return Path.Exists(path) ? path : null;
    }

    /// <summary>The full path of <paramref name="relative"/>; skips the test, saying so, when it is not there.</summary>
    public static string Require(string relative)
    {
        string? path = Find(relative);
        Assert.SkipWhen(path is null, $"needs ../shared/{relative}");
        return path!;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Polymath.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException("the tests run outside the project");
    }
}

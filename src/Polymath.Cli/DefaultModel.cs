namespace Polymath.Cli;

/// <summary>The model that is used when none is named.</summary>
internal static class DefaultModel
{
    /// <summary>Environment variable that names the model.</summary>
    public const string Variable = "POLYMATH_MODEL";

    /// <summary>
    /// <paramref name="given"/>, else the one of <see cref="Variable"/>, else the single GGUF file in the folder models/
    /// of this program's folder or the nearest folder above it that has one.
    /// </summary>
    /// <exception cref="FileNotFoundException">None, or several to choose from.</exception>
    public static string Or(string? given)
    {
        if (!string.IsNullOrEmpty(given))
            return given;
        return Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? path : Above(AppContext.BaseDirectory);
    }

    internal static string Above(string start)
    {
        for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
        {
            string models = Path.Combine(folder.FullName, "models");
            if (!Directory.Exists(models))
                continue;
            string[] files = Directory.GetFiles(models, "*.gguf");
            if (files.Length == 1)
                return files[0];
            if (files.Length > 1)
                throw new FileNotFoundException($"{models} holds {files.Length} models: choose one with -m or {Variable}");
        }

        throw new FileNotFoundException($"no model: name one with -m or {Variable} (no models/*.gguf above {start})");
    }
}

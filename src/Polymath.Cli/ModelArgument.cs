using Polymath.Hub;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>The one place that turns what a person calls a model into a path.</summary>
internal static class ModelArgument
{
    /// <summary>What help says a model may be.</summary>
    public const string Forms = "GGUF file, Hugging Face folder, or USER/REPO[:QUANT] that was pulled";

    /// <summary>
    /// The path of <paramref name="given"/>, or of the default model when nothing is given. What is there as a file or
    /// folder is that; else USER/REPO[:QUANT] is looked up in the cache.
    /// </summary>
    /// <exception cref="HubException">A model's name that is not in the cache.</exception>
    /// <exception cref="FileNotFoundException">No model is given, and there is no default.</exception>
    public static string Resolve(string? given, Terminal terminal) =>
        Find(given, terminal, out ModelName? missing) ?? throw new HubException(Missing(missing!));

    /// <summary>The same, but asks whether to pull a model that is not in the cache when there is somebody to ask.</summary>
    public static string ResolveOrPull(string? given, bool offline, Terminal terminal)
    {
        if (Find(given, terminal, out ModelName? missing) is { } path)
            return path;
        HubOptions options = Options(terminal, offline);
        if (options.Offline || !terminal.InputIsTerminal || !terminal.ErrorIsTerminal || !terminal.Ask($"{missing} is not here yet. Pull it?"))
            throw new HubException(Missing(missing!));
        return Pull(missing!, options, terminal).Path;
    }

    /// <summary>Pulls with the progress on standard error.</summary>
    public static CachedModel Pull(ModelName name, HubOptions options, Terminal terminal)
    {
        using var display = new DownloadDisplay(terminal);
        return ModelPull.Run(options, name, display.Tell, display.Show, terminal.Cancellation).GetAwaiter().GetResult();
    }

    /// <summary>Where models come from and go, by the environment of this process.</summary>
    public static HubOptions Options(Terminal terminal, bool offline = false)
    {
        HubOptions options = HubOptions.FromEnvironment(terminal.Variable);
        return options with { Offline = options.Offline || offline, Memory = MachineMemory.Read().Free };
    }

    private static string? Find(string? given, Terminal terminal, out ModelName? missing)
    {
        missing = null;
        string path = DefaultModel.Or(given);
        if (Path.Exists(path) || !ModelName.TryParse(path, out missing))
            return path;
        return new ModelCache(HubOptions.FromEnvironment(terminal.Variable).Folder).Find(missing)?.Path;
    }

    private static string Missing(ModelName name) => $"{name} is neither a file nor in the cache; get it with: polymath pull {name}";
}

using Polymath.Models;

namespace Polymath.Cli;

/// <summary>Opens models and sessions with the checks every command wants.</summary>
internal static class Sessions
{
    /// <summary>Loads a model; 0 threads for one per processor.</summary>
    public static Model Load(string path, int threads) => Model.Load(path, new ModelOptions { Threads = threads });

    /// <summary>A session of <paramref name="context"/> tokens, 0 for the model's own length.</summary>
    /// <exception cref="InvalidOperationException">Its keys and values would not fit into memory.</exception>
    public static Session Open(Model model, int context)
    {
        ModelSettings settings = model.Settings;
        double bytes = 2.0 * sizeof(float) * settings.Layers * settings.KeyValueWidth * context;
        if (bytes > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)
        {
            throw new InvalidOperationException(
                $"a context of {Figures.Count(context)} tokens needs {Figures.Bytes((long)bytes)} of memory, more than there is");
        }

        return model.NewSession(context);
    }
}

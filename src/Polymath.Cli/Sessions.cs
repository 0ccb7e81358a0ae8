using Polymath.Models;

namespace Polymath.Cli;

/// <summary>Opens models and sessions with the checks every command wants.</summary>
internal static class Sessions
{
    /// <summary>Loads a model; 0 threads for one per processor.</summary>
    public static Model Load(string path, int threads) => Model.Load(path, new ModelOptions { Threads = threads });

    /// <summary>A session of the given kind.</summary>
    /// <exception cref="InvalidOperationException">Its keys and values would not fit into memory, or the model has no such cache.</exception>
    public static Session Open(Model model, SessionOptions options)
    {
        try
        {
            long bytes = model.CacheBytes(options);
            if (bytes > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)
            {
                throw new InvalidOperationException(
                    $"a context of {Figures.Count(options.ContextLength)} tokens needs {Figures.Bytes(bytes)} of memory, more than there is");
            }

            return model.NewSession(options);
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }
}

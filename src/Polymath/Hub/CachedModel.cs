namespace Polymath.Hub;

/// <summary>A model that is whole in the cache.</summary>
/// <param name="Repository">USER/REPO.</param>
/// <param name="Quant">Q4_K_M and the like, <see cref="ModelName.Safetensors"/>, or the name of a file without .gguf.</param>
/// <param name="Path">What to open: the GGUF file, the first one where it is split, or the folder.</param>
/// <param name="Size">Bytes of all files.</param>
/// <param name="Files">Number of files.</param>
/// <param name="Commit">The commit it came from, or the branch where the hub did not say.</param>
/// <param name="Pulled">When it came, in UTC.</param>
public sealed record CachedModel(
    string Repository, string Quant, string Path, long Size, int Files, string Commit, DateTimeOffset Pulled)
{
    /// <summary>USER/REPO:QUANT.</summary>
    public string Name => $"{Repository}:{Quant}";
}

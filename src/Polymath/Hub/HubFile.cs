namespace Polymath.Hub;

/// <summary>A file of a repository as the hub lists it.</summary>
/// <param name="Path">Checked by <see cref="HubPath.IsSafe"/>; / between folders.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">SHA-256 of the content, where the hub keeps it as a large file; else null.</param>
/// <param name="GitId">SHA-1 that git gives the content, where it is a small file; else null.</param>
internal sealed record HubFile(string Path, long Size, string? Sha256, string? GitId)
{
    /// <summary>The last part of the path.</summary>
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>What tells the content apart before it is there; a file name.</summary>
    public string Key => Sha256 is not null ? $"sha256-{Sha256}" : $"git-{GitId}";
}

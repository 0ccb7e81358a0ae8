using System.Text.Json;

namespace Polymath.Hub;

/// <summary>Reads the pages of a repository's file list. Pages are hostile: bounded, every field checked.</summary>
internal sealed class HubListing(string repository)
{
    /// <summary>Most bytes of a page.</summary>
    public const int PageBytes = 16 << 20;

    /// <summary>Most pages.</summary>
    public const int Pages = 200;

    private const int MaxFiles = 100_000;
    private const int MaxDepth = 16;
    private const int PathLength = 1024;
    private const long MaxSize = 1L << 50;

    private readonly List<HubFile> _files = [];
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

    /// <summary>Files whose names may be used, in the order listed.</summary>
    public IReadOnlyList<HubFile> Files => _files;

    /// <summary>Files left out because their names could not be stored everywhere, or would leave the folder.</summary>
    public int Refused { get; private set; }

    /// <summary>Adds a page.</summary>
    /// <exception cref="HubException">No list of files, or one beyond the limits.</exception>
    public void Add(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument page = JsonDocument.Parse(
                json, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            if (page.RootElement.ValueKind != JsonValueKind.Array)
                throw Bad("no list");
            foreach (JsonElement entry in page.RootElement.EnumerateArray())
            {
                if (Text(entry, "type") == "file")
                    Add(entry);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Bad("no valid JSON");
        }
    }

    private void Add(JsonElement entry)
    {
        string path = Text(entry, "path");
        if (path.Length > PathLength || !HubPath.IsSafe(path))
        {
            Refused++;
            return;
        }

        bool large = entry.TryGetProperty("lfs", out JsonElement lfs) && lfs.ValueKind == JsonValueKind.Object;
        string? sha256 = large ? Digest(Text(lfs, "oid"), 64) : null;
        string? git = large ? null : Digest(Text(entry, "oid"), 40);
        long size = Size(large ? lfs : entry);
        if (!_paths.Add(path))
            throw Bad("a file is there twice");
        if (_files.Count == MaxFiles)
            throw Bad($"more than {MaxFiles} files");
        _files.Add(new HubFile(path, size, sha256, git));
    }

    private static string Text(JsonElement entry, string name) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new JsonException();

    private static string Digest(string text, int length) =>
        text.Length == length && text.All(char.IsAsciiHexDigit) ? text.ToLowerInvariant() : throw new JsonException();

    private static long Size(JsonElement entry) =>
        entry.TryGetProperty("size", out JsonElement value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt64(out long size) && size is >= 0 and <= MaxSize
            ? size
            : throw new JsonException();

    private HubException Bad(string problem) => new($"{repository}: the list of files that the hub sent is not usable: {problem}");
}

using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Polymath.Files;

namespace Polymath.Hub;

/// <summary>What a model in the cache consists of. It is written last: a model without one is not there.</summary>
/// <param name="Repository">USER/REPO.</param>
/// <param name="Quant">The quant's name.</param>
/// <param name="Folder">Name of the folder that holds the files.</param>
/// <param name="Commit">The commit they came from, or the branch where the hub did not say.</param>
/// <param name="Pulled">When they came, in UTC.</param>
/// <param name="Files">The files.</param>
internal sealed record Manifest(
    string Repository, string Quant, string Folder, string Commit, DateTimeOffset Pulled, IReadOnlyList<Manifest.Entry> Files)
{
    /// <summary>Most bytes of a manifest.</summary>
    public const int FileBytes = 4 << 20;

    private const int Version = 1;
    private const int MaxDepth = 8;
    private const int MaxFiles = 10_000;

    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdef");

    /// <summary>A file of the model.</summary>
    /// <param name="Path">Where it lies in the folder; / between folders.</param>
    /// <param name="Size">Bytes.</param>
    /// <param name="Sha256">SHA-256 of its content.</param>
    internal sealed record Entry(string Path, long Size, string Sha256);

    /// <summary>Reads a manifest; every value is checked, because paths are made of them.</summary>
    /// <exception cref="HubException">Damaged.</exception>
    public static Manifest Parse(string path, ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                json, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            JsonElement root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != Version)
                throw new HubException($"{path}: a manifest of another version of this program");
            string repository = Text(root, "repository"), quant = Text(root, "quant"), folder = Text(root, "folder");
            if (!ModelName.TryParse($"{repository}:{quant}", out _) || !IsFolder(folder, quant))
                throw new JsonException();
            var files = new List<Entry>();
            foreach (JsonElement file in root.GetProperty("files").EnumerateArray())
                files.Add(ReadEntry(file));
            if (files.Count is 0 or > MaxFiles)
                throw new JsonException();
            return new Manifest(repository, quant, folder, Text(root, "commit"), root.GetProperty("pulled").GetDateTimeOffset(), files);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new HubException($"{path}: the manifest is damaged; pull the model again", e);
        }
    }

    /// <summary>Writes the manifest whole or not at all.</summary>
    public void Write(string path)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", Version);
            writer.WriteString("repository", Repository);
            writer.WriteString("quant", Quant);
            writer.WriteString("commit", Commit);
            writer.WriteString("pulled", Pulled.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
            writer.WriteString("folder", Folder);
            writer.WriteStartArray("files");
            foreach (Entry file in Files)
            {
                writer.WriteStartObject();
                writer.WriteString("path", file.Path);
                writer.WriteNumber("size", file.Size);
                writer.WriteString("sha256", file.Sha256);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        AtomicFile.Write(path, stream => stream.Write(json.WrittenSpan));
    }

    private static bool IsFolder(string folder, string quant) =>
        folder.Length > quant.Length && folder.StartsWith(quant, StringComparison.Ordinal) && folder[quant.Length] == '@'
        && folder.AsSpan(quant.Length + 1).IndexOfAnyExcept(s_digits) < 0;

    private static Entry ReadEntry(JsonElement file)
    {
        string path = Text(file, "path"), sha256 = Text(file, "sha256");
        long size = file.GetProperty("size").GetInt64();
        return HubPath.IsSafe(path) && size >= 0 && sha256.Length == 64 && sha256.All(char.IsAsciiHexDigitLower)
            ? new Entry(path, size, sha256)
            : throw new JsonException();
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new JsonException();
}

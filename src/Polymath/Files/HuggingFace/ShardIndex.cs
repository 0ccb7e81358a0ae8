using System.Text.Json;

namespace Polymath.Files.HuggingFace;

/// <summary>
/// The model.safetensors.index.json of a checkpoint in several files: which file holds which tensor. Files are named
/// without a folder, so that an index cannot reach outside its own.
/// </summary>
internal static class ShardIndex
{
    public const int FileBytes = 64 << 20;

    private const int MaxDepth = 8;
    private const int MaxShards = 1_024;
    private const int EntryBytes = 160;

    /// <summary>File name of each tensor.</summary>
    /// <exception cref="ModelFormatException">No valid index, or a file name with a folder.</exception>
    public static Dictionary<string, string> Parse(string path, ReadOnlySpan<byte> json)
    {
        Dictionary<string, string>? map = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw Bad(path, "no JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (!reader.ValueTextEquals("weight_map"u8))
                    reader.Skip();
                else if (map is null)
                    map = ReadMap(path, ref reader, FileLimits.MemoryBesidesFile + (2L * json.Length));
                else
                    throw Bad(path, "weight_map is there twice");
            }

            _ = reader.Read();   // throws when more follows
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Bad(path, "no valid JSON: " + FileLimits.Printable(e.Message));
        }

        return map is { Count: > 0 } ? map : throw Bad(path, "weight_map is missing or empty");
    }

    private static Dictionary<string, string> ReadMap(string path, ref Utf8JsonReader reader, long budget)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);   // one string object for each file
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw Bad(path, "weight_map is no object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            budget -= EntryBytes + (2L * reader.ValueSpan.Length);
            string tensor = reader.GetString()!;
            if (!reader.Read() || reader.TokenType != JsonTokenType.String)
                throw Bad(path, $"the file of {FileLimits.Printable(tensor)} is no name");
            budget -= 2L * reader.ValueSpan.Length;
            if (budget < 0 || map.Count == FileLimits.Tensors)
                throw Bad(path, "too many tensors");
            string shard = reader.GetString()!;
            if (!shards.TryGetValue(shard, out string? known))
            {
                CheckName(path, shard);
                if (shards.Count == MaxShards)
                    throw Bad(path, $"more than {MaxShards} files");
                shards.Add(shard, known = shard);
            }

            if (!map.TryAdd(tensor, known))
                throw Bad(path, $"tensor {FileLimits.Printable(tensor)} is there twice");
        }

        return map;
    }

    private static void CheckName(string path, string shard)
    {
        if (shard.Length > 255 || !shard.EndsWith(".safetensors", StringComparison.Ordinal)
            || shard.AsSpan().IndexOfAny("/\\:\0") >= 0)
        {
            throw Bad(path, $"{FileLimits.Printable(shard)} is no .safetensors file of the same folder");
        }
    }

    private static ModelFormatException Bad(string path, string problem) => new($"{path}: {problem}");
}

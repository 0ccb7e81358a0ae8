namespace Polymath.Files.HuggingFace;

/// <summary>Files beside the weights that are read whole.</summary>
internal static class SmallFile
{
    /// <summary>The bytes of a regular file.</summary>
    /// <exception cref="ModelFormatException">Missing, no regular file, or larger than <paramref name="limit"/>.</exception>
    public static byte[] Read(string path, int limit)
    {
        if (!File.Exists(path))
            throw new ModelFormatException($"{path}: the file is missing");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        long length = stream.CanSeek ? stream.Length : throw new ModelFormatException($"{path}: not a regular file");
        if (length > limit)
            throw new ModelFormatException($"{path}: {length} bytes are more than the limit of {limit}");
        var bytes = new byte[length];
        int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == length ? bytes : throw new ModelFormatException($"{path}: it changed while it was read");
    }
}

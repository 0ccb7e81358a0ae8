using System.IO.Compression;
using System.Text;

namespace Polymath.Cli;

/// <summary>Reads whole texts, with a bound: standard input, or files that may be gzipped.</summary>
internal static class TextInput
{
    /// <summary>Most bytes of a text, after unpacking.</summary>
    public const long MaxBytes = 512L << 20;

    private const byte Gzip1 = 0x1f, Gzip2 = 0x8b;

    /// <summary>Everything on a stream as text; invalid UTF-8 becomes U+FFFD, a byte order mark is dropped.</summary>
    /// <exception cref="InvalidDataException">More than <paramref name="most"/> bytes.</exception>
    public static string ReadAll(Stream stream, string name, CancellationToken cancellation, long most = MaxBytes)
    {
        using var bytes = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            if (bytes.Length + count > most)
                throw new InvalidDataException($"{name}: longer than {Figures.Bytes(most)}");
            bytes.Write(buffer, 0, count);
        }

        ReadOnlySpan<byte> all = bytes.GetBuffer().AsSpan(0, (int)bytes.Length);
        return Encoding.UTF8.GetString(all.StartsWith(Encoding.UTF8.Preamble) ? all[3..] : all);
    }

    /// <summary>The text of a file; a gzipped one, told by its first bytes, is unpacked.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">Damaged, or too long.</exception>
    public static string ReadFile(string path, CancellationToken cancellation, long most = MaxBytes)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: no such file", path);
        using FileStream file = File.OpenRead(path);
        bool zipped = file.ReadByte() == Gzip1 && file.ReadByte() == Gzip2;
        file.Position = 0;
        if (!zipped)
            return ReadAll(file, path, cancellation, most);
        try
        {
            using var unpacked = new GZipStream(file, CompressionMode.Decompress);
            return ReadAll(unpacked, path, cancellation, most);
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{path}: damaged gzip data", e);
        }
    }
}

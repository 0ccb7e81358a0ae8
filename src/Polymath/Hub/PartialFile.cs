using System.Security.Cryptography;
using System.Text;

namespace Polymath.Hub;

/// <summary>
/// What has come of a file so far, and the hashes of it. The cache's lock keeps other downloads away from it.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private const int BufferBytes = 1 << 20;
    private const int TagLength = 300;

    private readonly FileStream _stream;
    private readonly HubFile _file;
    private readonly string _path;
    private IncrementalHash _sha256 = null!;
    private IncrementalHash? _git;

    private PartialFile(string path, FileStream stream, HubFile file)
    {
        _path = path;
        _stream = stream;
        _file = file;
        StartHashes();
    }

    /// <summary>Bytes that are there.</summary>
    public long Length { get; private set; }

    /// <summary>The strong ETag that the bytes came under, or null.</summary>
    public string? Tag { get; private set; }

    private string TagPath => _path + ".etag";

    /// <summary>Opens the file at <paramref name="path"/>, new or begun.</summary>
    public static PartialFile Open(string path, HubFile file) =>
        new(path, new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0), file);

    /// <summary>Takes in what an earlier download left.</summary>
    public void Resume(CancellationToken cancellation)
    {
        if (_stream.Length > _file.Size)
        {
            Restart();
            return;
        }

        byte[] buffer = new byte[BufferBytes];
        _stream.Position = 0;
        for (int count; (count = _stream.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            Hash(buffer.AsSpan(0, count));
        }

        Tag = Length > 0 && File.Exists(TagPath) && File.ReadAllText(TagPath) is { Length: > 0 and < TagLength } tag ? tag : null;
    }

    /// <summary>Throws away what is there.</summary>
    public void Restart()
    {
        _stream.SetLength(0);
        StartHashes();
    }

    /// <summary>Notes what the bytes that follow come under.</summary>
    public void SetTag(string? tag)
    {
        Tag = tag?.Length < TagLength ? tag : null;
        if (Tag is null)
            File.Delete(TagPath);
        else
            File.WriteAllText(TagPath, Tag);
    }

    /// <summary>Adds bytes at the end.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _stream.Position = Length;
        _stream.Write(bytes);
        Hash(bytes);
    }

    /// <summary>True when the whole file is there and is the one listed; <paramref name="sha256"/> is its SHA-256.</summary>
    public bool IsWhole(out string sha256)
    {
        sha256 = Convert.ToHexStringLower(_sha256.GetCurrentHash());
        return Length == _file.Size
            && (_file.Sha256 is null || sha256 == _file.Sha256)
            && (_file.GitId is null || Convert.ToHexStringLower(_git!.GetCurrentHash()) == _file.GitId);
    }

    /// <summary>Makes the bytes durable and gives them their final name.</summary>
    public void MoveTo(string path)
    {
        _stream.Flush(flushToDisk: true);
        File.Move(_path, path, overwrite: true);   // while it is still held
        File.Delete(TagPath);
    }

    /// <summary>Removes the file.</summary>
    public void Delete()
    {
        File.Delete(_path);
        File.Delete(TagPath);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _sha256.Dispose();
        _git?.Dispose();
    }

    private void StartHashes()
    {
        _sha256?.Dispose();
        _git?.Dispose();
        Length = 0;
        _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (_file.GitId is null)
            return;
#pragma warning disable CA5350 // git names contents by SHA-1; the SHA-256 is what the cache goes by
        _git = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        _git.AppendData(Encoding.ASCII.GetBytes(FormattableString.Invariant($"blob {_file.Size}\0")));
    }

    private void Hash(ReadOnlySpan<byte> bytes)
    {
        _sha256.AppendData(bytes);
        _git?.AppendData(bytes);
        Length += bytes.Length;
    }
}

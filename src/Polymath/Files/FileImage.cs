using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Polymath.Tensors;

namespace Polymath.Files;

/// <summary>
/// The bytes of a file, mapped or read into memory. Every access is checked against the length found at opening.
/// A mapped file that another program cuts short while it is in use ends the process with a fault that no code can
/// catch; the file is held open without write sharing, which stops this on Windows and among .NET programs only.
/// Where files may change underfoot, read into memory instead of mapping.
/// </summary>
internal sealed unsafe partial class FileImage : IDisposable
{
    private const int DontNeed = 4;   // of madvise

    private const int ReadChunk = 1 << 24;

    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly NativeBuffer? _buffer;
    private byte* _data;

    private FileImage(string path, MemoryMappedFile file, MemoryMappedViewAccessor view, long length)
    {
        Path = path;
        Length = length;
        _file = file;
        _view = view;
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _data = start + view.PointerOffset;
    }

    private FileImage(string path, NativeBuffer buffer)
    {
        Path = path;
        Length = buffer.Length;
        _buffer = buffer;
        _data = buffer.Data;
    }

    /// <summary>Unmaps if <see cref="Dispose"/> was forgotten; no tensor refers to the memory any more.</summary>
    ~FileImage() => ReleasePointer();

    public string Path { get; }

    /// <summary>Bytes of the file when it was opened.</summary>
    public long Length { get; }

    /// <exception cref="ModelFormatException">Empty or not a regular file, or it changed while it was read.</exception>
    public static FileImage Open(string path, bool mapped)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("model files are little-endian; big-endian machines are not supported");
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        try
        {
            if (!stream.CanSeek)
                throw new ModelFormatException($"{path}: not a regular file");
            long length = stream.Length;
            if (length == 0)
                throw new ModelFormatException($"{path}: the file is empty");
            if (mapped)
                return Map(path, stream, length);
            using (stream)
                return ReadAll(path, stream, length);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>An image holding a copy of <paramref name="bytes"/>; <paramref name="path"/> is for messages.</summary>
    public static FileImage FromBytes(string path, ReadOnlySpan<byte> bytes)
    {
        var buffer = new NativeBuffer(bytes.Length);
        bytes.CopyTo(new Span<byte>(buffer.Data, bytes.Length));
        return new FileImage(path, buffer);
    }

    /// <summary>Bytes [offset, offset + count).</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not all in the file.</exception>
    public ReadOnlySpan<byte> Slice(long offset, int count)
    {
        ObjectDisposedException.ThrowIf(_data is null, this);
        if (offset < 0 || count < 0 || offset > Length - count)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{Path}: bytes {offset} + {count} of {Length}");
        return new ReadOnlySpan<byte>(_data + offset, count);
    }

    /// <summary>A view of the tensor [rows, columns] stored from <paramref name="offset"/>, at any alignment.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not all in the file.</exception>
    public Tensor View(long offset, TensorFormat format, int rows, int columns)
    {
        ObjectDisposedException.ThrowIf(_data is null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Int128 bytes = (Int128)FormatInfo.RowBytes(format, columns) * rows;
        if (offset < 0 || offset > Length - bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{Path}: bytes {offset} + {bytes} of {Length}");
        return new Tensor(this, _data + offset, format, rows, columns);
    }

    /// <summary>
    /// Tells the system that a tensor of this image will hardly be read again: where it is mapped, its pages leave this
    /// process, and come back from the file if they are needed after all.
    /// </summary>
    public void Forget(Tensor tensor)
    {
        if (_view is null || !OperatingSystem.IsLinux() || !Holds(tensor))
            return;
        nint page = Environment.SystemPageSize, first = ((nint)tensor.Data + page - 1) / page * page;
        nint end = (nint)(tensor.Data + tensor.ByteLength) / page * page;
        if (end > first)
            _ = Advise(first, (nuint)(end - first), DontNeed);
    }

    /// <summary>True when all bytes of the tensor lie in this image.</summary>
    public bool Holds(Tensor tensor) =>
        tensor.Data >= _data && tensor.ByteLength <= Length && tensor.Data - _data <= Length - tensor.ByteLength;

    public void Dispose()
    {
        ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
        _buffer?.Dispose();
        GC.SuppressFinalize(this);
    }

    private static FileImage Map(string path, FileStream stream, long length)
    {
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            return new FileImage(path, file, view, length);
        }
        catch
        {
            view?.Dispose();
            file?.Dispose();
            throw;
        }
    }

    private static FileImage ReadAll(string path, FileStream stream, long length)
    {
        var buffer = new NativeBuffer(length);
        try
        {
            for (long at = 0; at < length;)
            {
                int read = stream.Read(new Span<byte>(buffer.Data + at, (int)Math.Min(ReadChunk, length - at)));
                if (read == 0)
                    throw new ModelFormatException($"{path}: the file ended at byte {at} of {length}; it changed while it was read");
                at += read;
            }

            return new FileImage(path, buffer);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private void ReleasePointer()
    {
        if (_data is null)
            return;
        _data = null;
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}

using System.Runtime.InteropServices;

namespace Polymath.Tensors;

/// <summary>
/// Zeroed native memory, aligned to 64 bytes, freed once by <see cref="Dispose"/> or the finalizer. Large buffers
/// come from the system as untouched zero pages: what is never used costs no memory.
/// </summary>
public sealed unsafe partial class NativeBuffer : IDisposable
{
    /// <summary>Alignment of every buffer in bytes: one cache line, one AVX-512 register.</summary>
    public const int Alignment = 64;

    private const long LargeBytes = 16L << 20;   // from here on huge pages are asked for
    private const int AdviseHugePages = 14;      // of madvise

    private void* _block;   // what the allocator gave; _data is its first aligned byte
    private byte* _data;

    /// <summary>Allocates <paramref name="length"/> zeroed bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    /// <exception cref="OutOfMemoryException">The system has no memory left.</exception>
    public NativeBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        _block = NativeMemory.AllocZeroed((nuint)checked(length + (2 * Alignment)));
        _data = (byte*)(((nuint)_block + Alignment - 1) & ~(nuint)(Alignment - 1));
        if (length >= LargeBytes && OperatingSystem.IsLinux())
            AskForHugePages();
        if (length > 0)
            GC.AddMemoryPressure(length);
    }

    /// <summary>Frees the memory if <see cref="Dispose"/> was forgotten.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Usable bytes.</summary>
    public long Length { get; }

    internal byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_data is null, this);
            return _data;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Fewer entries for the chip to translate addresses, and longer stretches for it to read ahead. A wish: errors do not matter.</summary>
    private void AskForHugePages()
    {
        nint page = Environment.SystemPageSize, start = ((nint)_block + page - 1) / page * page;
        _ = Advise(start, (nuint)((nint)_data + Length - start), AdviseHugePages);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    private void Free()
    {
        void* block = _block;
        _block = null;
        _data = null;
        if (block is null)
            return;
        NativeMemory.Free(block);
        if (Length > 0)
            GC.RemoveMemoryPressure(Length);
    }
}

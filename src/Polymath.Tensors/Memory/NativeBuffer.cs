using System.Runtime.InteropServices;

namespace Polymath.Tensors;

/// <summary>Zeroed native memory, aligned to 64 bytes, freed once by <see cref="Dispose"/> or the finalizer.</summary>
public sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>Alignment of every buffer in bytes: one cache line, one AVX-512 register.</summary>
    public const int Alignment = 64;

    private byte* _data;

    /// <summary>Allocates <paramref name="length"/> zeroed bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    /// <exception cref="OutOfMemoryException">The system has no memory left.</exception>
    public NativeBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        nuint padded = (nuint)(checked(length + Alignment - 1) / Alignment * Alignment);
        if (padded == 0)
            padded = Alignment;
        _data = (byte*)NativeMemory.AlignedAlloc(padded, Alignment);
        NativeMemory.Clear(_data, padded);
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

    private void Free()
    {
        byte* data = _data;
        _data = null;
        if (data is null)
            return;
        NativeMemory.AlignedFree(data);
        if (Length > 0)
            GC.RemoveMemoryPressure(Length);
    }
}

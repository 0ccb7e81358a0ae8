using System.Runtime.InteropServices;
using Polymath.Tensors;

namespace Polymath.Tests.Tensors;

/// <summary>
/// Tensors whose last byte is followed by a page that may not be touched: a kernel that reads or writes past the
/// end kills the process. Elsewhere than on Linux plain memory, which proves less.
/// </summary>
internal sealed unsafe partial class FencedMemory : IDisposable
{
    private const int None = 0, ReadWrite = 3, PrivateAnonymous = 0x22;
    private readonly List<(nint Start, nint Length)> _maps = [];
    private readonly List<NativeBuffer> _buffers = [];

    public static bool IsFenced => OperatingSystem.IsLinux();

    /// <summary>A zeroed tensor that ends at the fence.</summary>
    public Tensor Zeros(TensorFormat format, int rows, int columns)
    {
        long length = FormatInfo.RowBytes(format, columns) * rows;
        return new Tensor(this, Allocate((nint)length), format, rows, columns);
    }

    public Tensor From(ReadOnlySpan<float> values, int rows, int columns)
    {
        Tensor tensor = Zeros(TensorFormat.F32, rows, columns);
        values.CopyTo(tensor.AsFloats());
        return tensor;
    }

    /// <summary>The values packed into a format.</summary>
    public Tensor Pack(TensorFormat format, ReadOnlySpan<float> values, int rows, int columns)
    {
        Tensor tensor = Zeros(format, rows, columns);
        for (int r = 0; r < rows; r++)
            BlockFormat.Quantize(format, values.Slice(r * columns, columns), tensor.RowData(r));
        return tensor;
    }

    public void Dispose()
    {
        foreach ((nint start, nint length) in _maps)
            _ = Unmap(start, length);
        foreach (NativeBuffer buffer in _buffers)
            buffer.Dispose();
    }

    private byte* Allocate(nint length)
    {
        if (!IsFenced)
        {
            var buffer = new NativeBuffer(length);
            _buffers.Add(buffer);
            return buffer.Data;
        }

        nint page = Environment.SystemPageSize;
        nint body = (length + page - 1) / page * page;
        nint start = Map(0, body + page, ReadWrite, PrivateAnonymous, -1, 0);
        if (start == -1)
            throw new InvalidOperationException($"mmap failed: {Marshal.GetLastPInvokeError()}");
        _maps.Add((start, body + page));
        if (Protect(start + body, page, None) != 0)
            throw new InvalidOperationException($"mprotect failed: {Marshal.GetLastPInvokeError()}");
        return (byte*)(start + body - length);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nint length);
}

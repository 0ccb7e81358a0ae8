namespace Polymath.Tensors;

/// <summary>
/// Working memory of the thread that asks, kept for its next kernel. A kernel reserves once, lends the memory to the
/// threads of its team, and calls no other kernel before it is done.
/// </summary>
internal static class Scratch
{
    [ThreadStatic]
    private static NativeBuffer? t_buffer;

    [ThreadStatic]
    private static NativeBuffer? t_own;

    /// <summary>At least <paramref name="bytes"/> bytes, aligned to 64, holding anything: for the kernel that the thread calls.</summary>
    public static unsafe byte* Reserve(long bytes) => Reserve(ref t_buffer, bytes);

    /// <summary>The same for the thread's own share of a loop, apart from what the calling thread has lent to all.</summary>
    public static unsafe byte* ReserveOwn(long bytes) => Reserve(ref t_own, bytes);

    private static unsafe byte* Reserve(ref NativeBuffer? slot, long bytes)
    {
        NativeBuffer? buffer = slot;
        if (buffer is null || buffer.Length < bytes)
        {
            slot = null;
            buffer?.Dispose();
            slot = buffer = new NativeBuffer(bytes);
        }

        return buffer.Data;
    }
}

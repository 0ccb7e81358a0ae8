namespace Polymath.Tensors;

/// <summary>
/// Working memory of the thread that asks, kept for its next kernel. A kernel reserves once, lends the memory to the
/// threads of its team, and calls no other kernel before it is done.
/// </summary>
internal static class Scratch
{
    [ThreadStatic]
    private static NativeBuffer? t_buffer;

    /// <summary>At least <paramref name="bytes"/> bytes, aligned to 64, holding anything.</summary>
    public static unsafe byte* Reserve(long bytes)
    {
        NativeBuffer? buffer = t_buffer;
        if (buffer is null || buffer.Length < bytes)
        {
            t_buffer = null;
            buffer?.Dispose();
            t_buffer = buffer = new NativeBuffer(bytes);
        }

        return buffer.Data;
    }
}

namespace Polymath.Golden.Tensors;

/// <summary>The stream of bytes that tools/reference/ggml.py makes too.</summary>
internal sealed class FixedBytes(uint seed)
{
    private uint _state = seed;

    public byte Next()
    {
        _state = (_state * 1664525) + 1013904223;
        return (byte)(_state >> 24);
    }

    public byte[] Take(int count)
    {
        var bytes = new byte[count];
        foreach (ref byte b in bytes.AsSpan())
            b = Next();
        return bytes;
    }

    /// <summary>Near a normal distribution; exact in F32.</summary>
    public float Bell()
    {
        int sum = 0;
        for (int i = 0; i < 4; i++)
            sum += Next() | (Next() << 8);
        return (sum - 131070) / 65536f;
    }
}

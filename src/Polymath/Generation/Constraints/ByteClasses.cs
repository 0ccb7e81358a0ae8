namespace Polymath.Generation.Constraints;

/// <summary>Bytes that no edge of a grammar tells apart share a class, so that tables are narrow.</summary>
internal sealed class ByteClasses
{
    private readonly byte[] _classes = new byte[256];
    private readonly byte[] _firsts;

    /// <summary>The classes that the edges of <paramref name="machines"/> make.</summary>
    public ByteClasses(IEnumerable<ByteDfa> machines)
    {
        bool[] begins = new bool[257];
        begins[0] = true;
        foreach (ByteDfa machine in machines)
        {
            for (int state = 0; state < machine.Count; state++)
            {
                foreach (ByteDfa.Edge edge in machine.Edges(state))
                    begins[edge.First] = begins[edge.Last + 1] = true;
            }
        }

        var firsts = new List<byte>();
        for (int value = 0; value < 256; value++)
        {
            if (begins[value])
                firsts.Add((byte)value);
            _classes[value] = (byte)(firsts.Count - 1);
        }

        _firsts = [.. firsts];
    }

    /// <summary>Number of classes.</summary>
    public int Count => _firsts.Length;

    /// <summary>Class of each of the 256 bytes.</summary>
    public ReadOnlySpan<byte> Table => _classes;

    /// <summary>A byte of a class.</summary>
    public byte Representative(int byteClass) => _firsts[byteClass];

    /// <summary>The last byte of a class.</summary>
    public byte Last(int byteClass) => byteClass + 1 < _firsts.Length ? (byte)(_firsts[byteClass + 1] - 1) : (byte)255;
}

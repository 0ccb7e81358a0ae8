using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Polymath.Text;

/// <summary>Bytes of every token in one block, and a hash index from bytes back to the id.</summary>
internal sealed class TokenTable
{
    /// <summary>Odd and unknown to whoever made the file, so that nobody can choose tokens that collide.</summary>
    private static readonly ulong Seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) | 1;

    private readonly byte[] _bytes;
    private readonly int[] _starts; // [V + 1]
    private readonly int[] _slots; // id + 1, 0 where free; a power of two of them, at most half full
    private readonly int _shift;

    /// <summary>Builds the table.</summary>
    /// <param name="tokens">Bytes by id.</param>
    /// <param name="indexed">Which ids <see cref="Find"/> may return; of two with the same bytes the lower wins.</param>
    public TokenTable(byte[][] tokens, Func<int, bool> indexed)
    {
        _starts = new int[tokens.Length + 1];
        for (int id = 0; id < tokens.Length; id++)
            _starts[id + 1] = checked(_starts[id] + tokens[id].Length);
        _bytes = new byte[_starts[^1]];
        int bits = 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)tokens.Length * 2);
        _slots = new int[1 << bits];
        _shift = 64 - bits;
        for (int id = 0; id < tokens.Length; id++)
        {
            tokens[id].CopyTo(_bytes, _starts[id]);
            if (tokens[id].Length == 0 || !indexed(id))
                continue;
            LongestIndexed = Math.Max(LongestIndexed, tokens[id].Length);
            if (Find(tokens[id]) < 0)
                Insert(id);
        }
    }

    /// <summary>Bytes of the longest token that can be found.</summary>
    public int LongestIndexed { get; }

    /// <summary>Bytes of a token.</summary>
    public ReadOnlySpan<byte> this[int id] => _bytes.AsSpan(_starts[id], _starts[id + 1] - _starts[id]);

    /// <summary>The id of the token with these bytes, or -1.</summary>
    public int Find(ReadOnlySpan<byte> bytes)
    {
        int[] slots = _slots;
        for (int at = (int)(Hash(bytes) >> _shift); ; at = (at + 1) & (slots.Length - 1))
        {
            int id = slots[at] - 1;
            if (id < 0 || this[id].SequenceEqual(bytes))
                return id;
        }
    }

    private void Insert(int id)
    {
        int at = (int)(Hash(this[id]) >> _shift);
        while (_slots[at] != 0)
            at = (at + 1) & (_slots.Length - 1);
        _slots[at] = id + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = (ulong)bytes.Length * Seed;
        while (bytes.Length > 8)
        {
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        ulong tail = bytes.Length switch
        {
            >= 4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes)
                | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]) << 32),
            > 0 => bytes[0] | ((ulong)bytes[bytes.Length >> 1] << 8) | ((ulong)bytes[^1] << 16),
            _ => 0,
        };
        return Mix(hash, tail) * Seed;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong hash, ulong value)
    {
        hash = (hash ^ value) * Seed;
        return hash ^ (hash >> 32);
    }
}

using System.Buffers.Binary;

namespace Polymath.Tests.Files;

/// <summary>A valid file to start from.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Bytes">The file.</param>
/// <param name="Fields">Offsets of counts, lengths, types and offsets in it, where they are known.</param>
/// <param name="Hot">Bytes at the start that most mutations aim at; the rest is bulk data.</param>
internal sealed record Specimen(string Name, byte[] Bytes, IReadOnlyList<int> Fields, int Hot)
{
    public Specimen(string name, byte[] bytes)
        : this(name, bytes, [], bytes.Length)
    {
    }
}

/// <summary>
/// Makes hostile files out of valid ones: one to three changes each, among them flipped bits, numbers blown up,
/// pieces cut out, put in, doubled and swapped. The same seed and round give the same file.
/// </summary>
/// <param name="seed">Chooses the whole series.</param>
/// <param name="fragments">Pieces of text that mean something in the format, put in the place of values.</param>
internal sealed class Mutations(int seed, IReadOnlyList<byte[]>? fragments = null)
{
    private static readonly ulong[] Numbers =
    [
        0, 1, 2, 7, 8, 9, 0x7F, 0x80, 0xFF, 0xFFFF, 0x1_0000, 0x1_0001, 1 << 20, 1 << 24, (1 << 24) + 1, int.MaxValue, 1UL << 31,
        uint.MaxValue, 1UL << 32, (1UL << 32) + 1, 1UL << 40, (1UL << 40) + 1, 1UL << 61, long.MaxValue, 1UL << 63, ulong.MaxValue - 31, ulong.MaxValue,
    ];

    /// <summary>The file of one round.</summary>
    public byte[] Mutate(int round, Specimen specimen)
    {
        var random = new Random(HashCode(seed, round));
        var bytes = new List<byte>(specimen.Bytes);
        for (int left = random.Next(1, 4); left > 0; left--)
            Change(random, bytes, specimen);
        return [.. bytes];
    }

    private static int HashCode(int seed, int round) => unchecked((int)(((uint)seed * 2654435761u) ^ ((uint)round * 40503u)));

    private void Change(Random random, List<byte> bytes, Specimen specimen)
    {
        if (bytes.Count == 0)
            return;
        int at = Place(random, bytes, specimen);
        int kind = random.Next(fragments is null ? 12 : 18);
        switch (kind)
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 or 3 or 4 when specimen.Fields.Count > 0:
                Overwrite(random, bytes, specimen.Fields[random.Next(specimen.Fields.Count)]);
                break;
            case 2 or 3 or 4 or 5:
                Overwrite(random, bytes, at);
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 7:
                bytes.RemoveRange(at, Math.Min(random.Next(1, 65), bytes.Count - at));
                break;
            case 8:
                bytes.InsertRange(at, Piece(random, random.Next(1, 65)));
                break;
            case 9:
                bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 129), bytes.Count - at)));
                break;
            case 10:
                Swap(random, bytes, at, Place(random, bytes, specimen));
                break;
            case 11:
                bytes.AddRange(new byte[random.Next(1, 257)]);
                break;
            case 12:
                bytes.InsertRange(at, fragments![random.Next(fragments.Count)]);
                break;
            case 13:
                TurnDigit(random, bytes, at);
                break;
            case 14:
                DoubleMember(random, bytes, at);
                break;
            default:
                ReplaceValue(bytes, at, fragments![random.Next(fragments.Count)]);
                break;
        }
    }

    private static int Place(Random random, List<byte> bytes, Specimen specimen) =>
        random.Next(random.Next(10) == 0 ? bytes.Count : Math.Min(bytes.Count, specimen.Hot));

    private static void Overwrite(Random random, List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(number, Numbers[random.Next(Numbers.Length)]);
        int width = random.Next(2) == 0 ? 4 : 8;
        for (int i = 0; i < width && at + i < bytes.Count; i++)
            bytes[at + i] = number[i];
    }

    private static byte[] Piece(Random random, int length)
    {
        var piece = new byte[length];
        if (random.Next(2) == 0)
            random.NextBytes(piece);
        return piece;
    }

    private static void Swap(Random random, List<byte> bytes, int first, int second)
    {
        if (first > second)
            (first, second) = (second, first);
        int length = Math.Min(random.Next(1, 65), Math.Min(second - first, bytes.Count - second));
        for (int i = 0; i < length; i++)
            (bytes[first + i], bytes[second + i]) = (bytes[second + i], bytes[first + i]);
    }

    /// <summary>Replaces the JSON value behind the next colon, or the list element behind the next comma.</summary>
    private static void ReplaceValue(List<byte> bytes, int at, byte[] fragment)
    {
        int start = bytes.FindIndex(at, value => value is (byte)':' or (byte)'[') + 1;
        if (start == 0)
            return;
        int end = bytes.FindIndex(start, value => value is (byte)',' or (byte)'}' or (byte)']' or (byte)'\n');
        bytes.RemoveRange(start, (end < 0 ? bytes.Count : end) - start);
        bytes.InsertRange(start, fragment);
    }

    private static void TurnDigit(Random random, List<byte> bytes, int at)
    {
        int digit = bytes.FindIndex(at, value => value is >= (byte)'0' and <= (byte)'9');
        if (digit >= 0)
            bytes[digit] = (byte)('0' + random.Next(10));
    }

    /// <summary>Doubles a whole JSON member, half of the time under another name.</summary>
    private static void DoubleMember(Random random, List<byte> bytes, int at)
    {
        int start = bytes.FindIndex(at, value => value is (byte)'{' or (byte)',') + 1;
        if (start == 0)
            return;
        int end = start;
        for (int depth = 0; end < bytes.Count && (depth > 0 || bytes[end] is not ((byte)',' or (byte)'}')); end++)
            depth += bytes[end] is (byte)'{' or (byte)'[' ? 1 : bytes[end] is (byte)'}' or (byte)']' ? -1 : 0;
        List<byte> member = bytes.GetRange(start, end - start);
        int quote = member.IndexOf((byte)'"');
        if (quote >= 0 && random.Next(2) == 0)
            member.Insert(quote + 1, (byte)'x');
        member.Add((byte)',');
        bytes.InsertRange(start, member);
    }
}

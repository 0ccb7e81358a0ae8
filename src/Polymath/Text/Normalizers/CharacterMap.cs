using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Polymath.Files;

namespace Polymath.Text.Normalizers;

/// <summary>
/// SentencePiece's precompiled map of characters: a double array (Darts) of what is replaced, and the replacements, each
/// ended by a zero byte. A unit of the array holds in bits 0-7 its label, in bit 8 whether a value hangs below it, in bits
/// 10-30 its offset, which bit 9 makes 256 times as large; a value has bit 31 set.
/// </summary>
internal sealed class CharacterMap
{
    private const uint ValueBit = 1u << 31;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    /// <summary>Reads a map.</summary>
    /// <param name="bytes">Length of the array in bytes, the array, the replacements.</param>
    /// <param name="place">File and key, for messages.</param>
    /// <exception cref="ModelFormatException">The parts do not fit.</exception>
    public CharacterMap(ReadOnlySpan<byte> bytes, string place)
    {
        uint size = bytes.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;
        if (bytes.Length < 4 || size % 4 != 0 || size > bytes.Length - 4)
            throw new ModelFormatException($"{place} is no character map: {bytes.Length} bytes with an array of {size}");
        _units = new uint[size / 4];
        for (int i = 0; i < _units.Length; i++)
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + (i * 4))..]);
        _replacements = bytes[(int)(4 + size)..].ToArray();
    }

    /// <summary>The map of tokenizer.ggml.precompiled_charsmap or of a JSON file; null when there is none.</summary>
    public static CharacterMap? Make(ReadOnlySpan<byte> bytes, string place) => bytes.IsEmpty ? null : new CharacterMap(bytes, place);

    /// <summary>How many bytes at the start of <paramref name="text"/> are replaced, and by what; 0 for none.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="longest">The longest match; else the shortest.</param>
    /// <param name="replacement">UTF-8.</param>
    public int Match(ReadOnlySpan<byte> text, bool longest, out ReadOnlySpan<byte> replacement)
    {
        int matched = 0;
        uint value = 0;
        uint node = _units.Length > 0 ? Offset(_units[0]) : 0;
        for (int i = 0; i < text.Length && text[i] != 0; i++)
        {
            node ^= text[i];
            if (node >= _units.Length || (_units[node] & (ValueBit | 0xFF)) != text[i])
                break;
            uint unit = _units[node];
            node ^= Offset(unit);
            if ((unit & 0x100) == 0 || node >= _units.Length)
                continue;
            matched = i + 1;
            value = _units[node] & ~ValueBit;
            if (!longest)
                break;
        }

        replacement = default;
        if (matched == 0 || value >= _replacements.Length)
            return 0;
        ReadOnlySpan<byte> rest = _replacements.AsSpan((int)value);
        int end = rest.IndexOf((byte)0);
        replacement = end < 0 ? rest : rest[..end];
        return matched;
    }

    /// <summary>
    /// A text with all its characters replaced as the tokenizers library does it: a short cluster of characters as a whole
    /// first, by the shortest match at its start; else character by character.
    /// </summary>
    public string Apply(string text)
    {
        var result = new StringBuilder(text.Length);
        Span<byte> bytes = stackalloc byte[8];
        TextElementEnumerator clusters = StringInfo.GetTextElementEnumerator(text);
        while (clusters.MoveNext())
        {
            string cluster = clusters.GetTextElement();
            if (cluster.Length < 6 && Encoding.UTF8.GetByteCount(cluster) < 6
                && Match(bytes[..Encoding.UTF8.GetBytes(cluster, bytes)], longest: false, out ReadOnlySpan<byte> whole) > 0)
            {
                result.Append(Encoding.UTF8.GetString(whole));
                continue;
            }

            foreach (Rune rune in cluster.EnumerateRunes())
            {
                if (Match(bytes[..rune.EncodeToUtf8(bytes)], longest: false, out ReadOnlySpan<byte> single) > 0)
                    result.Append(Encoding.UTF8.GetString(single));
                else
                    result.Append(rune.ToString());
            }
        }

        return result.ToString();
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}

using System.Text;

namespace Polymath.Text.Normalizers;

/// <summary>
/// What the reference engine of GGUF files does to a text for a unigram model: characters replaced by the longest match,
/// runs of spaces treated as the file says, a space in front.
/// </summary>
/// <param name="Map">The replacements, or null.</param>
/// <param name="AddsPrefix">A space comes before the text.</param>
/// <param name="MergesSpaces">Runs of spaces become one, at the ends none; a text starts with one.</param>
internal sealed record GgufSpaces(CharacterMap? Map, bool AddsPrefix, bool MergesSpaces)
{
    /// <summary>UTF-8 of the text; its first <paramref name="length"/> bytes count.</summary>
    public byte[] Apply(ReadOnlySpan<char> text, out int length)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        byte[] result = new byte[bytes.Length + 64];
        length = 0;
        bool prefixed = false;
        bool inside = false; // a word
        for (int at = 0; at < bytes.Length;)
        {
            int used = 0;
            ReadOnlySpan<byte> part = default;
            if (Map is not null)
                used = Map.Match(bytes.AsSpan(at), longest: true, out part);
            if (used == 0)
            {
                used = MetaspaceBpe.CharacterLength(bytes[at]);
                part = bytes.AsSpan(at, used);
            }

            if (length + (part.Length * 2) + 2 > result.Length)
                Array.Resize(ref result, checked((result.Length * 2) + (part.Length * 2)));
            foreach (byte value in part)
            {
                bool space = value == (byte)' ';
                if (!space && !inside && ((AddsPrefix && !prefixed) || MergesSpaces))
                {
                    result[length++] = (byte)' ';
                    prefixed = true;
                }

                inside = !space;
                if (!space || !MergesSpaces)
                    result[length++] = value;
            }

            at += used;
        }

        length = MetaspaceBpe.ToSpaces(result.AsSpan(0, length));
        return result;
    }
}

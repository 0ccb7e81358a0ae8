using System.Text;

namespace Polymath.Text;

/// <summary>
/// GPT-2's way to write any byte as a printable character, in which byte-level vocabularies spell their tokens:
/// printable Latin-1 stands for itself, the other 68 bytes for U+0100 and on, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Chars = MakeChars();
    private static readonly short[] Bytes = MakeBytes();

    /// <summary>The character that stands for <paramref name="value"/>.</summary>
    public static char ToChar(byte value) => Chars[value];

    /// <summary>The byte a character stands for, or -1.</summary>
    public static int ToByte(char value) => value < Bytes.Length ? Bytes[value] : -1;

    /// <summary>Bytes that a token spells; text with characters outside the alphabet stands for itself in UTF-8.</summary>
    public static byte[] Decode(string token)
    {
        var bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            int value = ToByte(token[i]);
            if (value < 0)
                return Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)value;
        }

        return bytes;
    }

    private static char[] MakeChars()
    {
        var chars = new char[256];
        int other = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            chars[value] = (char)(printable ? value : other++);
        }

        return chars;
    }

    private static short[] MakeBytes()
    {
        var bytes = new short[256 + 68];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++)
            bytes[Chars[value]] = (short)value;
        return bytes;
    }
}

using System.Buffers;
using System.Text;

namespace Polymath.Text;

/// <summary>
/// Turns tokens into text as they come. A character whose bytes are not all there yet is held back; bytes that can
/// become no character turn into U+FFFD at once. The pieces and <see cref="Flush()"/> together are the text of all
/// tokens. For one thread.
/// </summary>
public sealed class StreamingDecoder
{
    private const int HeldMost = 3;

    private readonly Tokenizer _tokenizer;
    private readonly byte[] _held = new byte[HeldMost + 1];
    private int _heldCount;
    private bool _dropsSpace;

    /// <summary>Starts a stream.</summary>
    /// <param name="tokenizer">Knows the bytes of the tokens.</param>
    /// <param name="startOfText">
    /// True when the first token begins a text, as in <see cref="Tokenizer.Decode"/>: a space that encoding put in front
    /// of the text is taken away. False, the default, when the tokens go on from others, as an answer does.
    /// </param>
    public StreamingDecoder(Tokenizer tokenizer, bool startOfText = false)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _dropsSpace = startOfText && tokenizer.DropsLeadingSpace;
    }

    /// <summary>Most chars that <see cref="Push(int, Span{char})"/> may write for a token.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such id.</exception>
    public int MaxChars(int id) => _tokenizer.TokenBytes(id).Length + HeldMost;

    /// <summary>The text that is certain after one more token; often empty, never part of a character.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such id.</exception>
    public string Push(int id)
    {
        int most = MaxChars(id);
        char[]? rented = most > 256 ? ArrayPool<char>.Shared.Rent(most) : null;
        Span<char> chars = rented ?? stackalloc char[256];
        string text = new(chars[..Push(id, chars)]);
        if (rented is not null)
            ArrayPool<char>.Shared.Return(rented);
        return text;
    }

    /// <summary>Writes the text that is certain after one more token and returns its length.</summary>
    /// <param name="id">The token.</param>
    /// <param name="destination">At least <see cref="MaxChars"/> long.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such id.</exception>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public int Push(int id, Span<char> destination)
    {
        ReadOnlySpan<byte> bytes = _tokenizer.TokenBytes(id);
        if (destination.Length < bytes.Length + HeldMost)
            throw new ArgumentException("the destination is shorter than MaxChars", nameof(destination));
        if (_dropsSpace && !bytes.IsEmpty)
        {
            _dropsSpace = false;
            if (bytes[0] == (byte)' ')
                bytes = bytes[1..];
        }

        int written = 0;
        while (_heldCount > 0 && !bytes.IsEmpty)
        {
            _held[_heldCount++] = bytes[0];
            bytes = bytes[1..];
            written += WriteHeld(destination[written..]);
        }

        int complete = bytes.Length - IncompleteTail(bytes);
        written += Encoding.UTF8.GetChars(bytes[..complete], destination[written..]);
        foreach (byte value in bytes[complete..])
            _held[_heldCount++] = value;
        return written;
    }

    /// <summary>What is left at the end of the tokens: U+FFFD for a character that was cut off, or nothing. Starts afresh in the middle of a text.</summary>
    public string Flush()
    {
        string text = Encoding.UTF8.GetString(_held, 0, _heldCount);
        _heldCount = 0;
        return text;
    }

    /// <summary>Writes what is certain of the held bytes and keeps the rest.</summary>
    private int WriteHeld(Span<char> destination)
    {
        int written = 0;
        while (_heldCount > 0)
        {
            OperationStatus status = Rune.DecodeFromUtf8(_held.AsSpan(0, _heldCount), out Rune rune, out int used);
            if (status == OperationStatus.NeedMoreData)
                break;
            written += rune.EncodeToUtf16(destination[written..]); // U+FFFD where invalid
            _held.AsSpan(used, _heldCount - used).CopyTo(_held);
            _heldCount -= used;
        }

        return written;
    }

    /// <summary>Number of bytes at the end that begin a character and may still become one.</summary>
    private static int IncompleteTail(ReadOnlySpan<byte> bytes)
    {
        for (int length = 1; length <= Math.Min(HeldMost, bytes.Length); length++)
        {
            if (Rune.DecodeFromUtf8(bytes[^length..], out _, out _) == OperationStatus.NeedMoreData)
                return length;
        }

        return 0;
    }
}

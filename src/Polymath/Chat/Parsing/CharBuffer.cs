namespace Polymath.Chat.Parsing;

/// <summary>Text that grows and is emptied again, without garbage.</summary>
internal sealed class CharBuffer
{
    private char[] _text = new char[64];

    public int Length { get; private set; }

    public ReadOnlySpan<char> Text => _text.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Append(char c)
    {
        if (Length == _text.Length)
            Array.Resize(ref _text, 2 * Length);
        _text[Length++] = c;
    }

    public void Append(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
            Append(c);
    }

    /// <summary>Appends a character of a JSON string. Half of a surrogate pair must not come.</summary>
    public void AppendEscaped(char c)
    {
        switch (c)
        {
            case '"':
                Append("\\\"");
                break;
            case '\\':
                Append(@"\\");
                break;
            case '\n':
                Append(@"\n");
                break;
            case '\r':
                Append(@"\r");
                break;
            case '\t':
                Append(@"\t");
                break;
            case < ' ':
                Append(@"\u00");
                Append((char)('0' + (c >> 4)));
                Append("0123456789abcdef"[c & 15]);
                break;
            default:
                Append(c);
                break;
        }
    }

    public override string ToString() => new(Text);
}

namespace Polymath.Chat.Parsing;

/// <summary>Writes a string that is given character by character as JSON; half of a surrogate pair becomes U+FFFD.</summary>
internal struct EscapedText
{
    private char _high;

    /// <summary>Number of characters that wait for the next: 0 or 1.</summary>
    public readonly int Pending => _high == 0 ? 0 : 1;

    public void Append(ReadOnlySpan<char> text, CharBuffer output)
    {
        foreach (char c in text)
            Append(c, output);
    }

    public void Append(char c, CharBuffer output)
    {
        if (_high != 0)
        {
            if (char.IsLowSurrogate(c))
            {
                output.Append(_high);
                output.Append(c);
                _high = '\0';
                return;
            }

            End(output);
        }

        if (char.IsHighSurrogate(c))
            _high = c;
        else
            output.AppendEscaped(char.IsLowSurrogate(c) ? '\uFFFD' : c);
    }

    public void End(CharBuffer output)
    {
        if (_high != 0)
            output.Append('\uFFFD');
        _high = '\0';
    }
}

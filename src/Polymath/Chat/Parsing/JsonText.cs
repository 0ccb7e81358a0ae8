namespace Polymath.Chat.Parsing;

/// <summary>Reads a JSON string after its opening quotation mark and decodes it.</summary>
internal struct JsonText
{
    private bool _escape;
    private int _hexLeft, _hex;

    /// <summary>Takes one more character.</summary>
    /// <param name="c">The character.</param>
    /// <param name="decoded">Receives the text.</param>
    /// <returns><see cref="Outcome.Done"/> with the closing quotation mark.</returns>
    public Outcome Take(char c, CharBuffer decoded)
    {
        if (_hexLeft > 0)
        {
            if (!char.IsAsciiHexDigit(c))
                return Outcome.Bad;
            _hex = (_hex << 4) | (char.IsAsciiDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
            if (--_hexLeft == 0)
                decoded.Append((char)_hex);
            return Outcome.More;
        }

        if (!_escape)
        {
            _escape = c == '\\';
            if (c == '"')
                return Outcome.Done;
            if (!_escape)
                decoded.Append(c);
            return Outcome.More;
        }

        _escape = false;
        switch (c)
        {
            case 'u':
                _hexLeft = 4;
                _hex = 0;
                return Outcome.More;
            case 'n' or 'r' or 't' or 'b' or 'f':
                decoded.Append(c switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', _ => '\f' });
                return Outcome.More;
            case '"' or '\\' or '/':
                decoded.Append(c);
                return Outcome.More;
            default:
                return Outcome.Bad;
        }
    }
}

namespace Polymath.Chat.Parsing;

/// <summary>Reads one of up to three texts, character by character, whatever white space stands in and before them.</summary>
internal struct LiteralMatch
{
    private string? _first, _second, _third;
    private int _at;

    /// <summary>Number of characters taken, white space too.</summary>
    public int Taken { get; private set; }

    /// <summary>Starts anew. Empty texts match nothing; none begins with another.</summary>
    public void Begin(string first, string? second = null, string? third = null)
    {
        _first = first;
        _second = second;
        _third = third;
        _at = 0;
        Taken = 0;
    }

    /// <summary>Takes one more character.</summary>
    /// <returns>1, 2 or 3 when that text is complete, 0 when more is needed, −1 when none of them can follow.</returns>
    public int Take(char c)
    {
        Taken++;
        if (IsWhite(c))
            return 0;
        if (Keep(ref _first, c))
            return 1;
        if (Keep(ref _second, c))
            return 2;
        if (Keep(ref _third, c))
            return 3;
        _at++;
        return _first is null && _second is null && _third is null ? -1 : 0;
    }

    public static bool IsWhite(char c) => c is ' ' or '\n' or '\r' or '\t';

    /// <summary>Forgets a text that does not go on with the character; true when it is complete.</summary>
    private readonly bool Keep(ref string? text, char c)
    {
        if (text is null)
            return false;
        int solid = -1;
        for (int i = 0; i < text.Length; i++)
        {
            if (IsWhite(text[i]))
                continue;
            solid++;
            if (solid < _at)
                continue;
            if (solid > _at)
                return false;
            if (text[i] != c)
                break;
            if (text.AsSpan(i + 1).IndexOfAnyExcept(" \n\r\t") < 0)
                return true;
            return false;
        }

        text = null;
        return false;
    }
}

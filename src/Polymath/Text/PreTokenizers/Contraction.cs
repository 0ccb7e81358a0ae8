namespace Polymath.Text.PreTokenizers;

/// <summary>The endings 's 't 're 've 'm 'll 'd of English words.</summary>
internal static class Contraction
{
    /// <summary>Length of the ending at the start of <paramref name="text"/>, which is an apostrophe; 0 when there is none.</summary>
    public static int Lower(ReadOnlySpan<char> text) => text switch
    {
        [_, 's' or 't' or 'm' or 'd', ..] => 2,
        [_, 'r' or 'v', 'e', ..] or [_, 'l', 'l', ..] => 3,
        _ => 0,
    };

    /// <summary>The same in any case.</summary>
    public static int AnyCase(ReadOnlySpan<char> text) => text switch
    {
        [_, 's' or 't' or 'm' or 'd' or 'S' or 'T' or 'M' or 'D', ..] => 2,
        [_, 'r' or 'v' or 'R' or 'V', 'e' or 'E', ..] or [_, 'l' or 'L', 'l' or 'L', ..] => 3,
        _ => 0,
    };
}

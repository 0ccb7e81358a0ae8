namespace Polymath.Chat.Parsing;

/// <summary>Looks for one tag in text that comes character by character, and keeps what may be its beginning (Knuth, Morris, Pratt).</summary>
internal sealed class TagMatch
{
    private readonly string _tag;
    private readonly int[] _border;

    public TagMatch(string tag)
    {
        _tag = tag;
        _border = new int[tag.Length];
        for (int i = 1, k = 0; i < tag.Length; i++)
        {
            while (k > 0 && tag[i] != tag[k])
                k = _border[k - 1];
            if (tag[i] == tag[k])
                k++;
            _border[i] = k;
        }
    }

    /// <summary>Number of characters that are kept: the tag's first ones.</summary>
    public int Kept { get; private set; }

    public void Begin() => Kept = 0;

    /// <summary>Takes one more character.</summary>
    /// <param name="c">The character.</param>
    /// <param name="released">What was kept and is no part of the tag.</param>
    /// <param name="plain">True when the character itself is no part of the tag either.</param>
    /// <returns>True when the tag is complete.</returns>
    public bool Take(char c, out ReadOnlySpan<char> released, out bool plain)
    {
        int before = Kept;
        while (Kept > 0 && _tag[Kept] != c)
            Kept = _border[Kept - 1];
        released = _tag.AsSpan(0, before - Kept);
        plain = _tag[Kept] != c;
        if (!plain)
            Kept++;
        return Kept == _tag.Length;
    }
}

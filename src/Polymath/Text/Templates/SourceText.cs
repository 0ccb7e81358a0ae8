namespace Polymath.Text.Templates;

/// <summary>
/// A template's source as the lexer reads it: Hugging Face's <c>trim_blocks</c> and <c>lstrip_blocks</c> applied, the
/// <c>generation</c> tags of training taken out. Only deletes, so that every character left knows where it stood.
/// </summary>
internal sealed class SourceText
{
    private readonly char[] _text;
    private readonly int[] _places;
    private int _length;

    public SourceText(string source)
    {
        _text = source.ToCharArray();
        _places = new int[_text.Length];
        for (int i = 0; i < _places.Length; i++)
            _places[i] = i;
        _length = source.EndsWith('\n') ? source.Length - 1 : source.Length;
        StripBeforeBlocks();
        TrimAfterBlocks();
        RemoveGenerationTags();
        Text = new string(_text, 0, _length);
        Array.Resize(ref _places, _length);
        _text = [];
    }

    /// <summary>What is left of the source.</summary>
    public string Text { get; }

    /// <summary>Where a character of <see cref="Text"/> stood in the source.</summary>
    public int PlaceOf(int index) => index < _length ? _places[index] : _length == 0 ? 0 : _places[_length - 1] + 1;

    /// <summary>Spaces and tabs between the start of a line and a block or comment; <c>{%+</c> keeps them.</summary>
    private void StripBeforeBlocks()
    {
        int to = 0, lineStart = 0; // lineStart: where in the kept text this line's leading blanks begin, -1 after something else
        for (int i = 0; i < _length; i++)
        {
            char c = _text[i];
            bool tag = c == '{' && i + 1 < _length && _text[i + 1] is '#' or '%' or '-' && (i + 2 >= _length || _text[i + 2] != '+');
            if (tag && lineStart >= 0)
                to = lineStart;
            if (c is '\n' or '\r' or '\u2028' or '\u2029')
                lineStart = to + 1;
            else if (c is not (' ' or '\t'))
                lineStart = -1;
            Keep(i, to++);
        }

        _length = to;
    }

    /// <summary>The first line break after a block or comment; <c>+%}</c> keeps it.</summary>
    private void TrimAfterBlocks()
    {
        int to = 0;
        char before = '\0', last = '\0', kept = '\0'; // the three characters before, which may be overwritten
        for (int i = 0; i < _length; i++)
        {
            char c = _text[i];
            if (c != '\n' || last != '}' || before is not ('#' or '%' or '-') || (kept == '+' && before != '-'))
                Keep(i, to++);
            (kept, before, last) = (before, last, c);
        }

        _length = to;
    }

    private void RemoveGenerationTags()
    {
        if (!_text.AsSpan(0, _length).Contains("generation", StringComparison.Ordinal))
            return;
        int to = 0, done = 0; // done: what a tag before has already looked at
        for (int i = 0; i < _length;)
        {
            int end = GenerationTag(i, out bool stripBefore, out bool stripAfter);
            if (end < 0)
            {
                Keep(i++, to++);
                continue;
            }

            for (int before = i; stripBefore && before > done && TextRules.IsSpace(_text[to - 1]); before--)
                to--;
            int after = end;
            while (after < _length && TextRules.IsSpace(_text[after]))
                after++;
            for (i = end; i < after; i++)
            {
                if (!stripAfter)
                    Keep(i, to++);
            }

            done = after;
        }

        _length = to;
    }

    /// <summary>The end of a generation tag that starts at <paramref name="start"/>, or -1.</summary>
    private int GenerationTag(int start, out bool stripBefore, out bool stripAfter)
    {
        stripBefore = stripAfter = false;
        ReadOnlySpan<char> rest = _text.AsSpan(start, _length - start);
        if (!rest.StartsWith("{%"))
            return -1;
        int at = 2;
        stripBefore = Take(rest, ref at, "-");
        SkipSpace(rest, ref at);
        Take(rest, ref at, "end");
        if (!Take(rest, ref at, "generation"))
            return -1;
        SkipSpace(rest, ref at);
        stripAfter = Take(rest, ref at, "-");
        return Take(rest, ref at, "%}") ? start + at : -1;
    }

    private static bool Take(ReadOnlySpan<char> text, ref int at, string expected)
    {
        if (!text[at..].StartsWith(expected))
            return false;
        at += expected.Length;
        return true;
    }

    private static void SkipSpace(ReadOnlySpan<char> text, ref int at)
    {
        while (at < text.Length && TextRules.IsSpace(text[at]))
            at++;
    }

    private void Keep(int from, int to) => (_text[to], _places[to]) = (_text[from], _places[from]);
}

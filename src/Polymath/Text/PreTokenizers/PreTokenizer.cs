namespace Polymath.Text.PreTokenizers;

/// <summary>
/// Cuts a text into the pieces inside which byte pairs may join. Each known pattern is written out by hand over Unicode
/// scalars, in one pass or a fixed number of passes: no text makes it slow.
/// </summary>
internal abstract class PreTokenizer
{
    /// <summary>Adds the end of each piece of <paramref name="text"/>, in order; the last is the text's length.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ends">Gets the ends.</param>
    /// <param name="offset">Added to each end: where the text starts in a longer one.</param>
    public virtual void Split(ReadOnlySpan<char> text, IntList ends, int offset = 0)
    {
        int done = 0;
        for (int at = 0; at < text.Length;)
        {
            int end = Match(text, at);
            if (end == at)
            {
                Scalars.At(text, at, out int width);
                at += width;
                continue;
            }

            if (at > done)
                ends.Add(offset + at);
            ends.Add(offset + end);
            done = at = end;
        }

        if (text.Length > done)
            ends.Add(offset + text.Length);
    }

    /// <summary>
    /// Where the match that starts at <paramref name="at"/> ends; <paramref name="at"/> itself when none starts there.
    /// What stands between two matches is a piece.
    /// </summary>
    protected abstract int Match(ReadOnlySpan<char> text, int at);
}

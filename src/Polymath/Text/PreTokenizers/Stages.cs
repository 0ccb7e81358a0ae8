namespace Polymath.Text.PreTokenizers;

/// <summary>Tells whether a scalar belongs to a set.</summary>
internal interface IScalarSet
{
    bool Has(int scalar, ScalarClass kind);
}

/// <summary>
/// Splitting in stages: each stage cuts the pieces of the one before it, and sees their ends as ends of text, as
/// vocabularies with several patterns in a row want it.
/// </summary>
internal static class Stages
{
    /// <summary>Cuts the text behind <paramref name="from"/> at matches of \s?[set]+ or [set]+ .</summary>
    /// <param name="text">The text.</param>
    /// <param name="from">Ends of the pieces so far.</param>
    /// <param name="to">Gets the ends of the smaller pieces.</param>
    /// <param name="spaceBefore">The match may take one space in front of it.</param>
    /// <param name="set">Which scalars match.</param>
    /// <param name="least">Shortest run that matches.</param>
    /// <param name="most">Longest run that one match takes.</param>
    public static void Runs<TSet>(
        ReadOnlySpan<char> text, IntList from, IntList to, bool spaceBefore, TSet set, int least = 1, int most = int.MaxValue)
        where TSet : struct, IScalarSet
    {
        int start = 0;
        foreach (int end in from.Span)
        {
            int done = start;
            for (int at = start; at < end;)
            {
                ReadOnlySpan<char> piece = text[..end];
                int behind = Match(piece, at, spaceBefore, set, least, most);
                if (behind == at)
                {
                    Scalars.At(piece, at, out int width);
                    at += width;
                    continue;
                }

                if (at > done)
                    to.Add(at);
                to.Add(behind);
                done = at = behind;
            }

            if (end > done)
                to.Add(end);
            start = end;
        }
    }

    /// <summary>Cuts off the spaces at the end of each piece: \s+$ .</summary>
    public static void TrailingSpaces(ReadOnlySpan<char> text, IntList from, IntList to)
    {
        int start = 0;
        foreach (int end in from.Span)
        {
            int tail = end;
            while (tail > start && char.IsWhiteSpace(text[tail - 1]))
                tail--;
            if (tail > start && tail < end)
                to.Add(tail);
            to.Add(end);
            start = end;
        }
    }

    private static int Match<TSet>(ReadOnlySpan<char> text, int at, bool spaceBefore, TSet set, int least, int most)
        where TSet : struct, IScalarSet
    {
        if (spaceBefore && char.IsWhiteSpace(text[at]))
        {
            int end = Run(text, at + 1, set, least, most);
            if (end > at + 1)
                return end;
        }

        return Run(text, at, set, least, most);
    }

    private static int Run<TSet>(ReadOnlySpan<char> text, int start, TSet set, int least, int most)
        where TSet : struct, IScalarSet
    {
        int at = start;
        int taken = 0;
        for (; at < text.Length && taken < most; taken++)
        {
            ScalarClass kind = Scalars.At(text, at, out int width);
            int scalar = width == 2 ? char.ConvertToUtf32(text[at], text[at + 1])
                : char.IsSurrogate(text[at]) ? 0xFFFD : text[at];
            if (!set.Has(scalar, kind))
                break;
            at += width;
        }

        return taken >= least ? at : start;
    }
}

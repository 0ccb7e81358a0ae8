namespace Polymath.Text.PreTokenizers;

/// <summary>
/// Cuts runs of digits into groups of three counted from their end. AFMoE's way (Tiny Aya has the same) counts all number
/// characters, and what stands before a run stays in the piece of its first group. SuperBPE's way counts ASCII digits,
/// and cuts before every group that is whole.
/// </summary>
internal sealed class DigitGroups(bool joinedToText) : PreTokenizer
{
    /// <summary>SuperBPE: \p{N}+ , then (?=(\d{3})+(?!\d)) .</summary>
    public static PreTokenizer MakeSuper() => new Staged(new Runs<ScalarSets.Numbers>(), new DigitGroups(joinedToText: false));

    /// <inheritdoc/>
    public override void Split(ReadOnlySpan<char> text, IntList ends, int offset = 0)
    {
        int done = 0;
        for (int at = 0; at < text.Length;)
        {
            int start = at;
            int count = Count(text, ref at);
            if (count == 0)
            {
                Scalars.At(text, at, out int width);
                at += width;
                continue;
            }

            int cut = start;
            if (!joinedToText && count % 3 == 0 && cut > done)
                ends.Add(offset + (done = cut));
            for (int left = count; left > 0;)
            {
                int group = left % 3 == 0 ? 3 : left % 3;
                for (int i = 0; i < group; i++)
                {
                    Scalars.At(text, cut, out int width);
                    cut += width;
                }

                left -= group;
                if (left > 0 || joinedToText)
                    ends.Add(offset + (done = cut));
            }
        }

        if (text.Length > done)
            ends.Add(offset + text.Length);
    }

    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at) => throw new NotSupportedException("groups are cut as wholes");

    private int Count(ReadOnlySpan<char> text, ref int at)
    {
        int count = 0;
        for (; at < text.Length; count++)
        {
            bool digit = (Scalars.At(text, at, out int width) & ScalarClass.Number) != 0;
            if (!digit || (!joinedToText && !char.IsAsciiDigit(text[at])))
                break;
            at += width;
        }

        return count;
    }
}

namespace Polymath.Text.PreTokenizers;

/// <summary>
/// Splitting in stages: each stage cuts the pieces of the one before it, and sees their ends as ends of text, as
/// vocabularies with several patterns in a row want it.
/// </summary>
internal sealed class Staged(params PreTokenizer[] stages) : PreTokenizer
{
    /// <inheritdoc/>
    public override void Split(ReadOnlySpan<char> text, IntList ends, int offset = 0)
    {
        var from = new IntList();
        var to = new IntList();
        from.Add(text.Length);
        for (int stage = 0; stage < stages.Length; stage++)
        {
            bool last = stage == stages.Length - 1;
            int start = 0;
            foreach (int end in from.Span)
            {
                stages[stage].Split(text[start..end], last ? ends : to, last ? offset + start : start);
                start = end;
            }

            (from, to) = (to, from);
            to.Clear();
        }
    }

    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at) => throw new NotSupportedException("stages have no single match");
}

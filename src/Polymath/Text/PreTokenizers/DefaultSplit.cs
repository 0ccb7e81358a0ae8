namespace Polymath.Text.PreTokenizers;

/// <summary>
/// For vocabularies that name no splitter: [\p{P}\$\+&lt;=&gt;\^~\|]+ , then GPT-2's pattern, then \p{N}+ , then three ASCII
/// digits at a time.
/// </summary>
internal sealed class DefaultSplit : PreTokenizer
{
    /// <inheritdoc/>
    public override void Split(ReadOnlySpan<char> text, IntList ends)
    {
        var first = new IntList();
        var second = new IntList();
        first.Add(text.Length);
        Stages.Runs(text, first, second, spaceBefore: false, default(Punctuation));
        first.Clear();
        int start = 0;
        foreach (int end in second.Span)
        {
            while (start < end)
                first.Add(start = Gpt2.Next(text[..end], start, digitsAlone: false));
        }

        second.Clear();
        Stages.Runs(text, first, second, spaceBefore: false, default(Numbers));
        Stages.Runs(text, second, ends, spaceBefore: false, default(ThreeDigits), least: 3, most: 3);
    }

    private readonly struct Punctuation : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) =>
            (kind & ScalarClass.Punctuation) != 0 || scalar is '$' or '+' or '<' or '=' or '>' or '^' or '~' or '|';
    }

    private readonly struct Numbers : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => (kind & ScalarClass.Number) != 0;
    }

    private readonly struct ThreeDigits : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => scalar is >= '0' and <= '9';
    }
}

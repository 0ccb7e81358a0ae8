namespace Polymath.Text.PreTokenizers;

/// <summary>Tells whether a scalar belongs to a set.</summary>
internal interface IScalarSet
{
    bool Has(int scalar, ScalarClass kind);
}

/// <summary>Matches runs of the scalars of a set: [set]+ , \s?[set]+ or [set]{least,most} .</summary>
/// <param name="set">Which scalars match.</param>
/// <param name="spaceBefore">The match may take one space in front of it.</param>
/// <param name="least">Shortest run that matches.</param>
/// <param name="most">Longest run that one match takes.</param>
internal sealed class Runs<TSet>(TSet set = default, bool spaceBefore = false, int least = 1, int most = int.MaxValue) : PreTokenizer
    where TSet : struct, IScalarSet
{
    /// <inheritdoc/>
    public override void Split(ReadOnlySpan<char> text, IntList ends, int offset = 0)
    {
        if (spaceBefore)
        {
            base.Split(text, ends, offset);
            return;
        }

        int done = 0;
        for (int at = 0; at < text.Length;)
        {
            ScalarClass kind = Scalars.At(text, at, out int width);
            int end = set.Has(Scalars.Value(text, at, width), kind) ? Run(text, at) : at;
            if (end == at)
            {
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

    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at)
    {
        if (spaceBefore && char.IsWhiteSpace(text[at]))
        {
            int end = Run(text, at + 1);
            if (end > at + 1)
                return end;
        }

        return Run(text, at);
    }

    private int Run(ReadOnlySpan<char> text, int start)
    {
        int at = start;
        int taken = 0;
        for (; at < text.Length && taken < most; taken++)
        {
            ScalarClass kind = Scalars.At(text, at, out int width);
            if (!set.Has(Scalars.Value(text, at, width), kind))
                break;
            at += width;
        }

        return taken >= least ? at : start;
    }
}

/// <summary>Sets of scalars that several patterns name.</summary>
internal static class ScalarSets
{
    /// <summary>[\r\n]</summary>
    internal readonly struct LineBreaks : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => scalar is '\r' or '\n';
    }

    /// <summary>\p{L}</summary>
    internal readonly struct Letters : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => (kind & ScalarClass.Letter) != 0;
    }

    /// <summary>\p{N}</summary>
    internal readonly struct Numbers : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => (kind & ScalarClass.Number) != 0;
    }

    /// <summary>[0-9]</summary>
    internal readonly struct Digits : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => scalar is >= '0' and <= '9';
    }

    /// <summary>\S</summary>
    internal readonly struct NoSpaces : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => (kind & ScalarClass.Space) == 0;
    }

    /// <summary>\p{P}</summary>
    internal readonly struct Punctuation : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => (kind & ScalarClass.Punctuation) != 0;
    }

    /// <summary>Chinese characters, Hiragana and Katakana: [一-龥぀-ゟ゠-ヿ] .</summary>
    internal readonly struct ChineseAndKana : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => scalar is (>= 0x4E00 and <= 0x9FA5) or (>= 0x3040 and <= 0x30FF);
    }

    /// <summary>
    /// Chinese characters, Hangul and all else from U+0800 on: [一-龥ࠀ-一가-퟿] . The reference engine of GGUF files does not
    /// count the spaces among them.
    /// </summary>
    internal readonly struct EastAsian(bool spaces) : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => scalar is (>= 0x800 and <= 0x9FA5) or (>= 0xAC00 and <= 0xD7FF)
            && (spaces || (kind & ScalarClass.Space) == 0);
    }
}

namespace Polymath.Text.PreTokenizers;

/// <summary>BERT's words: spaces go, and each punctuation character or ASCII symbol stands alone.</summary>
internal sealed class Bert : PreTokenizer
{
    /// <summary>True for punctuation of any kind and the symbols of ASCII.</summary>
    public static bool IsPunctuation(int scalar, ScalarClass kind) =>
        (kind & ScalarClass.Punctuation) != 0 || (scalar < 0x80 && (kind & ScalarClass.Symbol) != 0);

    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at)
    {
        if (Alone(text, at, out int width))
            return at + width;
        while (at < text.Length && (Scalars.At(text, at) & ScalarClass.Space) == 0 && !Alone(text, at, out width))
            at += width;
        return at;
    }

    private static bool Alone(ReadOnlySpan<char> text, int at, out int width)
    {
        ScalarClass kind = Scalars.At(text, at, out width);
        return IsPunctuation(Scalars.Value(text, at, width), kind);
    }

    /// <summary>Runs or single ones of the punctuation alone.</summary>
    internal readonly struct Signs : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => IsPunctuation(scalar, kind);
    }
}

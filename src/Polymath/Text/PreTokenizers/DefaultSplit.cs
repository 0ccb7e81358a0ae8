namespace Polymath.Text.PreTokenizers;

/// <summary>
/// For vocabularies that name no splitter: [\p{P}\$\+&lt;=&gt;\^~\|]+ , then GPT-2's pattern, then \p{N}+ , then three ASCII
/// digits at a time. Falcon's is the same without the third, and with the backtick among the punctuation.
/// </summary>
internal static class DefaultSplit
{
    /// <summary>The stages.</summary>
    public static PreTokenizer Make() => new Staged(
        new Runs<Punctuation>(new Punctuation(backtick: false)), new Gpt2(digitsAlone: false), new Runs<ScalarSets.Numbers>(), ThreeDigits());

    /// <summary>Falcon's stages.</summary>
    public static PreTokenizer MakeFalcon() => new Staged(
        new Runs<Punctuation>(new Punctuation(backtick: true)), new Gpt2(digitsAlone: false), ThreeDigits());

    private static Runs<ScalarSets.Digits> ThreeDigits() => new(least: 3, most: 3);

    private readonly struct Punctuation(bool backtick) : IScalarSet
    {
        public bool Has(int scalar, ScalarClass kind) => (kind & ScalarClass.Punctuation) != 0
            || scalar is '$' or '+' or '<' or '=' or '>' or '^' or '~' or '|' || (scalar == '`' && backtick);
    }
}

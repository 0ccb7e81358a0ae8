namespace Polymath.Text.PreTokenizers;

/// <summary>Bloom's pattern, which Poro and Viking share: ␠?[^(\s|.,!?…。，、।۔،)]+ .</summary>
internal sealed class Bloom : PreTokenizer
{
    /// <inheritdoc/>
    protected override int Match(ReadOnlySpan<char> text, int at)
    {
        int end = Run(text, text[at] == ' ' ? at + 1 : at);
        return text[at] == ' ' && end == at + 1 ? at : end;
    }

    private static int Run(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not ('(' or '|' or '.' or ',' or '!' or '?' or ')'
            or '\u2026' or '\u3002' or '\uFF0C' or '\u3001' or '\u0964' or '\u06D4' or '\u060C'))
        {
            at++;
        }

        return at;
    }
}

using Polymath.Files;

namespace Polymath.Text;

internal static class TokenizerLoader
{
    public static Tokenizer Load(WeightSource source) => throw new ModelFormatException($"{source.Path}: no vocabulary");
}

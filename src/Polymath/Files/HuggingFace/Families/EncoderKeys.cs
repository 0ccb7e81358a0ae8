namespace Polymath.Files.HuggingFace.Families;

/// <summary>The settings that all encoders have.</summary>
internal static class EncoderKeys
{
    public static void Write(
        Translation model, int vocabulary, int context, int width, int layers, int inner, int heads, double normEpsilon)
    {
        model.SetSizes(vocabulary, context, width, layers, inner, heads, normEpsilon);
        model.Set("attention.causal", false);
        Pooling.Write(model);
        Prompts.Write(model);
    }
}

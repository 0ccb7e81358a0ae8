using Polymath.Files;
using Polymath.Text.HuggingFace;

namespace Polymath.Text;

/// <summary>Chooses the tokenizer that a model's settings name.</summary>
internal static class TokenizerLoader
{
    public static Tokenizer Load(WeightSource source) => source.TokenizerJsonPath is { } path
        ? TokenizerJson.Load(path, source.Metadata)
        : FromMetadata(source.Metadata, source.Path);

    public static Tokenizer FromMetadata(Metadata metadata, string name) =>
        metadata.GetString("tokenizer.ggml.model") switch
        {
            "gpt2" => ByteLevelBpe.Read(metadata, name),
            "llama" => SentencePieceBpe.Read(metadata, name),
            null => throw new ModelFormatException($"{name}: no vocabulary (tokenizer.ggml.model is missing)"),
            string other => throw new ModelFormatException($"{name}: vocabularies of kind '{other}' are not supported"),
        };
}

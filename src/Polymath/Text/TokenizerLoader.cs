using Polymath.Files;
using Polymath.Text.HuggingFace;

namespace Polymath.Text;

/// <summary>Chooses the tokenizer that a model's settings name.</summary>
internal static class TokenizerLoader
{
    public static Tokenizer Load(WeightSource source)
    {
        if (source.TokenizerJsonPath is { } path)
            return TokenizerJson.Load(path, source.Metadata);

        // A folder may have SentencePiece's own file alone.
        string model = Path.Combine(source.Path, "tokenizer.model");
        return source is HuggingFaceFolder && File.Exists(model)
            ? FromMetadata(SentencePieceModel.Load(model), model)
            : FromMetadata(source.Metadata, source.Path);
    }

    public static Tokenizer FromMetadata(Metadata metadata, string name) =>
        metadata.GetString("tokenizer.ggml.model") switch
        {
            "gpt2" or "gemma4" => ByteLevelBpe.Read(metadata, name),
            "llama" => SentencePieceBpe.Read(metadata, name),
            "t5" => Unigram.Read(metadata, name),
            "bert" => WordPiece.Read(metadata, name),
            "no_vocab" => throw new ModelFormatException($"{name}: no vocabulary; the file says that it has none"),
            null => throw new ModelFormatException($"{name}: no vocabulary (tokenizer.ggml.model is missing)"),
            string other => throw new ModelFormatException($"{name}: vocabularies of kind '{other}' are not supported; gpt2, llama, t5, bert and gemma4 are"),
        };
}

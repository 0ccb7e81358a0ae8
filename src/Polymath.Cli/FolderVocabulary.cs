using Polymath.Files;
using Polymath.Text.HuggingFace;

namespace Polymath.Cli;

/// <summary>The vocabulary of a Hugging Face folder, on its way into a GGUF file.</summary>
internal static class FolderVocabulary
{
    /// <summary>Puts the vocabulary under tokenizer.ggml.*; where that cannot be, says why, and the file says that it has none.</summary>
    public static void Write(WeightSource source, Metadata metadata, Terminal terminal)
    {
        if (source.TokenizerJsonPath is not { } path)
        {
            if (source is HuggingFaceFolder)
                metadata.Set("tokenizer.ggml.model", "no_vocab");
            return;
        }

        try
        {
            TensorInfo? embedding = source.Tensors.FirstOrDefault(tensor => tensor.Name == "token_embd.weight");
            if (embedding is null || embedding.Dimensions.Count != 2 || embedding.Dimensions[1] > int.MaxValue)
                throw new ModelFormatException($"{source.Path}: no embedding of tokens");
            GgufVocabulary.Write(path, metadata, (int)embedding.Dimensions[1]);
        }
        catch (ModelFormatException e)
        {
            metadata.Set("tokenizer.ggml.model", "no_vocab");
            terminal.Error.WriteLine($"polymath: the new file has no vocabulary: {e.Message}");
        }
    }
}

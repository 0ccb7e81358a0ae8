using Polymath.Files;

namespace Polymath.Text;

/// <summary>
/// A byte-level BPE vocabulary: the 256 bytes first, then what the merges make in the order they were learnt, then the
/// special tokens.
/// </summary>
public sealed class LearnedVocabulary
{
    /// <summary>The one special token of our models: it begins a text and ends it.</summary>
    public const string EndOfText = "<|endoftext|>";

    internal LearnedVocabulary(string[] tokens, string[] merges)
    {
        Tokens = tokens;
        Merges = merges;
        EndOfTextId = tokens.Length - 1;
    }

    /// <summary>Token texts by id, bytes written in GPT-2's alphabet.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>Pairs "left right" in the order in which they join.</summary>
    public IReadOnlyList<string> Merges { get; }

    /// <summary>Id of <see cref="EndOfText"/>.</summary>
    public int EndOfTextId { get; }

    /// <summary>Puts the vocabulary under the tokenizer.ggml.* keys.</summary>
    public void WriteTo(Metadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var kinds = new int[Tokens.Count];
        Array.Fill(kinds, (int)TokenKind.Normal);
        kinds[EndOfTextId] = (int)TokenKind.Control;
        metadata.Set("tokenizer.ggml.model", "gpt2");
        metadata.Set("tokenizer.ggml.pre", "gpt-2");
        metadata.Set("tokenizer.ggml.tokens", Tokens.ToArray());
        metadata.Set("tokenizer.ggml.token_type", kinds);
        metadata.Set("tokenizer.ggml.merges", Merges.ToArray());
        metadata.Set("tokenizer.ggml.bos_token_id", (uint)EndOfTextId);
        metadata.Set("tokenizer.ggml.eos_token_id", (uint)EndOfTextId);
        metadata.Set("tokenizer.ggml.add_bos_token", true);
        metadata.Set("tokenizer.ggml.add_eos_token", false);
    }

    /// <summary>The tokenizer over this vocabulary.</summary>
    public Tokenizer ToTokenizer()
    {
        var metadata = new Metadata();
        WriteTo(metadata);
        return Tokenizer.FromMetadata(metadata, "learnt vocabulary");
    }
}

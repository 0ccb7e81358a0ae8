using System.Text.Json;
using Polymath.Files;

namespace Polymath.Text.HuggingFace;

/// <summary>The vocabulary of a Hugging Face folder under the tokenizer.ggml.* keys of a GGUF file.</summary>
public static class GgufVocabulary
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Score of a token that no merge makes: such are joined last, if ever.</summary>
    private const float Unmerged = -1e6f;

    /// <summary>Sets the keys; nothing is set when the vocabulary cannot be said in a GGUF file.</summary>
    /// <param name="tokenizerJson">Path of tokenizer.json; tokenizer_config.json is looked for beside it.</param>
    /// <param name="metadata">Settings of the model, whose begin and end ids count where the files name none; gets the keys.</param>
    /// <param name="rows">Rows of the embedding: ids up to there get unused tokens, tokens beyond are left out.</param>
    /// <exception cref="ModelFormatException">Damaged, not supported, or with steps that GGUF files have no name for.</exception>
    public static void Write(string tokenizerJson, Metadata metadata, int rows)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        Write(TokenizerJson.ReadAll(tokenizerJson), TokenizerJson.ReadConfigBeside(tokenizerJson), tokenizerJson, metadata, rows);
    }

    /// <summary>The same from the contents of the files.</summary>
    internal static void Write(byte[] json, byte[]? config, string file, Metadata metadata, int rows)
    {
        JsonValue root = JsonValue.Parse(json, file, out JsonDocument document);
        using (document)
        {
            JsonValue model = root.Get("model");
            TextSteps steps = TextSteps.Read(root);
            Vocabulary vocabulary = TokenizerJson.ReadVocabulary(root, config, file, metadata);
            var keys = new Metadata();
            string type = model.Find("type")?.Text() ?? "BPE";
            switch (type)
            {
                case "BPE" when steps.ByteLevel:
                    WriteByteLevel(keys, model, steps);
                    break;
                case "BPE":
                    WriteSentencePiece(keys, model, steps, vocabulary, rows);
                    break;
                case "Unigram":
                    WriteUnigram(keys, model, steps, vocabulary, rows);
                    break;
                case "WordPiece":
                    WriteWordPiece(keys, steps, vocabulary);
                    break;
                default:
                    throw new ModelFormatException($"{file}: the tokenizer model {type} is not supported");
            }

            WriteTokens(keys, vocabulary, rows);
            WriteIds(keys, vocabulary);
            foreach ((string key, MetadataValue value) in keys)
                metadata.Set(key, value);
        }
    }

    private static void WriteByteLevel(Metadata keys, JsonValue model, TextSteps steps)
    {
        string? pre = steps.SpaceInFront ? null : KnownPatterns.GgufName(steps.Keys, model.Flag("ignore_merges", false));
        keys.Set(Prefix + "model", "gpt2");
        keys.Set(Prefix + "pre", pre ?? throw NoName(model, steps));
        keys.Set(Prefix + "merges", TokenizerJson.ReadMerges(model.Get("merges")).Select(merge => $"{merge.Left} {merge.Right}").ToArray());
    }

    /// <summary>The score of a token is the place of the first merge that makes it.</summary>
    private static void WriteSentencePiece(Metadata keys, JsonValue model, TextSteps steps, Vocabulary vocabulary, int rows)
    {
        if (steps.Normalizer.Function is not null || steps.Splitter is not null || steps.CutsAtSpaces || !steps.WritesSpaces)
            throw NoName(model, steps);
        var scores = new float[rows];
        Array.Fill(scores, Unmerged);
        (string Left, string Right)[] merges = TokenizerJson.ReadMerges(model.Get("merges"));
        for (int i = merges.Length - 1; i >= 0; i--)
        {
            if (vocabulary.Ids.TryGetValue(merges[i].Left + merges[i].Right, out int id) && id < rows)
                scores[id] = -i;
        }

        // Runs of spaces that were added as tokens come about by merges in such a file; looked for as they stand they would win.
        for (int id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kinds[id] == TokenKind.UserDefined && vocabulary.Texts[id].Contains('\u2581', StringComparison.Ordinal))
                vocabulary.Kinds[id] = TokenKind.Normal;
        }

        keys.Set(Prefix + "model", "llama");
        keys.Set(Prefix + "pre", "default");
        keys.Set(Prefix + "scores", scores);
        keys.Set(Prefix + "add_space_prefix", steps.Prefix != MetaspaceBpe.SpacePrefix.None);
    }

    private static void WriteUnigram(Metadata keys, JsonValue model, TextSteps steps, Vocabulary vocabulary, int rows)
    {
        if (steps.ByteLevel || !steps.WritesSpaces)
            throw NoName(model, steps);
        var scores = new float[rows];
        double[] known = JsonVocabulary.Scores(model, vocabulary);
        for (int id = 0; id < Math.Min(rows, known.Length); id++)
            scores[id] = (float)known[id];
        keys.Set(Prefix + "model", "t5");
        keys.Set(Prefix + "pre", "default");
        keys.Set(Prefix + "scores", scores);
        keys.Set(Prefix + "add_space_prefix", steps.Prefix != MetaspaceBpe.SpacePrefix.None);
        keys.Set(Prefix + "remove_extra_whitespaces", steps.DropsSpaces || steps.CutsAtSpaces);
        if (steps.Normalizer.CharacterMap is { Length: > 0 } map)
            keys.Set(Prefix + "precompiled_charsmap", map);
    }

    private static void WriteWordPiece(Metadata keys, TextSteps steps, Vocabulary vocabulary)
    {
        keys.Set(Prefix + "model", "bert");
        keys.Set(Prefix + "pre", "default");
        (bool lowercase, bool strip) = steps.Normalizer.Bert ?? (false, false);
        keys.Set(Prefix + "normalizer.lowercase", lowercase);
        keys.Set(Prefix + "normalizer.strip_accents", strip);
        if (vocabulary.EndId is { } separator)
            keys.Set(Prefix + "seperator_token_id", (uint)separator);
    }

    private static void WriteTokens(Metadata keys, Vocabulary vocabulary, int rows)
    {
        var texts = new string[rows];
        var kinds = new int[rows];
        for (int id = 0; id < rows; id++)
        {
            bool there = id < vocabulary.Count;
            texts[id] = there ? vocabulary.Texts[id] : $"[PAD{id}]";
            kinds[id] = (int)(there ? vocabulary.Kinds[id] : TokenKind.Unused);
        }

        keys.Set(Prefix + "tokens", texts);
        keys.Set(Prefix + "token_type", kinds);
    }

    private static void WriteIds(Metadata keys, Vocabulary vocabulary)
    {
        void Set(string key, int? id)
        {
            if (id is { } known)
                keys.Set(Prefix + key, (uint)known);
        }

        Set("bos_token_id", vocabulary.BeginId);
        Set("eos_token_id", vocabulary.EndId);
        Set("unknown_token_id", vocabulary.UnknownId);
        Set("padding_token_id", vocabulary.PadId);
        Set("mask_token_id", vocabulary.MaskId);
        keys.Set(Prefix + "add_bos_token", vocabulary.AddsBegin);
        keys.Set(Prefix + "add_eos_token", vocabulary.AddsEnd);
    }

    private static ModelFormatException NoName(JsonValue model, TextSteps steps) => new(
        $"{model.File}: GGUF files have no name for its normalizer and its pre-tokenizers [{steps.Keys}] together");
}

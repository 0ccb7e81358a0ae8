using System.Text.Json;
using Polymath.Files;
using Polymath.Text.PreTokenizers;

namespace Polymath.Text.HuggingFace;

/// <summary>Reads a Hugging Face tokenizer.json and the tokenizer_config.json beside it.</summary>
internal static class TokenizerJson
{
    private const long MostBytes = 256 << 20;

    /// <summary>Reads the file at <paramref name="path"/>.</summary>
    /// <param name="path">tokenizer.json; a tokenizer_config.json beside it is read too.</param>
    /// <param name="settings">Settings of the model, whose begin and end ids count where the two files name none.</param>
    /// <exception cref="ModelFormatException">Damaged, too large, or of a kind not supported.</exception>
    public static Tokenizer Load(string path, Metadata? settings = null)
    {
        return Parse(ReadAll(path), ReadConfigBeside(path), path, settings);
    }

    /// <summary>The tokenizer_config.json beside a tokenizer.json, or null.</summary>
    public static byte[]? ReadConfigBeside(string path)
    {
        string config = Path.Combine(Path.GetDirectoryName(path) ?? "", "tokenizer_config.json");
        return File.Exists(config) ? ReadAll(config) : null;
    }

    /// <summary>The tokens, what goes around a text, and the ids that the settings beside it name.</summary>
    public static Vocabulary ReadVocabulary(JsonValue root, byte[]? config, string file, Metadata? settings)
    {
        Vocabulary vocabulary = JsonVocabulary.Read(root, root.Get("model"));
        PostProcessing.Read(root, vocabulary);
        if (config is not null)
            ReadConfig(config, file, vocabulary);
        if (settings is not null)
            ReadSettings(settings, vocabulary);
        return vocabulary;
    }

    /// <summary>Reads the contents of the two files.</summary>
    /// <param name="json">tokenizer.json in UTF-8.</param>
    /// <param name="config">tokenizer_config.json in UTF-8, or null.</param>
    /// <param name="file">Name of the first for messages.</param>
    /// <param name="settings">Settings of the model.</param>
    /// <exception cref="ModelFormatException">Damaged, or of a kind not supported.</exception>
    public static Tokenizer Parse(byte[] json, byte[]? config, string file, Metadata? settings = null)
    {
        JsonValue root = JsonValue.Parse(json, file, out JsonDocument document);
        using (document)
        {
            JsonValue model = root.Get("model");
            TextSteps steps = TextSteps.Read(root);
            Vocabulary vocabulary = ReadVocabulary(root, config, file, settings);
            return (model.Find("type")?.Text() ?? "BPE") switch
            {
                "BPE" => MakeBpe(model, steps, vocabulary),
                "Unigram" => MakeUnigram(model, steps, vocabulary),
                "WordPiece" => MakeWordPiece(model, steps, vocabulary),
                string other => throw new ModelFormatException(
                    $"{file}: the tokenizer model {other} is not supported; BPE, Unigram and WordPiece are"),
            };
        }
    }

    private static Tokenizer MakeBpe(JsonValue model, TextSteps steps, Vocabulary vocabulary)
    {
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Find(affix) is { } found && found.Text().Length > 0)
                throw new ModelFormatException($"{model.File}: {found.Place} is not supported");
        }

        (string, string)[] merges = ReadMerges(model.Get("merges"));
        if (steps.ByteLevel && steps.Splitter is { } splitter && !steps.DropsSpaces && !steps.WritesSpaces)
        {
            var entry = new PreTokenizerEntry(splitter)
            {
                WholeTokensFirst = model.Flag("ignore_merges", false),
                SpaceInFront = steps.SpaceInFront,
            };
            return new ByteLevelBpe(vocabulary, merges, entry, steps.Normalizer.Function);
        }

        if (steps.ByteLevel || steps.Splitter is not null || !steps.WritesSpaces)
        {
            throw new ModelFormatException($"{model.File}: BPE with the pre-tokenizers [{steps.Keys}] is not supported; "
                + "ByteLevel without dropped spaces is, and U+2581 for spaces without others");
        }

        MetaspaceBpe.MetaspaceCuts cuts = steps.CutsAtSpaces ? MetaspaceBpe.MetaspaceCuts.Spaces : MetaspaceBpe.MetaspaceCuts.None;
        return new RankedBpe(
            vocabulary, merges, steps.Prefix, model.Flag("fuse_unk", false), cuts, steps.Normalizer.Function);
    }

    private static Unigram MakeUnigram(JsonValue model, TextSteps steps, Vocabulary vocabulary)
    {
        if (steps.ByteLevel || !steps.WritesSpaces)
            throw new ModelFormatException($"{model.File}: Unigram without U+2581 for spaces is not supported");
        return new Unigram(vocabulary, JsonVocabulary.Scores(model, vocabulary), new UnigramSteps
        {
            Normalizer = steps.Normalizer.Function,
            Splitter = steps.Splitter,
            DropsSpaces = steps.DropsSpaces,
            Prefix = steps.Prefix,
            CutsAtSpaces = steps.CutsAtSpaces,
            BytesForUnknown = model.Flag("byte_fallback", false),
            WorstOfAll = true,
        });
    }

    private static WordPiece MakeWordPiece(JsonValue model, TextSteps steps, Vocabulary vocabulary)
    {
        if (steps.ByteLevel || steps.WritesSpaces || !steps.DropsSpaces || steps.Splitter is not { } splitter)
            throw new ModelFormatException($"{model.File}: WordPiece with the pre-tokenizers [{steps.Keys}] is not supported");
        int most = model.Find("max_input_chars_per_word")?.Integer() ?? 100;
        return new WordPiece(vocabulary, splitter, most, steps.Normalizer.Function);
    }

    /// <summary>All bytes of a file of bounded size, without a byte order mark.</summary>
    public static byte[] ReadAll(string path)
    {
        using FileStream stream = File.OpenRead(path);
        if (stream.Length > MostBytes)
            throw new ModelFormatException($"{path}: {stream.Length} bytes; {MostBytes} are allowed");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        // A byte order mark is no JSON, but editors write it.
        return bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes[3..] : bytes;
    }

    /// <summary>The merges of a BPE model, as lines or as pairs.</summary>
    public static (string Left, string Right)[] ReadMerges(JsonValue merges)
    {
        var pairs = new (string, string)[merges.Count()];
        int count = 0;
        foreach (JsonValue merge in merges.Items())
        {
            if (merge.IsText)
            {
                pairs[count++] = MergeList.Parse(merge.Text(), merge.File, merge.Place);
                continue;
            }

            if (merge.Count() != 2)
                throw merge.Wrong("a pair");
            JsonElement pair = merge.Element;
            string left = (merge with { Element = pair[0] }).Text();
            string right = (merge with { Element = pair[1] }).Text();
            if (left.Length == 0 || right.Length == 0)
                throw merge.Wrong("a pair of tokens");
            pairs[count++] = (left, right);
        }

        return pairs;
    }

    private static void ReadConfig(byte[] json, string file, Vocabulary vocabulary)
    {
        string name = Path.Combine(Path.GetDirectoryName(file) ?? "", "tokenizer_config.json");
        JsonValue root = JsonValue.Parse(json, name, out JsonDocument document);
        using (document)
        {
            vocabulary.BeginId = TokenId(root, "bos_token", vocabulary) ?? vocabulary.BeginId;
            vocabulary.EndId = TokenId(root, "eos_token", vocabulary) ?? vocabulary.EndId;
            vocabulary.PadId = TokenId(root, "pad_token", vocabulary);
            vocabulary.MaskId = TokenId(root, "mask_token", vocabulary);
            vocabulary.AddsBegin = root.Flag("add_bos_token", vocabulary.AddsBegin) && vocabulary.BeginId is not null;
            vocabulary.AddsEnd = root.Flag("add_eos_token", vocabulary.AddsEnd) && vocabulary.EndId is not null;
            vocabulary.MarkEnd(vocabulary.EndId);
        }
    }

    private static void ReadSettings(Metadata settings, Vocabulary vocabulary)
    {
        vocabulary.BeginId ??= Vocabulary.ReadId(settings, vocabulary, "bos_token_id", null);
        int? end = Vocabulary.ReadId(settings, vocabulary, "eos_token_id", null);
        vocabulary.EndId ??= end;
        vocabulary.MarkEnd(end);
    }

    /// <summary>Id of a token that the settings name as text, or as an object with its content.</summary>
    private static int? TokenId(JsonValue root, string name, Vocabulary vocabulary)
    {
        if (root.Find(name) is not { } token)
            return null;
        string text = token.IsText ? token.Text() : token.Get("content").Text();
        return vocabulary.Ids.TryGetValue(text, out int id)
            ? id
            : throw new ModelFormatException($"{root.File}: {name} is no token of the vocabulary");
    }
}

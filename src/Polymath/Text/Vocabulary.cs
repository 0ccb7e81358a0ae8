using Polymath.Files;

namespace Polymath.Text;

/// <summary>What a token is for, numbered as tokenizer.ggml.token_type.</summary>
internal enum TokenKind : byte
{
    Undefined = 0,
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>How a token that is written in a text is found there.</summary>
[Flags]
internal enum AddedTraits : byte
{
    None = 0,

    /// <summary>Takes the spaces before it.</summary>
    TakesLeft = 1,

    /// <summary>Takes the spaces behind it.</summary>
    TakesRight = 2,

    /// <summary>Only where no letter, digit or underscore is beside it.</summary>
    SingleWord = 4,

    /// <summary>Looked for in the text as the normalizer changes it.</summary>
    Normalized = 8,
}

/// <summary>The tokens of a model as its file lists them, checked, before any encoding is chosen.</summary>
internal sealed class Vocabulary
{
    /// <summary>Longest text of a token that is searched for in a text as it stands; bounds the work per character.</summary>
    public const int LongestSpecial = 1024;

    private const int MostTokens = 1 << 24;

    /// <summary>Texts that end a generation in the models in use, whatever their file says.</summary>
    private static readonly HashSet<string> KnownEnds = new(StringComparer.Ordinal)
    {
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>", "</s>",
        "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>", "<eos>",
        "<｜end▁of▁sentence｜>", "<|flush|>", "<|calls|>", "<turn|>", "<|tool_response>", "[e~[",
    };

    private readonly bool[] _ends;

    /// <summary>Takes the tables over; they must not change afterwards.</summary>
    /// <exception cref="ModelFormatException">Empty, too large, of different lengths, or with two tokens of one text.</exception>
    public Vocabulary(string name, string[] texts, TokenKind[] kinds)
    {
        if (texts.Length is 0 or > MostTokens)
            throw new ModelFormatException($"{name}: {texts.Length} tokens; 1 to {MostTokens} are allowed");
        if (kinds.Length != texts.Length)
            throw new ModelFormatException($"{name}: {kinds.Length} token types for {texts.Length} tokens");
        Name = name;
        Texts = texts;
        Kinds = kinds;
        _ends = new bool[texts.Length];
        var ids = new Dictionary<string, int>(texts.Length, StringComparer.Ordinal);
        for (int id = 0; id < texts.Length; id++)
        {
            if (texts[id].Length == 0)
                texts[id] = $"[EMPTY_{id}]";
            if (!ids.TryAdd(texts[id], id))
                throw new ModelFormatException($"{name}: tokens {ids[texts[id]]} and {id} have the same text");
        }

        Ids = ids;
    }

    /// <summary>File or folder the vocabulary came from, for messages.</summary>
    public string Name { get; }

    /// <summary>Token texts by id.</summary>
    public string[] Texts { get; }

    /// <summary>Token kinds by id.</summary>
    public TokenKind[] Kinds { get; }

    /// <summary>Ids by text; needed while a tokenizer is built.</summary>
    public Dictionary<string, int> Ids { get; }

    /// <summary>How some tokens that are written in a text are found there; most have no entry.</summary>
    public Dictionary<int, AddedTraits> Traits { get; } = [];

    /// <summary>Number of tokens.</summary>
    public int Count => Texts.Length;

    public int? BeginId { get; set; }

    public int? EndId { get; set; }

    public int? UnknownId { get; set; }

    public int? PadId { get; set; }

    public int? MaskId { get; set; }

    public bool AddsBegin { get; set; }

    public bool AddsEnd { get; set; }

    /// <summary>True for control and unknown tokens: no text of their own.</summary>
    public bool IsSpecial(int id) => Kinds[id] is TokenKind.Control or TokenKind.Unknown;

    /// <summary>True for tokens that end a generation.</summary>
    public bool IsEnd(int id) => _ends[id];

    /// <summary>Makes a token end generations; nothing happens for null.</summary>
    public void MarkEnd(int? id)
    {
        if (id is { } known)
            _ends[known] = true;
    }

    /// <summary>Makes tokens with well-known texts control tokens that end generations.</summary>
    /// <param name="ofAnyKind">Also those that are not control tokens in the file: converters often mark them wrongly.</param>
    public void MarkKnownEnds(bool ofAnyKind)
    {
        foreach (string text in KnownEnds)
        {
            if (!Ids.TryGetValue(text, out int id) || !(ofAnyKind || Kinds[id] == TokenKind.Control))
                continue;
            _ends[id] = true;
            Kinds[id] = TokenKind.Control;
        }

        // Where a message may end in a call or a return, <|end|> only ends one of several messages of an answer.
        bool messages = (Ends("<|return|>") && Ends("<|call|>")) || (Ends("<|calls|>") && Ends("<|flush|>"));
        if (messages && Ends("<|end|>"))
            _ends[Ids["<|end|>"]] = false;
        if (Ends("<|tool_response>") && Ends("</s>"))
            _ends[Ids["</s>"]] = false;
    }

    private bool Ends(string text) => Ids.TryGetValue(text, out int id) && _ends[id];

    /// <summary>Fails when a begin or end id is to be added but is not known.</summary>
    public void CheckAdded()
    {
        if (AddsBegin && BeginId is null)
            throw new ModelFormatException($"{Name}: add_bos_token is true, but there is no bos_token_id");
        if (AddsEnd && EndId is null)
            throw new ModelFormatException($"{Name}: add_eos_token is true, but there is no eos_token_id");
    }

    /// <summary>Reads the tables and ids under tokenizer.ggml.*; the encoding's own keys are left to it.</summary>
    /// <param name="metadata">Settings of the model.</param>
    /// <param name="name">File, for messages.</param>
    /// <param name="defaults">Begin, end and unknown id where the file names none; ignored when out of range.</param>
    public static Vocabulary FromMetadata(Metadata metadata, string name, (int? Begin, int? End, int? Unknown) defaults)
    {
        string[] texts = metadata.GetArray<string>("tokenizer.ggml.tokens")
            ?? throw new ModelFormatException($"{name}: tokenizer.ggml.tokens is missing");
        var vocabulary = new Vocabulary(name, (string[])texts.Clone(), ReadKinds(metadata, name, texts.Length));
        int? Id(string key, int? fallback) => ReadId(metadata, vocabulary, key, fallback);
        vocabulary.BeginId = Id("bos_token_id", defaults.Begin);
        vocabulary.EndId = Id("eos_token_id", defaults.End);
        vocabulary.UnknownId = Id("unknown_token_id", defaults.Unknown);
        vocabulary.MarkKnownEnds(ofAnyKind: true);
        vocabulary.MarkEnd(vocabulary.EndId);
        vocabulary.MarkEnd(Id("eot_token_id", null));
        vocabulary.MarkEnd(Id("eom_token_id", null));
        vocabulary.MarkTraits(metadata);
        return vocabulary;
    }

    /// <summary>The few models whose GGUF files say nothing of it, known by their names.</summary>
    private void MarkTraits(Metadata metadata)
    {
        string model = metadata.GetString("general.name", "");
        string pre = metadata.GetString("tokenizer.ggml.pre", "");
        string architecture = metadata.GetString("general.architecture", "");
        if (pre is "jina-v2-de" or "jina-v2-es" or "jina-v2-code" || architecture is "nomic-bert-moe" or "jina-bert-v3")
        {
            if (Ids.TryGetValue("<mask>", out int mask))
                Traits[mask] = AddedTraits.TakesLeft;
        }
        else if (model.Contains("phi-3", StringComparison.OrdinalIgnoreCase) || model.Contains("phi3", StringComparison.OrdinalIgnoreCase))
        {
            for (int id = 0; id < Count; id++)
            {
                if (Kinds[id] is TokenKind.Control or TokenKind.UserDefined && Texts[id] is not ("<s>" or "<|endoftext|>"))
                    Traits[id] = AddedTraits.TakesRight;
            }
        }
        else if (model.Contains("modern-bert", StringComparison.OrdinalIgnoreCase) && Ids.TryGetValue("[MASK]", out int mask))
        {
            Traits[mask] = AddedTraits.TakesLeft;
        }
    }

    private static TokenKind[] ReadKinds(Metadata metadata, string name, int count)
    {
        const string Key = "tokenizer.ggml.token_type";
        var kinds = new TokenKind[count];
        Array.Fill(kinds, TokenKind.Normal);
        if (!metadata.Contains(Key))
            return kinds;
        int[] stored = metadata.GetArray<int>(Key)!;
        if (stored.Length != count)
            throw new ModelFormatException($"{name}: {Key} has {stored.Length} entries for {count} tokens");
        for (int i = 0; i < count; i++)
            kinds[i] = stored[i] is >= 0 and <= (int)TokenKind.Byte ? (TokenKind)stored[i] : TokenKind.Undefined;
        return kinds;
    }

    /// <summary>An id from the file; -1 and 2^32 - 1 mean none, as some converters write.</summary>
    public static int? ReadId(Metadata metadata, Vocabulary vocabulary, string key, int? fallback)
    {
        key = "tokenizer.ggml." + key;
        int? usable = fallback < vocabulary.Count ? fallback : null;
        if (!metadata.TryGet(key, out MetadataValue? value))
            return usable;
        if (value.Value is uint.MaxValue or -1 or -1L or ulong.MaxValue)
            return usable;
        int id = metadata.GetInt32(key);
        return id >= 0 && id < vocabulary.Count
            ? id
            : throw new ModelFormatException($"{vocabulary.Name}: {key} is {id}, but there are {vocabulary.Count} tokens");
    }
}

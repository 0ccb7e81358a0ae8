using System.Text.Json;
using Polymath.Files;

namespace Polymath.Text.HuggingFace;

/// <summary>The tokens of a tokenizer.json: the model's vocabulary and the tokens added to it.</summary>
internal static class JsonVocabulary
{
    /// <summary>Reads both, puts them by id, and gives each its kind.</summary>
    /// <exception cref="ModelFormatException">Ids out of range, given twice, or with more gaps than tokens.</exception>
    public static Vocabulary Read(JsonValue root, JsonValue model)
    {
        var texts = new Dictionary<int, string>();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        JsonValue vocab = model.Get("vocab");
        if (model.Find("type")?.Text() != "Unigram")
        {
            foreach ((string text, JsonValue id) in vocab.Members())
                Add(texts, ids, id.Integer(), text, id);
        }
        else
        {
            int next = 0;
            foreach (JsonValue pair in vocab.Items())
                Add(texts, ids, next++, Part(pair, 0).Text(), pair);
        }

        var added = new List<(int Id, bool Special, AddedTraits Traits)>();
        if (root.Find("added_tokens") is { } list)
        {
            foreach (JsonValue token in list.Items())
            {
                JsonValue id = token.Get("id");
                string text = token.Get("content").Text();
                if (!(ids.TryGetValue(text, out int known) && known == id.Integer()))
                    Add(texts, ids, id.Integer(), text, id);
                bool special = token.Flag("special", false);
                added.Add((id.Integer(), special, TraitsOf(token, special)));
            }
        }

        (string[] byId, TokenKind[] kinds) = ById(texts, root.File);
        foreach ((int id, bool special, _) in added)
            kinds[id] = special ? TokenKind.Control : TokenKind.UserDefined;
        if (model.Flag("byte_fallback", false))
            MarkBytes(byId, kinds);
        if (model.Find("type")?.Text() == "WordPiece")
            WriteWordStarts(model, byId, kinds);
        var vocabulary = new Vocabulary(root.File, byId, kinds);
        foreach ((int id, _, AddedTraits traits) in added)
        {
            if (traits != AddedTraits.None)
                vocabulary.Traits[id] = traits;
        }

        vocabulary.MarkKnownEnds(ofAnyKind: false);
        MarkUnknown(model, vocabulary);
        return vocabulary;
    }

    /// <summary>[V] scores of a unigram model; 0 for tokens that were added to it.</summary>
    public static double[] Scores(JsonValue model, Vocabulary vocabulary)
    {
        var scores = new double[vocabulary.Count];
        int id = 0;
        foreach (JsonValue pair in model.Get("vocab").Items())
        {
            JsonValue score = Part(pair, 1);
            scores[id++] = score.Element.ValueKind == JsonValueKind.Number && score.Element.TryGetDouble(out double value) && double.IsFinite(value)
                ? value
                : throw score.Wrong("a number");
        }

        return scores;
    }

    private static JsonValue Part(JsonValue pair, int index) => pair.Count() == 2 ? pair with { Element = pair.Element[index] }
        : throw pair.Wrong("a pair");

    private static AddedTraits TraitsOf(JsonValue token, bool special) =>
        (token.Flag("lstrip", false) ? AddedTraits.TakesLeft : AddedTraits.None)
        | (token.Flag("rstrip", false) ? AddedTraits.TakesRight : AddedTraits.None)
        | (token.Flag("single_word", false) ? AddedTraits.SingleWord : AddedTraits.None)
        | (token.Flag("normalized", !special) ? AddedTraits.Normalized : AddedTraits.None);

    /// <summary>Writes words as GGUF files do: U+2581 in front of what starts one, nothing in front of what goes on.</summary>
    private static void WriteWordStarts(JsonValue model, string[] texts, TokenKind[] kinds)
    {
        string prefix = model.Find("continuing_subword_prefix")?.Text() ?? "##";
        string unknown = model.Get("unk_token").Text();
        for (int id = 0; id < texts.Length; id++)
        {
            if (kinds[id] != TokenKind.Normal || texts[id] == unknown)
                continue;
            bool goesOn = texts[id].Length > prefix.Length && texts[id].StartsWith(prefix, StringComparison.Ordinal);
            texts[id] = goesOn ? texts[id][prefix.Length..] : "\u2581" + texts[id];
        }
    }

    private static void Add(Dictionary<int, string> texts, Dictionary<string, int> ids, int id, string text, JsonValue place)
    {
        if (id < 0)
            throw new ModelFormatException($"{place.File}: {place.Place}: the id {id} is negative");
        if (!ids.TryAdd(text, id) || !texts.TryAdd(id, text))
            throw new ModelFormatException($"{place.File}: {place.Place}: the id {id} or its text is given twice");
    }

    /// <summary>Tokens in order; the few ids that some files leave out become unused tokens.</summary>
    private static (string[] Texts, TokenKind[] Kinds) ById(Dictionary<int, string> texts, string file)
    {
        int highest = texts.Count == 0 ? throw new ModelFormatException($"{file}: no tokens") : texts.Keys.Max();
        if (highest >= (2L * texts.Count) + 1024)
            throw new ModelFormatException($"{file}: the highest id is {highest}, but there are {texts.Count} tokens");
        var byId = new string[highest + 1];
        var kinds = new TokenKind[byId.Length];
        for (int id = 0; id < byId.Length; id++)
        {
            bool there = texts.TryGetValue(id, out string? text);
            byId[id] = there ? text! : $"[UNUSED_{id}]";
            kinds[id] = there ? TokenKind.Normal : TokenKind.Unused;
        }

        return (byId, kinds);
    }

    private static void MarkBytes(string[] texts, TokenKind[] kinds)
    {
        for (int id = 0; id < texts.Length; id++)
        {
            if (kinds[id] == TokenKind.Normal && MetaspaceBpe.IsByteText(texts[id]))
                kinds[id] = TokenKind.Byte;
        }
    }

    private static void MarkUnknown(JsonValue model, Vocabulary vocabulary)
    {
        if (model.Find("unk_id") is { } index)
        {
            int number = index.Integer();
            vocabulary.UnknownId = number >= 0 && number < vocabulary.Count ? number
                : throw new ModelFormatException($"{model.File}: {index.Place} is no token of the vocabulary");
            return;
        }

        if (model.Find("unk_token") is not { } unknown)
            return;
        if (!vocabulary.Ids.TryGetValue(unknown.Text(), out int id))
            throw new ModelFormatException($"{model.File}: {unknown.Place} is no token of the vocabulary");
        vocabulary.UnknownId = id;
        if (vocabulary.Kinds[id] == TokenKind.Normal)
            vocabulary.Kinds[id] = TokenKind.Unknown;
    }
}

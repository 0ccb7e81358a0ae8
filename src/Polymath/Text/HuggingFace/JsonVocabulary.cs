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
        foreach ((string text, JsonValue id) in model.Get("vocab").Members())
            Add(texts, ids, id.Integer(), text, id);

        var added = new List<(int Id, bool Special)>();
        if (root.Find("added_tokens") is { } list)
        {
            foreach (JsonValue token in list.Items())
            {
                JsonValue id = token.Get("id");
                string text = token.Get("content").Text();
                if (!(ids.TryGetValue(text, out int known) && known == id.Integer()))
                    Add(texts, ids, id.Integer(), text, id);
                added.Add((id.Integer(), token.Flag("special", false)));
            }
        }

        (string[] byId, TokenKind[] kinds) = ById(texts, root.File);
        foreach ((int id, bool special) in added)
            kinds[id] = special ? TokenKind.Control : TokenKind.UserDefined;
        if (model.Flag("byte_fallback", false))
            MarkBytes(byId, kinds);
        var vocabulary = new Vocabulary(root.File, byId, kinds);
        vocabulary.MarkKnownEnds(ofAnyKind: false);
        MarkUnknown(model, vocabulary);
        return vocabulary;
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
        if (model.Find("unk_token") is not { } unknown)
            return;
        if (!vocabulary.Ids.TryGetValue(unknown.Text(), out int id))
            throw new ModelFormatException($"{model.File}: {unknown.Place} is no token of the vocabulary");
        vocabulary.UnknownId = id;
        if (vocabulary.Kinds[id] == TokenKind.Normal)
            vocabulary.Kinds[id] = TokenKind.Unknown;
    }
}

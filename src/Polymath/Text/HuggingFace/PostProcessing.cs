using Polymath.Files;

namespace Polymath.Text.HuggingFace;

/// <summary>What a tokenizer.json puts around the ids of a text: at most one token before and one behind.</summary>
internal static class PostProcessing
{
    /// <summary>Sets the begin and end ids that the file adds.</summary>
    /// <exception cref="ModelFormatException">A processor or a template that is not known.</exception>
    public static void Read(JsonValue root, Vocabulary vocabulary)
    {
        if (root.Find("post_processor") is { } processor)
            Add(processor, vocabulary);
    }

    private static void Add(JsonValue step, Vocabulary vocabulary)
    {
        string type = step.Get("type").Text();
        switch (type)
        {
            case "Sequence":
                foreach (JsonValue inner in step.Get("processors").Items())
                    Add(inner, vocabulary);
                break;
            case "ByteLevel": // changes offsets only
                break;
            case "TemplateProcessing":
                AddTemplate(step, vocabulary);
                break;
            case "BertProcessing" or "RobertaProcessing":
                (vocabulary.BeginId, vocabulary.AddsBegin) = (Token(step.Get("cls"), vocabulary), true);
                (vocabulary.EndId, vocabulary.AddsEnd) = (Token(step.Get("sep"), vocabulary), true);
                break;
            default:
                throw new ModelFormatException($"{step.File}: the post-processor {type} at {step.Place} is not supported");
        }
    }

    /// <summary>The id of a pair of a token's text and its id.</summary>
    private static int Token(JsonValue pair, Vocabulary vocabulary)
    {
        JsonValue text = pair.Count() == 2 ? pair with { Element = pair.Element[0] } : throw pair.Wrong("a pair");
        return vocabulary.Ids.TryGetValue(text.Text(), out int id) ? id
            : throw new ModelFormatException($"{pair.File}: {pair.Place} is no token of the vocabulary");
    }

    private static void AddTemplate(JsonValue template, Vocabulary vocabulary)
    {
        bool behind = false;
        foreach (JsonValue part in template.Get("single").Items())
        {
            if (part.Find("Sequence") is not null)
            {
                if (behind)
                    throw part.Wrong("in a template of one text");
                behind = true;
                continue;
            }

            JsonValue name = part.Get("SpecialToken").Get("id");
            if (!vocabulary.Ids.TryGetValue(name.Text(), out int id))
                throw new ModelFormatException($"{template.File}: {name.Place} is no token of the vocabulary");
            if (behind ? vocabulary.AddsEnd : vocabulary.AddsBegin)
                throw new ModelFormatException($"{template.File}: {template.Place} adds more than one token on one side");
            if (behind)
                (vocabulary.EndId, vocabulary.AddsEnd) = (id, true);
            else
                (vocabulary.BeginId, vocabulary.AddsBegin) = (id, true);
        }
    }
}

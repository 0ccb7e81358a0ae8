using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Polymath.Generation.Constraints;

namespace Polymath.Chat;

/// <summary>Composes the grammar of a reply: reasoning that is free, then calls by the tools' schemas, or an answer by a format.</summary>
internal static partial class ReplyGrammar
{
    /// <summary>The grammar of a reply, or null where it is free.</summary>
    /// <param name="rule">What may be called; null where no tools are offered.</param>
    /// <param name="format">What the answer must be; null for any text.</param>
    /// <param name="dialect">How the model writes.</param>
    /// <param name="reasoning">Whether the reply may, or does, begin with reasoning.</param>
    /// <exception cref="ConstraintException">A tool's schema cannot be honoured; the exception names the keyword.</exception>
    public static Grammar? Compose(CallRule? rule, Grammar? format, Dialect dialect, ReasoningStart reasoning)
    {
        bool calls = rule is { Tools.Count: > 0 };
        if (!calls && format is null)
            return null;
        if (calls && format is null && !rule!.MustCall)
            return Triggered(rule) is { } free ? Behind(reasoning, dialect, free, freeText: true) : null;
        Grammar answer = !calls ? Answer(dialect, format!)
            : rule!.MustCall ? Calls(rule, rule.Form)
            : Grammar.Or(Calls(rule, rule.Form), Answer(dialect, format!));
        return Behind(reasoning, dialect, answer, freeText: false);
    }

    /// <summary>Free text in which calls may come; null where nothing tells a call from text.</summary>
    private static Grammar? Triggered(CallRule rule)
    {
        string begin = (rule.Form.BlockBegin + rule.Form.CallBegin).TrimStart(), trigger = rule.Form.Trigger;
        if (trigger.Length == 0 || rule.Form.SharesTrigger)
            return null;
        Grammar then = Calls(rule, rule.Form with { BlockBegin = begin[trigger.Length..], CallBegin = rule.Form.BlockBegin.Length > 0 ? rule.Form.CallBegin : "" });
        return Grammar.Triggered([new GrammarTrigger(trigger, then)], 0, rule.Parallel ? null : 1);
    }

    /// <summary>One call, or several, whole with what is around them.</summary>
    private static Grammar Calls(CallRule rule, CallForm form)
    {
        Grammar Any(CallForm way) => Grammar.Or([.. rule.Tools.Select(tool => Call(way, tool))]);
        var parts = new List<Grammar> { Literal(form.BlockBegin), Any(form) };
        if (rule.Parallel && (rule.MustCall || rule.Form.BlockBegin.Length > 0))
            parts.Add(Grammar.Repeat(Grammar.Sequence(Literal(form.Separator), Any(rule.Form))));
        parts.Add(Literal(form.BlockEnd));
        return Grammar.Sequence(parts);
    }

    private static Grammar Call(CallForm form, ToolDefinition tool)
    {
        string name = form.NumbersNames ? $"functions.{tool.Name}:" : tool.Name;
        Grammar number = form.NumbersNames ? Grammar.Regex("[0-9]{1,3}") : Grammar.Text("");
        switch (form.Arguments)
        {
            case JsonEnvelope keys:
                return Grammar.Sequence(
                    Literal(form.CallBegin), Grammar.Text($"{{\"{keys.NameKey}\": \"{name}\", \"{keys.ArgumentsKey}\": "),
                    Schema(tool.Parameters), keys.IdKey is null ? Grammar.Text("}") : Grammar.Regex($"(, \"{keys.IdKey}\": \"[a-zA-Z0-9]{{9}}\")?\\}}"),
                    Literal(form.CallEnd));
            case TaggedArguments tags:
                return Grammar.Sequence(
                    [Literal(form.CallBegin), Grammar.Text(name), number, Literal(form.NameEnd), .. Tagged(tags, tool), Literal(form.CallEnd)]);
            case GemmaArguments:
                return Grammar.Sequence(Literal(form.CallBegin), Grammar.Text(name), Literal(form.NameEnd), Until(form.CallEnd));
            default:
                Grammar id = form.IdBegin.Length == 0
                    ? Grammar.Text("") : Grammar.Repeat(Grammar.Sequence(Literal(form.IdBegin), Grammar.Regex("[a-zA-Z0-9]{9}")), 0, 1);
                return Grammar.Sequence(
                    Literal(form.CallBegin), Grammar.Text(name), number, id, Literal(form.NameEnd), Schema(tool.Parameters), Literal(form.CallEnd));
        }
    }

    /// <summary>Required arguments and, where they are wanted, the others, in the order in which the schema names them.</summary>
    private static IEnumerable<Grammar> Tagged(TaggedArguments tags, ToolDefinition tool)
    {
        if (!tool.Parameters.TryGetProperty("properties", out JsonElement properties) || properties.ValueKind != JsonValueKind.Object)
            yield break;
        HashSet<string> required = tool.Parameters.TryGetProperty("required", out JsonElement names) && names.ValueKind == JsonValueKind.Array
            ? [.. names.EnumerateArray().Where(n => n.ValueKind == JsonValueKind.String).Select(n => n.GetString()!)] : [];
        foreach (JsonProperty property in properties.EnumerateObject())
        {
            bool isText = property.Value.ValueKind == JsonValueKind.Object && property.Value.TryGetProperty("type", out JsonElement type)
                && type.ValueKind == JsonValueKind.String && type.ValueEquals("string") && !property.Value.TryGetProperty("enum", out _);
            Grammar value = isText ? Until(tags.ValueEnd)
                : Grammar.Sequence(Value(property.Value, tool.Parameters), Literal(tags.ValueEnd));
            string end = isText ? tags.KeyEnd : tags.JsonKeyEnd ?? tags.KeyEnd;
            Grammar argument = Grammar.Sequence(Literal(tags.KeyBegin), Grammar.Text(property.Name), Literal(end), value);
            yield return required.Contains(property.Name) ? argument : Grammar.Repeat(argument, 0, 1);
        }
    }

    /// <summary>An argument by its schema; strings that are one of a list stand without quotes.</summary>
    private static Grammar Value(JsonElement schema, JsonElement root)
    {
        if (schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("enum", out JsonElement values) && values.ValueKind == JsonValueKind.Array
            && values.GetArrayLength() > 0 && values.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String))
            return Grammar.Choice([.. values.EnumerateArray().Select(v => v.GetString()!)]);
        if (schema.ValueKind != JsonValueKind.Object)
            return Schema(schema);
        var whole = (JsonObject)JsonNode.Parse(schema.GetRawText())!;
        foreach (string key in (ReadOnlySpan<string>)["$defs", "definitions"])
        {
            if (root.TryGetProperty(key, out JsonElement shared))
                whole[key] = JsonNode.Parse(shared.GetRawText());   // what references in it point to
        }

        return Grammar.JsonSchema(whole.ToJsonString());
    }

    private static Grammar Schema(JsonElement schema)
    {
        // A tool without parameters: {} would let the model write any JSON value.
        bool any = schema.ValueKind == JsonValueKind.Object && !schema.EnumerateObject().Any();
        return any ? Grammar.JsonSchema("""{"type":"object"}""") : Grammar.JsonSchema(schema);
    }

    private static Grammar Answer(Dialect dialect, Grammar format) => Grammar.Sequence(Literal(dialect.AnswerBegin), format);

    private static Grammar Behind(ReasoningStart reasoning, Dialect dialect, Grammar answer, bool freeText)
    {
        Grammar space = freeText ? Grammar.Text("") : Grammar.Regex(@"\s{0,4}");
        Grammar rest = Grammar.Sequence(Until(dialect.Reasoning.End), space, answer);
        return reasoning switch
        {
            ReasoningStart.Inside => rest,
            ReasoningStart.Possible => Grammar.Or(Grammar.Sequence(Literal(dialect.Reasoning.Begin), rest), answer),
            _ => answer,
        };
    }

    /// <summary>Any text and the text that ends it.</summary>
    private static Grammar Until(string end)
    {
        string first = Tags().Match(end) is { Success: true, Index: 0 } tag ? tag.Value : end;
        return Grammar.Triggered([new GrammarTrigger(first, Literal(end[first.Length..]))], 1, 1);
    }

    /// <summary>A text of which the tags are control tokens where the vocabulary has them.</summary>
    private static Grammar Literal(string text)
    {
        var parts = new List<Grammar>();
        int at = 0;
        foreach (Match tag in Tags().Matches(text))
        {
            if (tag.Index > at)
                parts.Add(Grammar.Text(text[at..tag.Index]));
            parts.Add(Grammar.Token(tag.Value));
            at = tag.Index + tag.Length;
        }

        if (at < text.Length || parts.Count == 0)
            parts.Add(Grammar.Text(text[at..]));
        return parts.Count == 1 ? parts[0] : Grammar.Sequence(parts);
    }

    [GeneratedRegex(@"<[^<>\s]{1,64}>|\[/?[A-Z_]{3,}\]")]
    private static partial Regex Tags();
}

/// <summary>How a reply begins.</summary>
internal enum ReasoningStart
{
    /// <summary>With the answer.</summary>
    None,

    /// <summary>With reasoning or with the answer.</summary>
    Possible,

    /// <summary>In the middle of reasoning that the prompt has opened.</summary>
    Inside,
}

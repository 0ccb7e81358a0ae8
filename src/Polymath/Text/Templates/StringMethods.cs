using System.Text;

namespace Polymath.Text.Templates;

/// <summary>
/// Methods of strings. As in the reference, stripping white space characters strips all white space, and case follows
/// ECMAScript; what the reference lacks follows Python.
/// </summary>
internal static class StringMethods
{
    public static HashSet<string> Names { get; } =
    [
        "upper", "lower", "strip", "lstrip", "rstrip", "title", "capitalize", "startswith", "endswith", "split", "replace", "rsplit", "splitlines",
        "find", "rfind", "index", "rindex", "count", "join", "removeprefix", "removesuffix", "partition", "rpartition", "isdigit", "isnumeric",
        "isdecimal", "isalpha", "isalnum", "isspace", "isupper", "islower", "zfill", "center", "ljust", "rjust", "swapcase", "casefold", "format",
    ];

    /// <summary>The result, or null where there is no such method.</summary>
    public static TemplateValue? Call(Evaluator evaluator, string text, string name, Arguments arguments)
    {
        evaluator.Work(text.Length);
        string? made = name switch
        {
            "upper" => TextRules.Upper(text),
            "lower" or "casefold" => TextRules.Lower(text),
            "title" => TextRules.Title(text),
            "capitalize" => TextRules.Capitalize(text),
            "swapcase" => string.Concat(text.Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c))),
            "strip" => Strip(evaluator, text, arguments, true, true),
            "lstrip" => Strip(evaluator, text, arguments, true, false),
            "rstrip" => Strip(evaluator, text, arguments, false, true),
            "replace" => Replace(evaluator, text, arguments),
            "removeprefix" => Argument(evaluator, arguments, 0, name) is var p && text.StartsWith(p, StringComparison.Ordinal) ? text[p.Length..] : text,
            "removesuffix" => Argument(evaluator, arguments, 0, name) is var s && text.EndsWith(s, StringComparison.Ordinal) ? text[..^s.Length] : text,
            "zfill" or "center" or "ljust" or "rjust" => Pad(evaluator, text, name, arguments),
            "format" => StringFormat.Braces(evaluator, text, arguments),
            "join" => Join(evaluator, text, arguments),
            _ => null,
        };
        return made is not null ? evaluator.Text(made) : (TemplateValue?)Parts(evaluator, text, name, arguments) ?? Question(evaluator, text, name, arguments);
    }

    /// <summary>Replaces a text by another, everywhere or <c>count</c> times.</summary>
    public static string Replace(Evaluator evaluator, string text, Arguments arguments)
    {
        string old = Argument(evaluator, arguments, 0, "replace"), by = Argument(evaluator, arguments, 1, "replace");
        long count = arguments.Get(2, "count") switch
        {
            null or NullValue => -1,
            IntegerValue number => number.Value,
            _ => throw evaluator.Fail("count must be an integer"),
        };
        if (count == 0)
            return text;
        Operators.Search(evaluator, text, old);
        List<int> places = old.Length == 0 ? Borders(text) : Places(text, old);
        int replaced = (int)(count < 0 ? places.Count : Math.Min(places.Count, count));
        evaluator.MakeItems(places.Count);
        evaluator.MakeText(text.Length + (long)replaced * (by.Length - old.Length));
        var all = new StringBuilder();
        int at = 0;
        foreach (int place in places.Take(replaced))
        {
            all.Append(text, at, place - at).Append(by);
            at = place + old.Length;
        }

        return all.Append(text, at, text.Length - at).ToString();
    }

    private static ListValue? Parts(Evaluator evaluator, string text, string name, Arguments arguments)
    {
        switch (name)
        {
            case "split" or "rsplit":
                return Texts(evaluator, Split(evaluator, text, arguments, fromRight: name == "rsplit"));
            case "splitlines":
                string[] lines = text.ReplaceLineEndings("\n").Split('\n');
                return Texts(evaluator, lines is [.., ""] ? lines[..^1] : lines);
            case "partition" or "rpartition":
                string separator = Separator(evaluator, Argument(evaluator, arguments, 0, name));
                Operators.Search(evaluator, text, separator);
                int at = name == "partition"
                    ? text.IndexOf(separator, StringComparison.Ordinal)
                    : text.LastIndexOf(separator, StringComparison.Ordinal);
                return Texts(evaluator, at >= 0 ? [text[..at], separator, text[(at + separator.Length)..]]
                    : name == "partition" ? [text, "", ""] : ["", "", text]);
            default:
                return null;
        }
    }

    private static TemplateValue? Question(Evaluator evaluator, string text, string name, Arguments arguments)
    {
        switch (name)
        {
            case "startswith" or "endswith":
                return Affixes(evaluator, arguments.Get(0, "prefix"), name).Any(affix => name == "startswith"
                    ? text.StartsWith(affix, StringComparison.Ordinal)
                    : text.EndsWith(affix, StringComparison.Ordinal));
            case "find" or "rfind" or "index" or "rindex" or "count":
                return Search(evaluator, text, name, arguments);
            case "isdigit" or "isnumeric" or "isdecimal":
                return text.Length > 0 && text.All(char.IsDigit);
            case "isalpha":
                return text.Length > 0 && text.All(char.IsLetter);
            case "isalnum":
                return text.Length > 0 && text.All(char.IsLetterOrDigit);
            case "isspace":
                return text.Length > 0 && text.All(TextRules.IsSpace);
            case "isupper":
                return text.Any(char.IsUpper) && !text.Any(char.IsLower);
            case "islower":
                return text.Any(char.IsLower) && !text.Any(char.IsUpper);
            default:
                return null;
        }
    }

    private static TemplateValue Search(Evaluator evaluator, string text, string name, Arguments arguments)
    {
        string part = Argument(evaluator, arguments, 0, name);
        int Bound(int index, int fallback) => arguments.Get(index, "") is IntegerValue bound
            ? (int)Math.Clamp(bound.Value < 0 ? bound.Value + text.Length : bound.Value, 0, text.Length)
            : fallback;
        int start = Bound(1, 0), stop = Bound(2, text.Length);
        string range = text[start..Math.Max(start, stop)];
        Operators.Search(evaluator, range, part);
        if (name == "count")
            return part.Length == 0 ? range.Length + 1 : Places(range, part).Count;
        int at = name is "find" or "index" ? range.IndexOf(part, StringComparison.Ordinal) : range.LastIndexOf(part, StringComparison.Ordinal);
        if (at < 0 && name is "index" or "rindex")
            throw evaluator.Fail("the text does not hold the part");
        return at < 0 ? -1 : at + start;
    }

    private static IEnumerable<string> Affixes(Evaluator evaluator, TemplateValue? argument, string name) => argument switch
    {
        StringValue text => [text.Value],
        ListValue list => list.Items.Select(item => Filters.Text(evaluator, item)),
        _ => throw evaluator.Fail($"{name} needs a string or a list of strings"),
    };

    private static string Strip(Evaluator evaluator, string text, Arguments arguments, bool left, bool right)
    {
        if (arguments.Get(0, "chars") is not StringValue chars || chars.Value.All(TextRules.IsSpace))
        {
            text = left ? TextRules.TrimStart(text) : text;
            return right ? TextRules.TrimEnd(text) : text;
        }

        evaluator.Work(text.Length * (long)chars.Value.Length);
        char[] set = chars.Value.ToCharArray();
        text = left ? text.TrimStart(set) : text;
        return right ? text.TrimEnd(set) : text;
    }

    private static List<string> Split(Evaluator evaluator, string text, Arguments arguments, bool fromRight)
    {
        long most = arguments.Get(1, "maxsplit") switch
        {
            null => -1,
            IntegerValue number => number.Value,
            _ => throw evaluator.Fail("maxsplit must be an integer"),
        };
        switch (arguments.Get(0, "sep"))
        {
            case null or NullValue:
                return Words(text, most, fromRight);
            case StringValue separator:
                Operators.Search(evaluator, text, Separator(evaluator, separator.Value));
                List<int> places = Places(text, separator.Value);
                evaluator.MakeItems(places.Count);
                int splits = (int)(most < 0 ? places.Count : Math.Min(most, places.Count));
                int at = 0;
                var parts = new List<string>();
                foreach (int place in fromRight ? places.Skip(places.Count - splits) : places.Take(splits))
                {
                    parts.Add(text[at..place]);
                    at = place + separator.Value.Length;
                }

                parts.Add(text[at..]);
                return parts;
            default:
                throw evaluator.Fail("the separator must be a string");
        }
    }

    private static List<string> Words(string text, long most, bool fromRight)
    {
        var words = new List<(int Start, int End)>();
        for (int i = 0; i < text.Length;)
        {
            int start = i;
            while (i < text.Length && !TextRules.IsSpace(text[i]))
                i++;
            if (i > start)
                words.Add((start, i));
            while (i < text.Length && TextRules.IsSpace(text[i]))
                i++;
        }

        if (most < 0 || words.Count <= most)
            return [.. words.Select(word => text[word.Start..word.End])];
        int splits = (int)most;
        return fromRight
            ? [text[words[0].Start..words[^(splits + 1)].End], .. words.Skip(words.Count - splits).Select(word => text[word.Start..word.End])]
            : [.. words.Take(splits).Select(word => text[word.Start..word.End]), text[words[splits].Start..]];
    }

    private static string Pad(Evaluator evaluator, string text, string name, Arguments arguments)
    {
        if (arguments.Get(0, "width") is not IntegerValue { Value: <= 1 << 20 } width)
            throw evaluator.Fail("the width must be an integer of reasonable size");
        string fill = arguments.Get(1, "fillchar") is { } given ? Filters.Text(evaluator, given) : " ";
        int missing = (int)Math.Max(0, width.Value - text.Length);
        if (fill.Length != 1)
            throw evaluator.Fail("the fill must be one character");
        evaluator.MakeText(missing);
        int signs = text.Length > 0 && text[0] is '+' or '-' ? 1 : 0, before = (missing / 2) + (missing & (int)width.Value & 1);
        return name switch
        {
            "zfill" => text[..signs] + new string('0', missing) + text[signs..],
            "ljust" => text + new string(fill[0], missing),
            "rjust" => new string(fill[0], missing) + text,
            _ => new string(fill[0], before) + text + new string(fill[0], missing - before),
        };
    }

    private static string Join(Evaluator evaluator, string separator, Arguments arguments) => arguments.Get(0, "iterable") is ListValue list
        ? ValueText.Joined(evaluator, list.Items, separator, item => Filters.Text(evaluator, item))
        : throw evaluator.Fail("join needs a list of strings");

    private static ListValue Texts(Evaluator evaluator, IReadOnlyCollection<string> parts)
    {
        evaluator.MakeItems(parts.Count);
        evaluator.MakeText(parts.Sum(part => (long)part.Length));
        return new ListValue([.. parts.Select(TemplateValue.FromString)]);
    }

    private static List<int> Places(string text, string part)
    {
        var places = new List<int>();
        for (int at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal))
            places.Add(at);
        return places;
    }

    /// <summary>Before every Unicode character and at the end.</summary>
    private static List<int> Borders(string text)
    {
        var places = new List<int>();
        for (int i = 0; i <= text.Length; i++)
        {
            if (i == 0 || i == text.Length || !(char.IsLowSurrogate(text[i]) && char.IsHighSurrogate(text[i - 1])))
                places.Add(i);
        }

        return places;
    }

    private static string Separator(Evaluator evaluator, string separator) =>
        separator.Length > 0 ? separator : throw evaluator.Fail("the separator is empty");

    private static string Argument(Evaluator evaluator, Arguments arguments, int index, string name) =>
        index < arguments.Positional.Count && arguments.Positional[index] is StringValue text
            ? text.Value
            : throw evaluator.Fail($"{name} needs a string");
}

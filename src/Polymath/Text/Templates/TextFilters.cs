using System.Text;

namespace Polymath.Text.Templates;

/// <summary>Filters of strings.</summary>
internal static class TextFilters
{
    public static HashSet<string> Names { get; } =
    [
        "upper", "lower", "title", "capitalize", "trim", "indent", "replace", "escape", "e", "forceescape", "urlencode", "format", "truncate",
        "wordcount", "center", "striptags", "split", "startswith", "endswith",
    ];

    /// <summary>The result, or null where the filter does not take the value.</summary>
    public static TemplateValue? Apply(Evaluator evaluator, string name, TemplateValue operand, Arguments arguments)
    {
        if (operand is not StringValue { Value: var text })
            return null;
        evaluator.Work(text.Length);
        return name switch
        {
            "upper" or "lower" or "title" or "capitalize" or "split" or "startswith" or "endswith" => StringMethods.Call(evaluator, text, name, arguments),
            "trim" => StringMethods.Call(evaluator, text, "strip", arguments),
            "center" => StringMethods.Call(evaluator, text, "center", arguments.Positional.Count > 0 ? arguments : Of(80)),
            "indent" => Indent(evaluator, text, arguments),
            "replace" => evaluator.Text(StringMethods.Replace(evaluator, text, arguments)),
            "escape" or "e" or "forceescape" => evaluator.Text(Escape(text)),
            "urlencode" => evaluator.Text(Uri.EscapeDataString(Whole(text)).Replace("%2F", "/", StringComparison.Ordinal)),
            "format" => evaluator.Text(StringFormat.Percent(evaluator, text, arguments.Positional)),
            "truncate" => evaluator.Text(Truncate(evaluator, text, arguments)),
            "wordcount" => StringMethods.Call(evaluator, text, "split", new Arguments()) is ListValue words ? words.Items.Count : 0,
            "striptags" => evaluator.Text(StripTags(text)),
            _ => null,
        };
    }

    private static Arguments Of(long value)
    {
        var arguments = new Arguments();
        arguments.Positional.Add(value);
        return arguments;
    }

    private static StringValue Indent(Evaluator evaluator, string text, Arguments arguments)
    {
        string indent = arguments.Get(0, "width") is StringValue given ? given.Value
            : new string(' ', Filters.Integer(evaluator, arguments, 0, "width", 4) is var width and >= 0 and <= 4096
                ? (int)width
                : throw evaluator.Fail("the width must be from 0 to 4096"));
        bool first = arguments.Get(1, "first") is { IsTrue: true }, blank = arguments.Get(2, "blank") is { IsTrue: true };
        int lines = text.AsSpan().Count('\n') + 1;
        evaluator.MakeText(text.Length + ((long)lines * indent.Length));
        var all = new StringBuilder();
        int start = 0;
        for (int line = 0; line < lines; line++)
        {
            int end = text.IndexOf('\n', start);
            end = end < 0 ? text.Length : end;
            bool indented = (first || line > 0) && (blank || end > start);
            all.Append(line > 0 ? "\n" : "").Append(indented ? indent : "").Append(text, start, end - start);
            start = end + 1;
        }

        return new StringValue(all.ToString());
    }

    private static string Escape(string text)
    {
        var all = new StringBuilder();
        foreach (char c in text)
        {
            _ = c switch
            {
                '&' => all.Append("&amp;"),
                '<' => all.Append("&lt;"),
                '>' => all.Append("&gt;"),
                '"' => all.Append("&#34;"),
                '\'' => all.Append("&#39;"),
                _ => all.Append(c),
            };
        }

        return all.ToString();
    }

    private static string Truncate(Evaluator evaluator, string text, Arguments arguments)
    {
        long length = Filters.Integer(evaluator, arguments, 0, "length", 255), leeway = Filters.Integer(evaluator, arguments, 3, "leeway", 5);
        string end = arguments.Get(2, "end") is { } given ? Filters.Text(evaluator, given) : "...";
        if (length < end.Length || leeway < 0)
            throw evaluator.Fail("the length must be at least that of the end");
        if (text.Length - length <= leeway)
            return text;
        string cut = text[..(int)(length - end.Length)];
        int space = cut.LastIndexOf(' ');
        return (Filters.Flag(evaluator, arguments, 1, "killwords") || space < 0 ? cut : cut[..space]) + end;
    }

    private static string StripTags(string text)
    {
        var all = new StringBuilder();
        bool inside = false;
        foreach (char c in text)
        {
            if (c is '<' or '>')
                inside = c == '<';
            else if (!inside)
                all.Append(c);
        }

        return string.Join(' ', all.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>A text without halves of surrogate pairs.</summary>
    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}

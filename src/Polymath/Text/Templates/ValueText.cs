using System.Buffers;
using System.Globalization;
using System.Text;

namespace Polymath.Text.Templates;

/// <summary>How values are written as JSON.</summary>
/// <param name="Indent">Spaces a level, or 0 for one line.</param>
/// <param name="Ascii">Write other characters as \u escapes.</param>
/// <param name="Sorted">Order the keys.</param>
/// <param name="ItemSeparator">Between items.</param>
/// <param name="KeySeparator">Between a key and its value.</param>
internal sealed record JsonLayout(int Indent, bool Ascii, bool Sorted, string ItemSeparator, string KeySeparator)
{
    public static JsonLayout Default { get; } = new(0, false, false, ", ", ": ");
}

/// <summary>Values as text.</summary>
internal static class ValueText
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create(" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <summary>What kind a value is, for messages.</summary>
    public static string Name(TemplateValue value) => value.Kind switch
    {
        TemplateValueKind.Undefined => "undefined",
        TemplateValueKind.Null => "none",
        TemplateValueKind.Bool => "a bool",
        TemplateValueKind.Integer => "an integer",
        TemplateValueKind.Float => "a float",
        TemplateValueKind.String => "a string",
        TemplateValueKind.List => "a list",
        TemplateValueKind.Map => "a map",
        TemplateValueKind.Namespace => "a namespace",
        _ => "a function",
    };

    /// <summary>A value as an expression shows it.</summary>
    public static string ToText(Evaluator evaluator, TemplateValue value) => value switch
    {
        StringValue text => text.Value,
        BoolValue flag => flag.Value ? "true" : "false",
        IntegerValue number => NumberText.Of(number.Value),
        FloatValue number => NumberText.OfFloat(number.Value),
        NullValue => "null",
        UndefinedValue => "undefined",
        FunctionValue function => $"<{function.Name}>",
        _ => Json(evaluator, value, JsonLayout.Default, nulls: false),
    };

    /// <summary>A value as concatenation and join take it: a float as short as can be, a list's items with commas between them.</summary>
    public static string ToPlainText(Evaluator evaluator, TemplateValue value) => value switch
    {
        FloatValue number => NumberText.Of(number.Value),
        MapValue or NamespaceValue => "[object Map]",
        ListValue list => Joined(evaluator, list.Items, ",", item => ToText(evaluator, item)),
        _ => ToText(evaluator, value),
    };

    /// <summary>Texts of values with a separator between them.</summary>
    public static string Joined(Evaluator evaluator, List<TemplateValue> items, string separator, Func<TemplateValue, string> toText)
    {
        var all = new StringBuilder();
        for (int i = 0; i < items.Count; i++)
        {
            string text = toText(items[i]);
            evaluator.MakeText(text.Length + (long)separator.Length);
            all.Append(i > 0 ? separator : "").Append(text);
        }

        return all.ToString();
    }

    /// <summary>A value as JSON.</summary>
    /// <param name="evaluator">Whose limits count.</param>
    /// <param name="value">The value.</param>
    /// <param name="layout">How it is written.</param>
    /// <param name="nulls">Write undefined as null.</param>
    public static string Json(Evaluator evaluator, TemplateValue value, JsonLayout layout, bool nulls = true)
    {
        var json = new StringBuilder();
        Write(evaluator, json, value, layout, nulls, 0);
        return json.ToString();
    }

    private static void Write(Evaluator evaluator, StringBuilder json, TemplateValue value, JsonLayout layout, bool nulls, int depth)
    {
        if (depth > evaluator.Nesting)
            throw evaluator.Fail($"values more than {evaluator.Nesting} deep");
        int start = json.Length;
        switch (value)
        {
            case StringValue text:
                Quote(json, text.Value, layout.Ascii);
                break;
            case FloatValue number:
                json.Append(double.IsFinite(number.Value) ? NumberText.Of(number.Value) : "null");
                break;
            case NullValue:
                json.Append("null");
                break;
            case UndefinedValue:
                json.Append(nulls ? "null" : "undefined");
                break;
            case ListValue list:
                WriteItems(evaluator, json, '[', list.Items, layout, depth, item => Write(evaluator, json, item, layout, nulls, depth + 1));
                return;
            case MapValue or NamespaceValue:
                IEnumerable<KeyValuePair<string, TemplateValue>> entries = value is MapValue map ? map.Entries : ((NamespaceValue)value).Entries;
                KeyValuePair<string, TemplateValue>[] all =
                    [.. layout.Sorted ? entries.OrderBy(e => e.Key, Comparer<string>.Create(TextRules.Collate)) : entries];
                WriteItems(evaluator, json, '{', all, layout, depth, entry =>
                {
                    Quote(json, entry.Key, layout.Ascii);
                    json.Append(layout.KeySeparator);
                    evaluator.MakeText(entry.Key.Length + (long)layout.KeySeparator.Length);
                    Write(evaluator, json, entry.Value, layout, nulls, depth + 1);
                });
                return;
            case FunctionValue:
                throw evaluator.Fail("a function has no JSON");
            default:
                json.Append(ToText(evaluator, value));
                break;
        }

        evaluator.MakeText(json.Length - start);
    }

    private static void WriteItems<T>(
        Evaluator evaluator, StringBuilder json, char open, IReadOnlyList<T> items, JsonLayout layout, int depth, Action<T> write)
    {
        json.Append(open);
        for (int i = 0; i < items.Count; i++)
        {
            if (i > 0)
                json.Append(layout.ItemSeparator);
            if (layout.Indent > 0)
                json.Append('\n').Append(' ', layout.Indent * (depth + 1));
            evaluator.MakeText(2 + layout.ItemSeparator.Length + ((long)layout.Indent * (depth + 1)));
            write(items[i]);
        }

        if (layout.Indent > 0 && items.Count > 0)
            json.Append('\n').Append(' ', layout.Indent * depth);
        json.Append(open == '[' ? ']' : '}');
        evaluator.MakeText(2 + ((long)layout.Indent * depth));
    }

    private static void Quote(StringBuilder json, string text, bool ascii)
    {
        json.Append('"');
        for (int i = 0; i < text.Length; i++)
        {
            int run = text.AsSpan(i).IndexOfAnyExcept(Plain);
            if (run != 0)
            {
                json.Append(text, i, run < 0 ? text.Length - i : run);
                i += run;
                if (run < 0)
                    break;
            }

            char c = text[i];
            bool half = char.IsSurrogate(c) && !(char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                && !(char.IsLowSurrogate(c) && i > 0 && char.IsHighSurrogate(text[i - 1]));
            _ = c switch
            {
                '"' or '\\' => json.Append('\\').Append(c),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                _ when c < ' ' || half || (ascii && c >= '\u007F') => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => json.Append(c),
            };
        }

        json.Append('"');
    }
}

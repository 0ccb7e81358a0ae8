using System.Globalization;
using System.Text;

namespace Polymath.Text.Templates;

/// <summary>Names every template knows.</summary>
internal static class Globals
{
    private static readonly (string Name, TemplateValue Value)[] All =
    [
        ("true", true), ("True", true), ("false", false), ("False", false), ("none", TemplateValue.Null), ("None", TemplateValue.Null),
        ("raise_exception", new FunctionValue("raise_exception", RaiseException)),
        ("range", new FunctionValue("range", Range)),
        ("strftime_now", new FunctionValue("strftime_now", Now)),
        ("namespace", new FunctionValue("namespace", Namespace)),
        ("dict", new FunctionValue("dict", Dict)),
    ];

    public static void Define(Scope scope)
    {
        foreach ((string name, TemplateValue value) in All)
            scope.Set(name, value);
    }

    private static TemplateValue RaiseException(Evaluator evaluator, Arguments arguments, Scope scope) =>
        throw evaluator.Raise(arguments.Get(0, "message") is { } message ? ValueText.ToText(evaluator, message) : "the template refuses the conversation");

    private static ListValue Range(Evaluator evaluator, Arguments arguments, Scope scope)
    {
        long[] bounds = [.. arguments.Positional.Select(value => value is IntegerValue number ? number.Value : throw evaluator.Fail("range needs integers"))];
        if (bounds.Length is 0 or > 3)
            throw evaluator.Fail("range needs one to three integers");
        long start = bounds.Length > 1 ? bounds[0] : 0, stop = bounds.Length > 1 ? bounds[1] : bounds[0], step = bounds.Length > 2 ? bounds[2] : 1;
        if (step == 0)
            throw evaluator.Fail("the step of range is zero");
        Int128 distance = step > 0 ? (Int128)stop - start : (Int128)start - stop, size = Int128.Abs(step);
        Int128 count = distance <= 0 ? 0 : (distance + size - 1) / size;
        evaluator.MakeItems(count > int.MaxValue ? int.MaxValue : (long)count);
        var items = new List<TemplateValue>();
        for (long i = 0; i < count; i++)
            items.Add(start + (i * step));
        return new ListValue(items);
    }

    private static NamespaceValue Namespace(Evaluator evaluator, Arguments arguments, Scope scope)
    {
        var made = new NamespaceValue();
        foreach ((string key, TemplateValue value) in Entries(evaluator, arguments))
            made.Entries[key] = value;
        evaluator.MakeItems(made.Entries.Count);
        return made;
    }

    private static MapValue Dict(Evaluator evaluator, Arguments arguments, Scope scope)
    {
        var made = new MapValue();
        foreach ((string key, TemplateValue value) in Entries(evaluator, arguments))
            made.Entries[key] = value;
        evaluator.MakeItems(made.Entries.Count);
        return made;
    }

    private static IEnumerable<KeyValuePair<string, TemplateValue>> Entries(Evaluator evaluator, Arguments arguments)
    {
        if (arguments.Positional.Count > 1)
            throw evaluator.Fail("expected one map at most");
        IEnumerable<KeyValuePair<string, TemplateValue>> entries = arguments.Positional switch
        {
            [] => [],
            [MapValue map] => map.Entries,
            [ListValue list] => list.Items.Select(item => item is ListValue { Items: [StringValue key, var value] }
                ? KeyValuePair.Create(key.Value, value)
                : throw evaluator.Fail("expected pairs of a key and a value")),
            _ => throw evaluator.Fail("expected a map"),
        };
        return entries.Concat(arguments.Named);
    }

    private static StringValue Now(Evaluator evaluator, Arguments arguments, Scope scope)
    {
        if (arguments.Get(0, "format") is not StringValue format)
            throw evaluator.Fail("strftime_now needs a format");
        evaluator.Work(16L * format.Value.Length);
        return evaluator.Text(Strftime(evaluator.Clock.GetLocalNow(), format.Value));
    }

    private static string Strftime(DateTimeOffset now, string format)
    {
        var all = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            string? field = null;
            bool bare = i + 2 < format.Length && format[i + 1] == '-';
            if (format[i] == '%' && i + 1 < format.Length)
                field = Field(now, format[bare ? i + 2 : i + 1]);
            if (field is null)
            {
                all.Append(format[i]);
                continue;
            }

            string trimmed = bare ? field.TrimStart('0') : field;
            all.Append(trimmed.Length == 0 ? "0" : trimmed);
            i += bare ? 2 : 1;
        }

        return all.ToString();
    }

    private static string? Field(DateTimeOffset now, char code)
    {
        string? pattern = code switch
        {
            'Y' => "yyyy",
            'y' => "yy",
            'm' => "MM",
            'd' => "dd",
            'b' or 'h' => "MMM",
            'B' => "MMMM",
            'a' => "ddd",
            'A' => "dddd",
            'H' => "HH",
            'I' => "hh",
            'M' => "mm",
            'S' => "ss",
            'p' => "tt",
            'f' => "ffffff",
            'F' => "yyyy-MM-dd",
            'T' => "HH:mm:ss",
            'D' => "MM/dd/yy",
            'R' => "HH:mm",
            _ => null,
        };
        return pattern is not null ? now.ToString(pattern, CultureInfo.InvariantCulture) : code switch
        {
            'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'w' => ((int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            'e' => now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            '%' => "%",
            _ => null,
        };
    }
}

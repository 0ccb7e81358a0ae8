namespace Polymath.Text.Templates;

/// <summary>
/// What may stand after a bar. A filter the reference engine has takes and refuses the values it takes and refuses there;
/// the others follow Jinja.
/// </summary>
internal static class Filters
{
    private static readonly HashSet<string> Names =
    [
        "safe", "tojson", "fromjson", "default", "d", "string", "length", "count", "items", "list", "attr", .. TextFilters.Names, .. ListFilters.Names,
        .. NumberFilters.Names, "keys", "values", "get", "dictsort",
    ];

    public static bool Exists(string name) => Names.Contains(name);

    public static TemplateValue Apply(Evaluator evaluator, string name, TemplateValue operand, Arguments arguments)
    {
        evaluator.Work(0);
        if (!Exists(name))
            throw evaluator.Fail($"unknown filter {name}");
        TemplateValue? result = Any(evaluator, name, operand, arguments)
            ?? (TextFilters.Names.Contains(name) ? TextFilters.Apply(evaluator, name, operand, arguments) : null)
            ?? (NumberFilters.Names.Contains(name) ? NumberFilters.Apply(evaluator, name, operand, arguments) : null)
            ?? (ListFilters.Names.Contains(name) ? ListFilters.Apply(evaluator, name, operand, arguments) : null)
            ?? (operand is MapValue map ? MapMethods.Call(evaluator, map, name, arguments) : null);
        return result ?? throw evaluator.Fail($"the filter {name} does not take {ValueText.Name(operand)}");
    }

    /// <summary>An argument that is true or false, false where it is left out.</summary>
    public static bool Flag(Evaluator evaluator, Arguments arguments, int index, string name) => arguments.Get(index, name) switch
    {
        null => false,
        BoolValue flag => flag.Value,
        _ => throw evaluator.Fail($"{name} must be true or false"),
    };

    /// <summary>A value that must be a text.</summary>
    public static string Text(Evaluator evaluator, TemplateValue value) =>
        value is StringValue text ? text.Value : throw evaluator.Fail($"{ValueText.Name(value)} where a string is needed");

    /// <summary>An argument that is a whole number.</summary>
    public static long Integer(Evaluator evaluator, Arguments arguments, int index, string name, long? fallback = null) => arguments.Get(index, name) switch
    {
        IntegerValue number => number.Value,
        null when fallback is { } value => value,
        _ => throw evaluator.Fail($"{name} must be an integer"),
    };

    /// <summary>A value's entry, by a path of names and numbers with dots between them.</summary>
    public static TemplateValue Attribute(Evaluator evaluator, TemplateValue value, string path)
    {
        evaluator.Work(path.Length);
        foreach (string part in path.Split('.'))
        {
            value = value switch
            {
                MapValue map => map.Entries.GetValueOrDefault(part) ?? TemplateValue.Undefined,
                NamespaceValue space => space.Entries.GetValueOrDefault(part) ?? TemplateValue.Undefined,
                ListValue list when NumberText.Leading(part, whole: true) is { } index && index >= 0 && index < list.Items.Count => list.Items[(int)index],
                _ => TemplateValue.Undefined,
            };
        }

        return value;
    }

    private static TemplateValue? Any(Evaluator evaluator, string name, TemplateValue operand, Arguments arguments)
    {
        switch (name)
        {
            case "safe":
                return operand;
            case "tojson":
                return new StringValue(ValueText.Json(evaluator, operand, Layout(evaluator, arguments)));
            case "fromjson":
                string json = Text(evaluator, operand);
                evaluator.MakeText(16L * json.Length);
                try
                {
                    return TemplateValue.Parse(json);
                }
                catch (TemplateException e)
                {
                    throw evaluator.Fail(e.Message);
                }

            case "default" or "d":
                bool replaces = operand is UndefinedValue || (Flag(evaluator, arguments, 1, "boolean") && !operand.IsTrue);
                return replaces ? arguments.Get(0, "default_value") ?? "" : operand;
            case "string" when operand is not (UndefinedValue or NullValue or MapValue or NamespaceValue or FunctionValue):
                return evaluator.Text(ValueText.ToText(evaluator, operand));
            case "length" or "count":
                return operand switch
                {
                    StringValue text => text.Value.Length,
                    ListValue list => list.Items.Count,
                    MapValue map => map.Entries.Count,
                    _ => null,
                };
            case "attr":
                return Attribute(evaluator, operand, Text(evaluator, arguments.Get(0, "name") ?? TemplateValue.Undefined));
            default:
                return null;
        }
    }

    private static JsonLayout Layout(Evaluator evaluator, Arguments arguments)
    {
        if (arguments.Named.Count == 0)
            return JsonLayout.Default;
        long indent = arguments.Named.GetValueOrDefault("indent") switch
        {
            null or NullValue => 0,
            IntegerValue { Value: >= 0 and <= 256 } number => number.Value,
            _ => throw evaluator.Fail("indent must be an integer from 0 to 256"),
        };
        (string item, string key) = arguments.Named.GetValueOrDefault("separators") switch
        {
            null or NullValue => (indent > 0 ? "," : ", ", ": "),
            ListValue { Items: [StringValue first, StringValue second] } => (first.Value, second.Value),
            _ => throw evaluator.Fail("separators must be two strings"),
        };
        return new JsonLayout((int)indent, Flag(evaluator, arguments, -1, "ensure_ascii"), Flag(evaluator, arguments, -1, "sort_keys"), item, key);
    }
}

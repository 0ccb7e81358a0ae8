namespace Polymath.Text.Templates;

/// <summary>Filters that choose, change or group the items of a list by tests, filters and attributes.</summary>
internal static class ListSelection
{
    /// <summary>The result, or null where there is no such filter.</summary>
    public static TemplateValue? Apply(Evaluator evaluator, string name, List<TemplateValue> items, Arguments arguments) => name switch
    {
        "select" or "reject" => evaluator.List(items.FindAll(Test(evaluator, arguments, 0) is var test
            ? item => test(item) == (name == "select")
            : null!)),
        "selectattr" or "rejectattr" => ByAttribute(evaluator, name, items, arguments),
        "map" => Map(evaluator, items, arguments),
        "groupby" => GroupBy(evaluator, items, arguments),
        _ => null,
    };

    private static ListValue ByAttribute(Evaluator evaluator, string name, List<TemplateValue> items, Arguments arguments)
    {
        if (items.Exists(item => item is not (MapValue or NamespaceValue)))
            throw evaluator.Fail($"{name} needs a list of maps");
        string path = Filters.Text(evaluator, arguments.Get(0, "attribute") ?? TemplateValue.Undefined);
        Predicate<TemplateValue> test = Test(evaluator, arguments, 1);
        return evaluator.List(items.FindAll(item =>
        {
            // An entry that is not there passes no test, not even undefined.
            TemplateValue value = Members.Holds(item, path) ? Members.Get(evaluator, item, path) : Filters.Attribute(evaluator, item, path);
            bool there = Members.Holds(item, path) || value is not UndefinedValue;
            return (there && test(value)) == (name == "selectattr");
        }));
    }

    /// <summary>The test named by an argument with its values after it, or whether an item is true.</summary>
    private static Predicate<TemplateValue> Test(Evaluator evaluator, Arguments arguments, int index)
    {
        if (arguments.Positional.Count <= index)
        {
            return item =>
            {
                evaluator.Work(0);
                return item.IsTrue;
            };
        }

        string name = Filters.Text(evaluator, arguments.Positional[index]);
        List<TemplateValue> values = arguments.Positional[(index + 1)..];
        return item =>
        {
            evaluator.Work(0);
            return Tests.Passes(evaluator, name, item, values);
        };
    }

    private static ListValue Map(Evaluator evaluator, List<TemplateValue> items, Arguments arguments)
    {
        if (arguments.Named.GetValueOrDefault("attribute") is { } attribute)
        {
            string path = attribute is IntegerValue index ? NumberText.Of(index.Value) : Filters.Text(evaluator, attribute);
            TemplateValue missing = arguments.Named.GetValueOrDefault("default") ?? TemplateValue.Undefined;
            return evaluator.List(items.ConvertAll(item =>
            {
                if (item is not (MapValue or NamespaceValue) && (item is not ListValue || attribute is not IntegerValue))
                    throw evaluator.Fail("map needs a list of maps");
                TemplateValue value = Filters.Attribute(evaluator, item, path);
                return value is UndefinedValue ? missing : value;
            }));
        }

        string filter = Filters.Text(evaluator, arguments.Get(0, "filter") ?? TemplateValue.Undefined);
        if (filter is "map" or "select" or "reject" or "selectattr" or "rejectattr")
            throw evaluator.Fail($"map cannot apply {filter}");
        var rest = new Arguments();
        rest.Positional.AddRange(arguments.Positional.Skip(1));
        foreach ((string name, TemplateValue value) in arguments.Named)
            rest.Named[name] = value;
        return evaluator.List(items.ConvertAll(item => Filters.Apply(evaluator, filter, item, rest)));
    }

    /// <summary>Lists of [key, items], also under the names grouper and list, in the order of the keys.</summary>
    private static ListValue GroupBy(Evaluator evaluator, List<TemplateValue> items, Arguments arguments)
    {
        string path = arguments.Get(0, "attribute") is IntegerValue index
            ? NumberText.Of(index.Value)
            : Filters.Text(evaluator, arguments.Get(0, "attribute") ?? TemplateValue.Undefined);
        TemplateValue missing = arguments.Get(1, "default") ?? TemplateValue.Undefined;
        TemplateValue Key(TemplateValue item) => Filters.Attribute(evaluator, item, path) is var value && value is UndefinedValue ? missing : value;
        bool caseSensitive = Filters.Flag(evaluator, arguments, 2, "case_sensitive");
        var groups = new List<TemplateValue>();
        TemplateValue? current = null;
        foreach (TemplateValue item in ListFilters.Sorted(evaluator, items, Key, caseSensitive, reverse: false))
        {
            TemplateValue key = Key(item);
            if (current is null || Operators.Compare(evaluator, current, key, caseSensitive) != 0)
                groups.Add(new ListValue([key, evaluator.List([])]));
            current = key;
            ((ListValue)((ListValue)groups[^1]).Items[1]).Items.Add(item);
        }

        evaluator.MakeItems(items.Count + (2L * groups.Count));
        return new ListValue(groups);
    }
}

namespace Polymath.Text.Templates;

/// <summary>Methods of maps.</summary>
internal static class MapMethods
{
    public static HashSet<string> Names { get; } = ["get", "items", "keys", "values", "copy", "dictsort"];

    /// <summary>The result, or null where there is no such method.</summary>
    public static TemplateValue? Call(Evaluator evaluator, MapValue map, string name, Arguments arguments)
    {
        switch (name)
        {
            case "get":
                return arguments.Get(0, "key") is StringValue key
                    ? map.Entries.GetValueOrDefault(key.Value) ?? arguments.Get(1, "default") ?? TemplateValue.Null
                    : throw evaluator.Fail("the key must be a string");
            case "items":
                evaluator.MakeItems(3L * map.Entries.Count);
                return new ListValue(map.Pairs());
            case "keys":
                return evaluator.List(map.Keys());
            case "values":
                return evaluator.List([.. map.Entries.Values]);
            case "copy":
                evaluator.MakeItems(map.Entries.Count);
                return TemplateValue.FromMap(map.Entries);
            case "dictsort":
                return DictSort(evaluator, map, arguments);
            default:
                return null;
        }
    }

    private static ListValue DictSort(Evaluator evaluator, MapValue map, Arguments arguments)
    {
        bool caseSensitive = Filters.Flag(evaluator, arguments, 0, "case_sensitive"), reverse = Filters.Flag(evaluator, arguments, 2, "reverse");
        string by = arguments.Get(1, "by") is { } chosen ? Filters.Text(evaluator, chosen) : "key";
        if (by is not ("key" or "value"))
            throw evaluator.Fail("by must be 'key' or 'value'");
        evaluator.MakeItems(3L * map.Entries.Count);
        return new ListValue(ListFilters.Sorted(evaluator, map.Pairs(), pair => ((ListValue)pair).Items[by == "key" ? 0 : 1], caseSensitive, reverse));
    }
}

namespace Polymath.Text.Templates;

/// <summary>Filters of lists.</summary>
internal static class ListFilters
{
    public static HashSet<string> Names { get; } =
    [
        "list", "first", "last", "reverse", "sort", "join", "unique", "selectattr", "rejectattr", "select", "reject", "map", "groupby", "sum", "min",
        "max", "batch", "slice",
    ];

    /// <summary>The result, or null where the filter does not take the value.</summary>
    public static TemplateValue? Apply(Evaluator evaluator, string name, TemplateValue operand, Arguments arguments)
    {
        if (operand is ListValue list)
        {
            evaluator.Work((long)list.Items.Count << 4);
            return OfList(evaluator, name, list, arguments) ?? ListSelection.Apply(evaluator, name, list.Items, arguments);
        }

        return (name, operand) switch
        {
            ("list", MapValue map) => evaluator.List(map.Keys()),
            ("list", StringValue text) => Characters(evaluator, text.Value),
            ("first" or "last", StringValue text) => OfList(evaluator, name, Characters(evaluator, text.Value), arguments),
            ("first" or "last" or "sort" or "map" or "select" or "reject", MapValue map) => Apply(evaluator, name, evaluator.List(map.Keys()), arguments),
            ("reverse", StringValue text) => Members.Slice(evaluator, text, null, null, -1),
            ("join", StringValue text) when Separator(evaluator, arguments) is var separator => separator.Length == 0
                ? operand
                : evaluator.Text(ValueText.Joined(evaluator, Characters(evaluator, text.Value).Items, separator, item => ((StringValue)item).Value)),
            _ => null,
        };
    }

    /// <summary>A sorted copy; equal items keep their order, also backwards.</summary>
    public static List<TemplateValue> Sorted(
        Evaluator evaluator, List<TemplateValue> items, Func<TemplateValue, TemplateValue> key, bool caseSensitive, bool reverse)
    {
        evaluator.MakeItems(2L * items.Count);
        var keys = items.Select((item, place) => (Item: item, Key: key(item), Place: place)).ToList();
        MergeSort(keys, new (TemplateValue Item, TemplateValue Key, int Place)[keys.Count], 0, keys.Count, (a, b) =>
        {
            int order = Operators.Compare(evaluator, a.Key, b.Key, caseSensitive);
            return reverse ? -order : order;
        });
        return [.. keys.Select(entry => entry.Item)];
    }

    private static ListValue Characters(Evaluator evaluator, string text)
    {
        evaluator.MakeItems(2L * text.Length);
        return new ListValue([.. TextRules.Characters(text).Select(TemplateValue.FromString)]);
    }

    /// <summary>The framework's sorts may not meet a comparison that fails with an error of ours, and are not stable.</summary>
    private static void MergeSort<T>(List<T> items, T[] spare, int start, int end, Comparison<T> compare)
    {
        if (end - start < 2)
            return;
        int middle = (start + end) / 2;
        MergeSort(items, spare, start, middle, compare);
        MergeSort(items, spare, middle, end, compare);
        for (int left = start, right = middle, to = start; to < end; to++)
            spare[to] = right >= end || (left < middle && compare(items[left], items[right]) <= 0) ? items[left++] : items[right++];
        for (int i = start; i < end; i++)
            items[i] = spare[i];
    }

    private static TemplateValue? OfList(Evaluator evaluator, string name, ListValue list, Arguments arguments)
    {
        List<TemplateValue> items = list.Items;
        switch (name)
        {
            case "list":
                return list;
            case "first":
                return items.Count > 0 ? items[0] : TemplateValue.Undefined;
            case "last":
                return items.Count > 0 ? items[^1] : TemplateValue.Undefined;
            case "reverse":
                return evaluator.List([.. items.AsEnumerable().Reverse()]);
            case "sort":
                bool reverse = Filters.Flag(evaluator, arguments, 0, "reverse"), caseSensitive = Filters.Flag(evaluator, arguments, 1, "case_sensitive");
                return new ListValue(Sorted(evaluator, items, Key(evaluator, arguments.Get(2, "attribute")), caseSensitive, reverse));
            case "join":
                Func<TemplateValue, TemplateValue> shown = Key(evaluator, arguments.Get(1, "attribute"));
                return evaluator.Text(ValueText.Joined(evaluator, items, Separator(evaluator, arguments), item =>
                    shown(item) is var value && value is NullValue or UndefinedValue ? "" : ValueText.ToPlainText(evaluator, value)));
            case "unique":
                return evaluator.List(Unique(evaluator, items, Key(evaluator, arguments.Get(1, "attribute"))));
            case "sum":
                TemplateValue sum = arguments.Get(1, "start") ?? 0L;
                Func<TemplateValue, TemplateValue> term = Key(evaluator, arguments.Get(0, "attribute"));
                foreach (TemplateValue item in items)
                    sum = Operators.Binary(evaluator, "+", sum, term(item));
                return sum;
            case "min" or "max":
                return Extreme(evaluator, items, arguments, name == "max");
            case "batch" or "slice":
                return Portions(evaluator, items, arguments, name == "batch");
            default:
                return null;
        }
    }

    private static string Separator(Evaluator evaluator, Arguments arguments) =>
        (arguments.Get(0, "separator") ?? arguments.Get(0, "d")) is { } given ? Filters.Text(evaluator, given) : "";

    /// <summary>What an item is judged by: itself, or what <paramref name="attribute"/> names in it.</summary>
    private static Func<TemplateValue, TemplateValue> Key(Evaluator evaluator, TemplateValue? attribute) => attribute switch
    {
        null or NullValue => item => item,
        StringValue path => item => Filters.Attribute(evaluator, item, path.Value),
        IntegerValue index => item => Filters.Attribute(evaluator, item, NumberText.Of(index.Value)),
        _ => throw evaluator.Fail("attribute must be a string or an integer"),
    };

    private static List<TemplateValue> Unique(Evaluator evaluator, List<TemplateValue> items, Func<TemplateValue, TemplateValue> key)
    {
        var texts = new HashSet<string>(StringComparer.Ordinal);
        var numbers = new HashSet<double>();
        var others = new HashSet<object>(ReferenceEqualityComparer.Instance);
        return items.FindAll(item =>
        {
            evaluator.Work(0);
            return key(item) switch
            {
                StringValue text => texts.Add(text.Value),
                IntegerValue number => numbers.Add(number.Value),
                FloatValue number => numbers.Add(number.Value),
                var other => others.Add(other),
            };
        });
    }

    private static TemplateValue Extreme(Evaluator evaluator, List<TemplateValue> items, Arguments arguments, bool largest)
    {
        Func<TemplateValue, TemplateValue> key = Key(evaluator, arguments.Get(1, "attribute"));
        bool caseSensitive = Filters.Flag(evaluator, arguments, 0, "case_sensitive");
        TemplateValue? best = null;
        foreach (TemplateValue item in items)
        {
            int order = best is null ? 0 : Operators.Compare(evaluator, key(item), key(best), caseSensitive);
            if (best is null || (largest ? order > 0 : order < 0))
                best = item;
        }

        return best ?? TemplateValue.Undefined;
    }

    /// <summary>Lists of so many items, or so many lists.</summary>
    private static ListValue Portions(Evaluator evaluator, List<TemplateValue> items, Arguments arguments, bool bySize)
    {
        long number = Filters.Integer(evaluator, arguments, 0, bySize ? "linecount" : "slices");
        if (number is < 1 or > 1 << 20)
            throw evaluator.Fail("the number of a batch or slice must be at least 1 and reasonable");
        evaluator.MakeItems(items.Count + (2 * number));
        TemplateValue? fill = arguments.Get(1, "fill_with") is { } given and not NullValue ? given : null;
        var portions = new List<TemplateValue>();
        long count = bySize ? (items.Count + number - 1) / number : number;
        int at = 0;
        for (long i = 0; i < count; i++)
        {
            long size = bySize ? number : (items.Count / number) + (i < items.Count % number ? 1 : 0);
            var portion = items.GetRange(at, (int)Math.Min(size, items.Count - at));
            at += portion.Count;
            bool isShort = bySize ? portion.Count < number : items.Count % number != 0 && i >= items.Count % number;
            while (fill is not null && isShort && portion.Count < (bySize ? number : (items.Count / number) + 1))
                portion.Add(fill);
            portions.Add(new ListValue(portion));
        }

        return new ListValue(portions);
    }
}

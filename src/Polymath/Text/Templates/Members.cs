using System.Text;

namespace Polymath.Text.Templates;

/// <summary>What stands after a dot or in brackets.</summary>
internal static class Members
{
    /// <summary>True when a map or namespace has an entry of that name, which comes before any method.</summary>
    public static bool Holds(TemplateValue target, string name) => target switch
    {
        MapValue map => map.Entries.ContainsKey(name),
        NamespaceValue space => space.Entries.ContainsKey(name),
        _ => false,
    };

    /// <summary>target.name; undefined where there is none.</summary>
    public static TemplateValue Get(Evaluator evaluator, TemplateValue target, string name)
    {
        TemplateValue? entry = target switch
        {
            MapValue map => map.Entries.GetValueOrDefault(name),
            NamespaceValue space => space.Entries.GetValueOrDefault(name),
            StringValue text when name == "length" => text.Value.Length,
            ListValue list when name == "length" => list.Items.Count,
            _ => null,
        };
        if (entry is not null)
            return entry;
        bool method = target switch
        {
            MapValue => MapMethods.Names.Contains(name),
            StringValue => StringMethods.Names.Contains(name),
            _ => false,
        };
        return method
            ? new FunctionValue(name, (_, arguments, _) => Call(evaluator, target, name, arguments)!)
            : TemplateValue.Undefined;
    }

    /// <summary>target[index]; undefined where there is none.</summary>
    public static TemplateValue Index(Evaluator evaluator, TemplateValue target, TemplateValue index)
    {
        if (index is StringValue name)
            return Get(evaluator, target, name.Value);
        if (index is not IntegerValue number || target is not (ListValue or StringValue))
            throw evaluator.Fail($"{ValueText.Name(index)} is no index of {ValueText.Name(target)}");
        long count = target is ListValue list ? list.Items.Count : ((StringValue)target).Value.Length;
        long at = number.Value < 0 ? number.Value + count : number.Value;
        return at < 0 || at >= count ? TemplateValue.Undefined
            : target is ListValue items ? items.Items[(int)at]
            : ((StringValue)target).Value[(int)at].ToString();
    }

    /// <summary>Calls a method of a value; null where it has none of that name.</summary>
    public static TemplateValue? Call(Evaluator evaluator, TemplateValue target, string name, Arguments arguments) => target switch
    {
        StringValue text => StringMethods.Call(evaluator, text.Value, name, arguments),
        MapValue map => MapMethods.Call(evaluator, map, name, arguments),
        ListValue list => ListMethod(evaluator, list, name, arguments),
        _ => null,
    };

    /// <summary>target[start:stop:step] as Python has it; of a text the Unicode characters.</summary>
    public static TemplateValue Slice(Evaluator evaluator, TemplateValue target, long? start, long? stop, long step)
    {
        if (target is StringValue text)
        {
            if (step == 1 && !text.Value.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            {
                (long from, long to) = Range(text.Value.Length, start, stop, step);
                return evaluator.Text(to > from ? text.Value[(int)from..(int)to] : "");
            }

            evaluator.MakeItems(text.Value.Length);
            var all = new StringBuilder();
            foreach (string character in Sliced(TextRules.Characters(text.Value), start, stop, step))
                all.Append(character);
            return evaluator.Text(all.ToString());
        }

        return target is ListValue list
            ? evaluator.List(Sliced(list.Items, start, stop, step))
            : throw evaluator.Fail($"{ValueText.Name(target)} has no slices");
    }

    private static List<T> Sliced<T>(List<T> items, long? start, long? stop, long step)
    {
        var taken = new List<T>();
        (long from, long to) = Range(items.Count, start, stop, step);
        if (step == 0)
            return taken;
        step = Math.Clamp(step, -(long)int.MaxValue, int.MaxValue);
        for (long i = from; step > 0 ? i < to : i > to; i += step)
            taken.Add(items[(int)i]);
        return taken;
    }

    private static (long From, long To) Range(long count, long? start, long? stop, long step)
    {
        long least = step < 0 ? -1 : 0, most = step < 0 ? count - 1 : count;
        long Place(long value) => Math.Clamp(value < 0 ? value + count : value, least, most);
        return (start is { } a ? Place(a) : step < 0 ? most : 0, stop is { } b ? Stop(b) : step < 0 ? -1 : count);

        // The reference takes -1 as the end of a backward slice for "before the first".
        long Stop(long value) => step < 0 && value == -1 ? -1 : Place(value);
    }

    private static TemplateValue? ListMethod(Evaluator evaluator, ListValue list, string name, Arguments arguments)
    {
        if (name is not ("index" or "count"))
            return null;
        TemplateValue item = arguments.Get(0, "value") ?? throw evaluator.Fail($"{name} needs a value");
        evaluator.Work((long)list.Items.Count << 3);
        if (name == "count")
            return list.Items.Count(other => Operators.StrictlyEqual(other, item));
        int at = list.Items.FindIndex(other => Operators.StrictlyEqual(other, item));
        return at >= 0 ? at : throw evaluator.Fail("the list does not hold the value");
    }
}

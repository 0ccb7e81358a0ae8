namespace Polymath.Text.Templates;

/// <summary>The variable <c>loop</c> inside a for.</summary>
internal sealed class Loop(List<TemplateValue> items, int depth)
{
    /// <summary>Entries of the value, and as much again for what they hold.</summary>
    public const int Size = 26;

    private TemplateValue? _changed;

    /// <summary>The pass, from 0.</summary>
    public int Index { get; set; }

    /// <summary>This pass as a value.</summary>
    public MapValue Value
    {
        get
        {
            int index = Index, count = items.Count;
            var map = new MapValue();
            map.Entries["index"] = index + 1;
            map.Entries["index0"] = index;
            map.Entries["revindex"] = count - index;
            map.Entries["revindex0"] = count - index - 1;
            map.Entries["first"] = index == 0;
            map.Entries["last"] = index == count - 1;
            map.Entries["length"] = count;
            map.Entries["previtem"] = index > 0 ? items[index - 1] : TemplateValue.Undefined;
            map.Entries["nextitem"] = index + 1 < count ? items[index + 1] : TemplateValue.Undefined;
            map.Entries["depth"] = depth + 1;
            map.Entries["depth0"] = depth;
            map.Entries["cycle"] = new FunctionValue("cycle", (evaluator, arguments, _) => arguments.Positional.Count > 0
                ? arguments.Positional[index % arguments.Positional.Count]
                : throw evaluator.Fail("cycle needs values"));
            map.Entries["changed"] = new FunctionValue("changed", (_, arguments, _) => Changed(new ListValue(arguments.Positional)));
            return map;
        }
    }

    private bool Changed(ListValue values)
    {
        bool changed = _changed is not ListValue before || before.Items.Count != values.Items.Count
            || !before.Items.Zip(values.Items).All(pair => Operators.StrictlyEqual(pair.First, pair.Second));
        _changed = values;
        return changed;
    }
}

namespace Polymath.Text.Templates;

/// <summary>Filters of numbers, and those that make numbers.</summary>
internal static class NumberFilters
{
    public static HashSet<string> Names { get; } = ["int", "float", "abs", "round", "bool"];

    /// <summary>The result, or null where the filter does not take the value.</summary>
    public static TemplateValue? Apply(Evaluator evaluator, string name, TemplateValue operand, Arguments arguments) => name switch
    {
        "int" => Integer(operand, arguments),
        "float" => Float(operand, arguments),
        "abs" => operand switch
        {
            IntegerValue { Value: not long.MinValue } number => TemplateValue.FromInt64(Math.Abs(number.Value)),
            FloatValue number => TemplateValue.FromDouble(Math.Abs(number.Value)),
            _ => null,
        },
        "round" => Round(evaluator, operand, arguments),
        "bool" => operand switch
        {
            BoolValue => operand,
            StringValue text => TextRules.Lower(text.Value) is "true" or "yes" or "on" or "1",
            IntegerValue number => number.Value == 1,
            NullValue or UndefinedValue => false,
            _ => null,
        },
        _ => null,
    };

    private static TemplateValue? Integer(TemplateValue operand, Arguments arguments) => operand switch
    {
        IntegerValue => operand,
        FloatValue number => Whole(Math.Floor(number.Value)),
        BoolValue flag => TemplateValue.FromInt64(flag.Value ? 1 : 0),
        StringValue text => NumberText.Leading(text.Value, whole: true) is { } number ? Whole(number) : arguments.Get(0, "default") ?? TemplateValue.FromInt64(0),
        _ => null,
    };

    private static TemplateValue? Float(TemplateValue operand, Arguments arguments) => operand switch
    {
        IntegerValue number => (double)number.Value,
        FloatValue => operand,
        BoolValue flag => TemplateValue.FromDouble(flag.Value ? 1 : 0),
        StringValue text => NumberText.Leading(text.Value, whole: false) is { } number ? TemplateValue.FromDouble(number) : arguments.Get(0, "default") ?? TemplateValue.FromDouble(0),
        _ => null,
    };

    private static TemplateValue Whole(double number) =>
        Math.Abs(number) < long.MaxValue ? TemplateValue.FromInt64((long)number) : TemplateValue.FromDouble(number);

    private static TemplateValue? Round(Evaluator evaluator, TemplateValue operand, Arguments arguments)
    {
        if (operand is not (IntegerValue or FloatValue))
            return null;
        double number = Operators.Number(operand)!.Value;
        long places = Filters.Integer(evaluator, arguments, 0, "precision", 0);
        if (places is < 0 or > 15)
            throw evaluator.Fail("the precision must be from 0 to 15");
        double scale = Math.Pow(10, places);
        return (arguments.Get(1, "method") is { } method ? Filters.Text(evaluator, method) : "common") switch
        {
            "common" => Math.Round(number, (int)places, MidpointRounding.ToEven),
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ => throw evaluator.Fail("the method must be 'common', 'ceil' or 'floor'"),
        };
    }
}

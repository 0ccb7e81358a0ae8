namespace Polymath.Text.Templates;

/// <summary>What may stand after <c>is</c>, and in select and its kin.</summary>
internal static class Tests
{
    public static bool Passes(Evaluator evaluator, string name, TemplateValue value, List<TemplateValue> arguments)
    {
        switch (name)
        {
            case "defined": return value is not UndefinedValue;
            case "undefined": return value is UndefinedValue;
            case "none": return value is NullValue;
            case "boolean": return value is BoolValue;
            case "true": return value is BoolValue { Value: true };
            case "false": return value is BoolValue { Value: false };
            case "string": return value is StringValue;
            case "number": return value is IntegerValue or FloatValue;
            case "integer": return value is IntegerValue;
            case "float": return value is FloatValue;
            case "mapping": return value is MapValue;
            case "iterable": return value is ListValue or StringValue; // not maps: so has the reference
            case "sequence": return value is ListValue or MapValue or StringValue;
            case "callable": return value is FunctionValue;
            case "escaped": return false;
            case "odd": return Integer(evaluator, value) % 2 != 0;
            case "even": return Integer(evaluator, value) % 2 == 0;
            case "divisibleby":
                long divisor = Integer(evaluator, Argument(evaluator, name, arguments));
                return divisor is not 0 ? divisor == -1 || Integer(evaluator, value) % divisor == 0 : throw evaluator.Fail("division by zero");
            case "lower": return value is StringValue lower && lower.Value == TextRules.Lower(lower.Value);
            case "upper": return value is StringValue upper && upper.Value == TextRules.Upper(upper.Value);
            case "filter": return value is StringValue filter && Filters.Exists(filter.Value);
            default: return Compares(evaluator, name, value, arguments);
        }
    }

    private static bool Compares(Evaluator evaluator, string name, TemplateValue value, List<TemplateValue> arguments)
    {
        switch (name)
        {
            case "eq" or "equalto" or "==":
                return Operators.StrictlyEqual(value, Argument(evaluator, name, arguments));
            case "ne" or "!=":
                return !Operators.StrictlyEqual(value, Argument(evaluator, name, arguments));
            case "sameas":
                return Operators.StrictlyEqual(value, Argument(evaluator, name, arguments));
            case "in":
                return Operators.Binary(evaluator, "in", value, Argument(evaluator, name, arguments)).IsTrue;
        }

        string? operation = name switch
        {
            "lt" or "lessthan" or "<" => "<",
            "le" or "<=" => "<=",
            "gt" or "greaterthan" or ">" => ">",
            "ge" or ">=" => ">=",
            _ => null,
        };
        return operation is not null
            ? Operators.Binary(evaluator, operation, value, Argument(evaluator, name, arguments)).IsTrue
            : throw evaluator.Fail($"unknown test {name}");
    }

    private static long Integer(Evaluator evaluator, TemplateValue value) =>
        value is IntegerValue number ? number.Value : throw evaluator.Fail($"{ValueText.Name(value)} where an integer is needed");

    private static TemplateValue Argument(Evaluator evaluator, string name, List<TemplateValue> arguments) =>
        arguments.Count > 0 ? arguments[0] : throw evaluator.Fail($"the test {name} needs a value");
}

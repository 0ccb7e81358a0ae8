using System.Globalization;

namespace Polymath.Text.Templates;

/// <summary>Operators. They accept and refuse what the reference engine does; equality of lists and maps is identity, as there.</summary>
internal static class Operators
{
    public static TemplateValue Unary(Evaluator evaluator, string operation, TemplateValue value)
    {
        if (operation == "not")
            return !value.IsTrue;
        int sign = operation == "-" ? -1 : 1;
        return value switch
        {
            IntegerValue { Value: not long.MinValue } number => TemplateValue.FromInt64(sign * number.Value),
            FloatValue number => TemplateValue.FromDouble(sign * number.Value),
            BoolValue flag => TemplateValue.FromInt64(flag.Value ? sign : 0),
            _ => throw evaluator.Fail($"cannot put {operation} before {ValueText.Name(value)}"),
        };
    }

    public static TemplateValue Binary(Evaluator evaluator, string operation, TemplateValue left, TemplateValue right)
    {
        if (operation is "==" or "!=")
            return LooselyEqual(evaluator, left, right) == (operation == "==");
        if (right is UndefinedValue && operation is "in" or "not in")
            return operation == "not in";
        if (left is UndefinedValue or NullValue || right is UndefinedValue or NullValue)
            throw evaluator.Fail($"cannot compute {ValueText.Name(left)} {operation} {ValueText.Name(right)}");
        TemplateValue? result = operation switch
        {
            "~" => Concatenate(evaluator, left, right),
            "in" => Contains(evaluator, left, right),
            "not in" => Contains(evaluator, left, right) is BoolValue found ? !found.Value : null,
            "+" when left is ListValue a && right is ListValue b => Joined(evaluator, a.Items, b.Items),
            "+" when left is StringValue || right is StringValue => Concatenate(evaluator, left, right),
            "*" when left is StringValue text && right is IntegerValue count => Repeated(evaluator, text.Value, count.Value),
            "**" => Power(evaluator, left, right),
            _ => Arithmetic(evaluator, operation, left, right) ?? Ordered(operation, left, right),
        };
        return result ?? throw evaluator.Fail($"cannot compute {ValueText.Name(left)} {operation} {ValueText.Name(right)}");
    }

    /// <summary>Equal in kind and value; whole and floating-point numbers are one kind, lists and maps equal themselves only.</summary>
    public static bool StrictlyEqual(TemplateValue a, TemplateValue b) => (a, b) switch
    {
        (StringValue x, StringValue y) => x.Value == y.Value,
        (IntegerValue x, IntegerValue y) => x.Value == y.Value,
        (BoolValue x, BoolValue y) => x.Value == y.Value,
        (IntegerValue or FloatValue, IntegerValue or FloatValue) => Number(a)!.Value == Number(b)!.Value,
        (UndefinedValue, UndefinedValue) or (NullValue, NullValue) => true,
        _ => ReferenceEquals(a, b),
    };

    /// <summary>Smaller, equal or larger; numbers with numbers, texts with texts.</summary>
    public static int Compare(Evaluator evaluator, TemplateValue a, TemplateValue b, bool caseSensitive)
    {
        evaluator.Work(0);
        if (a is StringValue x && b is StringValue y)
        {
            evaluator.Work(Math.Min(x.Value.Length, y.Value.Length) * 4L);
            return caseSensitive
                ? string.CompareOrdinal(x.Value, y.Value)
                : string.CompareOrdinal(TextRules.Lower(x.Value), TextRules.Lower(y.Value));
        }

        if (a is IntegerValue first && b is IntegerValue second)
            return first.Value.CompareTo(second.Value);
        if (Number(a) is { } left && Number(b) is { } right)
            return left < right ? -1 : left > right ? 1 : 0;
        if ((a is NullValue && b is NullValue) || (a is UndefinedValue && b is UndefinedValue))
            return 0;
        throw evaluator.Fail($"cannot compare {ValueText.Name(a)} with {ValueText.Name(b)}");
    }

    /// <summary>A number or a bool as a number, else null.</summary>
    public static double? Number(TemplateValue value) => value switch
    {
        IntegerValue number => number.Value,
        FloatValue number => number.Value,
        BoolValue flag => flag.Value ? 1 : 0,
        _ => null,
    };

    /// <summary>Work of looking for a text in another.</summary>
    public static void Search(Evaluator evaluator, string text, string part) =>
        evaluator.Work(text.Length + (((long)text.Length * part.Length) >> 4));

    private static bool LooselyEqual(Evaluator evaluator, TemplateValue a, TemplateValue b)
    {
        if (a is UndefinedValue or NullValue || b is UndefinedValue or NullValue)
            return a is UndefinedValue or NullValue && b is UndefinedValue or NullValue;
        if (a is StringValue x && b is StringValue y)
        {
            evaluator.Work(Math.Min(x.Value.Length, y.Value.Length));
            return x.Value == y.Value;
        }

        bool compound = IsCompound(a);
        if (compound && IsCompound(b))
            return ReferenceEquals(a, b);
        if (compound || IsCompound(b))
        {
            string text = ValueText.ToPlainText(evaluator, compound ? a : b);
            return LooselyEqual(evaluator, compound ? b : a, new StringValue(text));
        }

        if (a is IntegerValue && b is IntegerValue)
            return StrictlyEqual(a, b);
        return Loose(a) == Loose(b);
    }

    private static bool IsCompound(TemplateValue value) => value is ListValue or MapValue or NamespaceValue or FunctionValue;

    private static double Loose(TemplateValue value)
    {
        if (value is not StringValue text)
            return Number(value) ?? double.NaN;
        string trimmed = TextRules.Trim(text.Value);
        return trimmed.Length == 0 ? 0
            : trimmed.Length <= 64 && double.TryParse(trimmed, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture, out double number) && !char.IsLetter(trimmed[^1]) ? number
            : double.NaN;
    }

    private static StringValue Concatenate(Evaluator evaluator, TemplateValue left, TemplateValue right)
    {
        string a = ValueText.ToPlainText(evaluator, left), b = ValueText.ToPlainText(evaluator, right);
        evaluator.MakeText((long)a.Length + b.Length);
        return new StringValue(a + b);
    }

    /// <summary>A text so many times, as Python does; the reference engine refuses it, but templates for images need it.</summary>
    private static StringValue Repeated(Evaluator evaluator, string text, long count)
    {
        count = Math.Clamp(count, 0, int.MaxValue);
        evaluator.MakeText(text.Length * count);   // refuses what is too long
        return new StringValue(new System.Text.StringBuilder().Insert(0, text, (int)count).ToString());
    }

    private static ListValue Joined(Evaluator evaluator, List<TemplateValue> a, List<TemplateValue> b)
    {
        evaluator.MakeItems((long)a.Count + b.Count);
        return new ListValue([.. a, .. b]);
    }

    private static TemplateValue? Contains(Evaluator evaluator, TemplateValue item, TemplateValue container)
    {
        switch (container)
        {
            case ListValue list:
                evaluator.Work(list.Items.Count << 3);
                return list.Items.Exists(other => Same(evaluator, other, item));
            case StringValue text when item is StringValue part:
                Search(evaluator, text.Value, part.Value);
                return text.Value.Contains(part.Value, StringComparison.Ordinal);
            case MapValue map when item is StringValue key:
                return map.Entries.ContainsKey(key.Value);
            default:
                return null;
        }
    }

    private static bool Same(Evaluator evaluator, TemplateValue a, TemplateValue b)
    {
        if (a is StringValue x && b is StringValue y && x.Value.Length == y.Value.Length)
            evaluator.Work(x.Value.Length);
        return StrictlyEqual(a, b);
    }

    private static TemplateValue? Power(Evaluator evaluator, TemplateValue left, TemplateValue right)
    {
        if (Number(left) is not { } a || Number(right) is not { } b)
            return null;
        double result = Math.Pow(a, b);
        if (!double.IsFinite(result))
            throw evaluator.Fail("the power is no finite number");
        bool whole = left is not FloatValue && right is not FloatValue && b >= 0;
        return whole && Math.Abs(result) < long.MaxValue ? TemplateValue.FromInt64(IntegerPower((long)a, (long)b)) : TemplateValue.FromDouble(result);
    }

    private static long IntegerPower(long value, long exponent)
    {
        long result = 1;
        for (; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
                result *= value;
            value *= value;
        }

        return result;
    }

    private static TemplateValue? Arithmetic(Evaluator evaluator, string operation, TemplateValue left, TemplateValue right)
    {
        if (left is not (IntegerValue or FloatValue) || right is not (IntegerValue or FloatValue))
            return null;
        double a = Number(left)!.Value, b = Number(right)!.Value;
        if (operation is "/" or "//" or "%" && b == 0)
            throw evaluator.Fail("division by zero");
        if (left is not IntegerValue x || right is not IntegerValue y || operation == "/")
        {
            return operation switch
            {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" => a / b,
                "//" => Math.Floor(a / b),
                "%" => a % b,
                _ => null,
            };
        }

        Int128 p = x.Value, q = y.Value;
        Int128? result = operation switch
        {
            "+" => p + q,
            "-" => p - q,
            "*" => p * q,
            "//" => (p / q) - (p % q != 0 && (p < 0) != (q < 0) ? 1 : 0),
            "%" => p % q,
            _ => null,
        };
        if (result is not { } whole)
            return null;
        return whole >= long.MinValue && whole <= long.MaxValue ? (long)whole : throw evaluator.Fail("a number of more than 64 bits");
    }

    private static TemplateValue? Ordered(string operation, TemplateValue left, TemplateValue right)
    {
        int order;
        if (left is StringValue x && right is StringValue y)
            order = string.CompareOrdinal(x.Value, y.Value);
        else if (left is IntegerValue i && right is IntegerValue j)
            order = i.Value.CompareTo(j.Value);
        else if (left is IntegerValue or FloatValue && right is IntegerValue or FloatValue)
            order = Number(left)!.Value.CompareTo(Number(right)!.Value);
        else
            return null;
        return operation switch
        {
            "<" => order < 0,
            ">" => order > 0,
            "<=" => order <= 0,
            ">=" => order >= 0,
            _ => null,
        };
    }
}

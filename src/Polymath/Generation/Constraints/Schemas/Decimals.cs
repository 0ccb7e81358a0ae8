using System.Globalization;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>Numbers by their digits, and automata of the numbers on one side of them or divisible by them. Exact.</summary>
/// <param name="Negative">True below zero.</param>
/// <param name="Whole">Digits before the point, without leading zeros; "0" for none.</param>
/// <param name="Fraction">Digits behind it, without trailing zeros.</param>
internal readonly record struct Decimals(bool Negative, string Whole, string Fraction)
{
    private const int MostDigits = 400;
    private const int MostStates = 40_000;

    private static readonly Expression s_digit = Digits('0', '9');
    private static readonly Expression s_digits = Expression.Times(s_digit, 0, null);
    private static readonly Expression s_fraction = Expression.Maybe(Expression.All(Expression.Literal("."), s_digit, s_digits));
    private static readonly Expression s_aboveZero = Expression.All(s_digits, Digits('1', '9'), s_digits);

    private static readonly Expression s_unsigned =
        Expression.All(Expression.Any(Digits('0', '0'), Expression.All(Digits('1', '9'), s_digits)), s_fraction);

    private bool IsZero => Whole == "0" && Fraction.Length == 0;

    /// <summary>Reads a number of JSON; null when it has too many digits.</summary>
    public static Decimals? Parse(string number)
    {
        bool negative = number[0] == '-';
        int e = number.AsSpan().IndexOfAny('e', 'E');
        string digits = e < 0 ? number[(negative ? 1 : 0)..] : number[(negative ? 1 : 0)..e];
        int exponent = 0;
        if (e >= 0 && (!int.TryParse(number.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)
            || Math.Abs(exponent) > MostDigits))
            return null;
        int point = digits.IndexOf('.', StringComparison.Ordinal);
        string whole = point < 0 ? digits : digits[..point], fraction = point < 0 ? "" : digits[(point + 1)..];
        if (whole.Length + fraction.Length > MostDigits)
            return null;
        if (exponent > 0)
        {
            fraction = fraction.PadRight(exponent, '0');
            (whole, fraction) = (whole + fraction[..exponent], fraction[exponent..]);
        }
        else if (exponent < 0)
        {
            whole = whole.PadLeft(1 - exponent, '0');
            (whole, fraction) = (whole[..^-exponent], whole[^-exponent..] + fraction);
        }

        whole = whole.TrimStart('0');
        fraction = fraction.TrimEnd('0');
        return new Decimals(negative && whole.Length + fraction.Length > 0, whole.Length == 0 ? "0" : whole, fraction);
    }

    /// <summary>True for a number without a fraction.</summary>
    public bool IsInteger => Fraction.Length == 0;

    /// <summary>The number without an exponent.</summary>
    public override string ToString() => (Negative ? "-" : "") + Whole + (Fraction.Length > 0 ? "." + Fraction : "");

    /// <summary>Numbers from this one on; <paramref name="strict"/> leaves it out.</summary>
    public ByteDfa AtLeast(bool strict, CompileBudget budget) => ByteDfa.Of(
        Negative
            ? Expression.Any(s_unsigned, Expression.All(Expression.Literal("-"), Below(strict)))
            : Above(strict),
        budget);

    /// <summary>Numbers up to this one; <paramref name="strict"/> leaves it out.</summary>
    public ByteDfa AtMost(bool strict, CompileBudget budget) => ByteDfa.Of(
        Negative
            ? Expression.All(Expression.Literal("-"), Above(strict))
            : Expression.Any(Below(strict), Expression.All(Expression.Literal("-"), IsZero && strict ? Above(strict) : s_unsigned)),
        budget);

    /// <summary>Numbers that are this one times an integer; null when that takes too many states.</summary>
    public ByteDfa? Multiples(CompileBudget budget)
    {
        if (IsZero || Negative || !int.TryParse(Whole + Fraction, NumberStyles.None, CultureInfo.InvariantCulture, out int divisor)
            || (long)divisor * (Fraction.Length + 3) > MostStates)
            return null;
        int places = Fraction.Length;
        var builder = new ByteDfa.Builder();
        var ids = new Dictionary<(int Phase, int Remainder), int>();
        var open = new Queue<(int Phase, int Remainder)>();
        const int Start = -3, Signed = -2, Whole_ = -1;   // then the number of digits behind the point, so far
        Id(Start, 0);
        while (open.TryDequeue(out (int Phase, int Remainder) at))
        {
            int state = ids[at];
            budget.Charge(1);
            if (at.Phase == Start)
                builder.Connect(state, (byte)'-', (byte)'-', Id(Signed, 0));
            if (at.Phase == Whole_)
                builder.Connect(state, (byte)'.', (byte)'.', Id(0, at.Remainder));
            if (at.Phase >= Whole_ && DividesAt(at.Phase, at.Remainder))
                builder.Accept(state);
            for (int digit = 0; digit < 10; digit++)
            {
                bool past = at.Phase >= places;   // behind the last place that can be, only zeros
                if (past && digit > 0)
                    break;
                (int, int) next = at.Phase < 0 ? (Whole_, ((at.Remainder * 10) + digit) % divisor)
                    : past ? (at.Phase, at.Remainder) : (at.Phase + 1, ((at.Remainder * 10) + digit) % divisor);
                builder.Connect(state, (byte)('0' + digit), (byte)('0' + digit), Id(next.Item1, next.Item2));
            }
        }

        return builder.Build(budget).And(ByteDfa.Of(Expression.All(Expression.Maybe(Expression.Literal("-")), s_unsigned), budget), budget);

        bool DividesAt(int phase, int rest)
        {
            for (int i = Math.Max(phase, 0); i < places; i++)
                rest = rest * 10 % divisor;
            return rest == 0;
        }

        int Id(int phase, int rest)
        {
            if (ids.TryGetValue((phase, rest), out int id))
                return id;
            id = builder.Add();
            ids.Add((phase, rest), id);
            open.Enqueue((phase, rest));
            return id;
        }
    }

    /// <summary>Numbers without a sign, from the size of this one on.</summary>
    private Expression Above(bool strict)
    {
        var ways = new List<Expression>
        {
            Expression.All(Digits('1', '9'), Expression.Times(s_digit, Whole.Length, null), s_fraction),   // more digits
            Expression.All(Expression.Literal(Whole), FractionAbove(0, strict)),
        };
        for (int i = 0; i < Whole.Length; i++)
            ways.Add(Differing(i, (char)(Whole[i] + 1), '9'));
        return Expression.Any([.. ways]);
    }

    /// <summary>Numbers without a sign, up to the size of this one.</summary>
    private Expression Below(bool strict)
    {
        var ways = new List<Expression> { Expression.All(Expression.Literal(Whole), FractionBelow(0, strict)) };
        if (Whole.Length > 1)
        {
            Expression fewer = Expression.All(Digits('1', '9'), Expression.Times(s_digit, 0, Whole.Length - 2));
            ways.Add(Expression.All(Expression.Any(Digits('0', '0'), fewer), s_fraction));
        }

        for (int i = 0; i < Whole.Length; i++)
            ways.Add(Differing(i, i == 0 && Whole.Length > 1 ? '1' : '0', (char)(Whole[i] - 1)));
        return Expression.Any([.. ways]);
    }

    /// <summary>As many digits as this one has, equal up to one that is between two.</summary>
    private Expression Differing(int index, char first, char last) => Expression.All(
        Expression.Literal(Whole[..index]), Digits(first, last),
        Expression.Times(s_digit, Whole.Length - index - 1, Whole.Length - index - 1), s_fraction);

    private Expression FractionAbove(int index, bool strict)
    {
        if (Fraction.Length == 0)
            return strict ? Expression.All(Expression.Literal("."), s_aboveZero) : s_fraction;
        Expression more = index == Fraction.Length - 1 ? strict ? s_aboveZero : s_digits : FractionAbove(index + 1, strict);
        Expression from = Expression.Any(
            Expression.All(Digits((char)(Fraction[index] + 1), '9'), s_digits), Expression.All(Expression.Literal(Fraction[index..(index + 1)]), more));
        return index == 0 ? Expression.All(Expression.Literal("."), from) : from;
    }

    private Expression FractionBelow(int index, bool strict)
    {
        if (Fraction.Length == 0)
        {
            return strict ? Expression.Never
                : Expression.Maybe(Expression.All(Expression.Literal("."), Expression.Times(Digits('0', '0'), 1, null)));
        }

        Expression more = index < Fraction.Length - 1 ? Expression.Maybe(FractionBelow(index + 1, strict))
            : strict ? Expression.Never : Expression.Times(Digits('0', '0'), 0, null);
        Expression from = Expression.Any(
            Expression.All(Digits('0', (char)(Fraction[index] - 1)), s_digits), Expression.All(Expression.Literal(Fraction[index..(index + 1)]), more));
        return index == 0 ? Expression.Maybe(Expression.All(Expression.Literal("."), from)) : from;
    }

    private static Expression Digits(char first, char last) =>
        first > last ? Expression.Never : Expression.Character(CodePointSet.Of((first, last)));
}

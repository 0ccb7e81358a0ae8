using System.Globalization;
using System.Text;

namespace Polymath.Text.Templates;

/// <summary>Expressions, from those that bind least to those that bind most.</summary>
internal sealed partial class Parser
{
    /// <summary>Most operators, members, calls and filters in a row.</summary>
    private const int LongestChain = 400;

    private static readonly string[] Comparisons = ["<", ">", "<=", ">=", "==", "!="], Sums = ["+", "-", "~"], Products = ["*", "/", "//", "%"];

    private Expression Expression()
    {
        Enter();
        Expression value = Or();
        if (IsName("if"))
        {
            int position = Current.Position;
            _at++;
            Expression condition = Or();
            value = new ConditionalNode(position, condition, value, TakeName("else") ? Expression() : null);
        }

        _depth--;
        return value;
    }

    /// <summary>An expression, or several with commas between them, which are a tuple.</summary>
    private Expression Sequence()
    {
        int position = Current.Position;
        Expression first = Expression();
        if (!IsMark(","))
            return first;
        var items = new List<Expression> { first };
        while (TakeMark(","))
        {
            if (IsMark(")") || Current.Kind == TokenKind.CloseStatement)
                break;
            items.Add(Expression());
        }

        return new ListNode(position, [.. items], isTuple: true);
    }

    private Expression Or()
    {
        Expression left = And();
        for (int chain = 0; IsName("or"); CheckChain(++chain))
            left = new BinaryNode(Advance(), "or", left, And());
        return left;
    }

    private Expression And()
    {
        Expression left = Not();
        for (int chain = 0; IsName("and"); CheckChain(++chain))
            left = new BinaryNode(Advance(), "and", left, Not());
        return left;
    }

    private Expression Not()
    {
        if (!IsName("not"))
            return Comparison();
        Enter();
        var value = new UnaryNode(Advance(), "not", Not());
        _depth--;
        return value;
    }

    private Expression Comparison()
    {
        Expression left = Sum();
        for (int chain = 0; ; CheckChain(++chain))
        {
            Token token = Current;
            bool notIn = IsName("not") && _tokens[_at + 1] is { Kind: TokenKind.Name, Text: "in" };
            if (notIn)
                _at += 2;
            else if (IsName("in") || IsAny(Comparisons))
                _at++;
            else
                return left;
            left = new BinaryNode(token.Position, notIn ? "not in" : token.Text, left, Sum());
        }
    }

    private Expression Sum()
    {
        Expression left = Product();
        for (int chain = 0; IsAny(Sums); CheckChain(++chain))
            left = new BinaryNode(Current.Position, Operation(), left, Product());
        return left;
    }

    private Expression Product()
    {
        Expression left = Power();
        for (int chain = 0; IsAny(Products); CheckChain(++chain))
            left = new BinaryNode(Current.Position, Operation(), left, Power());
        return left;
    }

    /// <summary>From left to right, as Jinja has it and Python has not.</summary>
    private Expression Power()
    {
        Expression left = Test();
        for (int chain = 0; IsMark("**"); CheckChain(++chain))
            left = new BinaryNode(Current.Position, Operation(), left, Test());
        return left;
    }

    private Expression Test()
    {
        Expression operand = Filtered();
        for (int chain = 0; IsName("is"); CheckChain(++chain))
        {
            int position = Advance();
            bool negated = TakeName("not");
            string name = IsAny(Comparisons) ? Operation() : Expect(TokenKind.Name);
            operand = new TestNode(position, operand, name, TestArguments(), negated);
        }

        return operand;
    }

    /// <summary>In brackets, or one value without them.</summary>
    private ArgumentNode[] TestArguments()
    {
        if (IsMark("("))
            return ArgumentList();
        bool value = Current.Kind is TokenKind.Number or TokenKind.String || IsMark("[") || IsMark("{")
            || (Current.Kind == TokenKind.Name && Current.Text is not ("and" or "or" or "not" or "if" or "else" or "is" or "in"));
        return value ? [new ArgumentNode(ArgumentKind.Positional, "", Postfix())] : [];
    }

    private Expression Filtered()
    {
        Expression operand = Signed();
        for (int chain = 0; IsMark("|"); CheckChain(++chain))
            operand = Filter(operand);
        return operand;
    }

    private FilterNode Filter(Expression? operand)
    {
        ExpectMark("|");
        return FilterCall(operand);
    }

    private FilterNode FilterCall(Expression? operand)
    {
        int position = Current.Position;
        string name = Expect(TokenKind.Name);
        return new FilterNode(position, operand, name, IsMark("(") ? ArgumentList() : []);
    }

    private Expression Signed()
    {
        if (!IsMark("-") && !IsMark("+"))
            return Postfix();
        Enter();
        int position = Current.Position;
        var value = new UnaryNode(position, Operation(), Signed());
        _depth--;
        return value;
    }

    /// <summary>A value with members, indices and calls after it.</summary>
    private Expression Postfix()
    {
        Expression value = Primary();
        for (int chain = 0; ; CheckChain(++chain))
        {
            int position = Current.Position;
            if (IsMark("("))
            {
                value = new CallNode(position, value, ArgumentList());
            }
            else if (TakeMark("."))
            {
                value = Current.Kind == TokenKind.Number
                    ? new IndexNode(position, value, Number())
                    : new MemberNode(position, value, Expect(TokenKind.Name));
            }
            else if (TakeMark("["))
            {
                value = Subscript(position, value);
            }
            else
            {
                return value;
            }
        }
    }

    private Expression Subscript(int position, Expression target)
    {
        var bounds = new List<Expression?>();
        bool isSlice = false;
        while (!IsMark("]"))
        {
            bounds.Add(IsMark(":") ? null : Expression());
            isSlice |= IsMark(":");
            if (!TakeMark(":") && !IsMark("]"))
                throw Unexpected();
        }

        if (bounds.Count == 0 || bounds.Count > 3)
            throw Bad("an index of no or too many parts");
        _at++;
        return isSlice ? new SliceNode(position, target, [.. bounds]) : new IndexNode(position, target, bounds[0]!);
    }

    private ArgumentNode[] ArgumentList()
    {
        ExpectMark("(");
        var arguments = new List<ArgumentNode>();
        while (!TakeMark(")"))
        {
            ArgumentNode argument = Argument();
            bool late = argument.Kind == ArgumentKind.Positional && arguments.Exists(a => a.Kind != ArgumentKind.Positional);
            if (late || arguments is [.., { Kind: ArgumentKind.NamedSpread }])
                throw Bad("arguments without a name stand before those with one");
            arguments.Add(argument);
            if (!TakeMark(",") && !IsMark(")"))
                throw Unexpected();
        }

        return [.. arguments];
    }

    private ArgumentNode Argument()
    {
        if (TakeMark("**"))
            return new ArgumentNode(ArgumentKind.NamedSpread, "", Expression());
        if (TakeMark("*"))
            return new ArgumentNode(ArgumentKind.Spread, "", Expression());
        if (Current.Kind != TokenKind.Name || _tokens[_at + 1] is not { Kind: TokenKind.Mark, Text: "=" })
            return new ArgumentNode(ArgumentKind.Positional, "", Expression());
        string name = Current.Text;
        _at += 2;
        return new ArgumentNode(ArgumentKind.Named, name, Expression());
    }

    private Expression Primary()
    {
        Token token = Current;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return Number();
            case TokenKind.String:
                var text = new StringBuilder();
                while (Current.Kind == TokenKind.String)
                    text.Append(_tokens[_at++].Text);
                return new LiteralNode(token.Position, text.ToString());
            case TokenKind.Name:
                _at++;
                Read(token.Text);
                return new NameNode(token.Position, token.Text);
            default:
                return TakeMark("(") ? Parenthesized(token.Position)
                    : TakeMark("[") ? List(token.Position)
                    : TakeMark("{") ? Map(token.Position)
                    : throw Unexpected();
        }
    }

    private Expression Parenthesized(int position)
    {
        Expression value = IsMark(")") ? new ListNode(position, [], isTuple: true) : Sequence();
        ExpectMark(")");
        return value;
    }

    private ListNode List(int position)
    {
        var items = new List<Expression>();
        while (!TakeMark("]"))
        {
            items.Add(Expression());
            if (!TakeMark(",") && !IsMark("]"))
                throw Unexpected();
        }

        return new ListNode(position, [.. items], isTuple: false);
    }

    private MapNode Map(int position)
    {
        var entries = new List<(Expression, Expression)>();
        while (!TakeMark("}"))
        {
            Expression key = Expression();
            ExpectMark(":");
            entries.Add((key, Expression()));
            if (!TakeMark(",") && !IsMark("}"))
                throw Unexpected();
        }

        return new MapNode(position, [.. entries]);
    }

    private LiteralNode Number()
    {
        Token token = Current;
        string digits = Expect(TokenKind.Number);
        if (digits.Contains('.', StringComparison.Ordinal))
            return new LiteralNode(token.Position, double.Parse(digits, CultureInfo.InvariantCulture));
        return long.TryParse(digits, CultureInfo.InvariantCulture, out long whole)
            ? new LiteralNode(token.Position, whole)
            : throw new TemplateException("a number of more than 64 bits", _source, token.Position);
    }

    private void Read(string variable)
    {
        _variables.Add(variable);
        _namedUses += variable == "kwargs" ? 1 : 0;
        _positionalUses += variable == "varargs" ? 1 : 0;
    }

    private int Advance() => _tokens[_at++].Position;

    private string Operation() => _tokens[_at++].Text;

    private bool IsName(string name) => Current.Kind == TokenKind.Name && Current.Text == name;

    private bool TakeName(string name)
    {
        bool found = IsName(name);
        _at += found ? 1 : 0;
        return found;
    }

    private bool IsMark(string mark) => Current.Kind == TokenKind.Mark && Current.Text == mark;

    private bool IsAny(string[] marks) => Current.Kind == TokenKind.Mark && marks.AsSpan().Contains(Current.Text);

    private bool TakeMark(string mark)
    {
        bool found = IsMark(mark);
        _at += found ? 1 : 0;
        return found;
    }

    private void ExpectMark(string mark)
    {
        if (!TakeMark(mark))
            throw Unexpected();
    }

    private void CheckChain(int length)
    {
        if (length > LongestChain)
            throw Bad($"more than {LongestChain} parts in a row");
    }
}

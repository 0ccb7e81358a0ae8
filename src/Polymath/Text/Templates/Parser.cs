namespace Polymath.Text.Templates;

/// <summary>Statements from tokens; the expressions in them are read in Parser.Expressions.cs.</summary>
internal sealed partial class Parser
{
    /// <summary>Most statements and expressions inside each other.</summary>
    private const int Deepest = 128;

    private readonly string _source;
    private readonly List<Token> _tokens;
    private readonly HashSet<string> _variables = new(StringComparer.Ordinal);
    private int _at;
    private int _depth;
    private int _namedUses, _positionalUses; // how often kwargs and varargs were read so far

    private Parser(string source)
    {
        _source = source;
        _tokens = Lexer.Read(source);
    }

    /// <summary>The statements of a template and the names of the variables it reads.</summary>
    /// <exception cref="TemplateException">No valid template.</exception>
    public static (Node[] Body, HashSet<string> Variables) Parse(string source)
    {
        var parser = new Parser(source);
        Node[] body = parser.Block();
        if (parser.Current.Kind != TokenKind.End)
            throw parser.Unexpected();
        return (body, parser._variables);
    }

    private Token Current => _tokens[_at];

    /// <summary>Statements up to one of the names that end the block, which stays to be read; or the end.</summary>
    private Node[] Block(params ReadOnlySpan<string> ends)
    {
        Enter();
        var nodes = new List<Node>();
        while (Current.Kind != TokenKind.End)
        {
            Token token = Current;
            if (token.Kind == TokenKind.OpenStatement && _tokens[_at + 1].Kind == TokenKind.Name && ends.Contains(_tokens[_at + 1].Text))
                break;
            if (token.Kind == TokenKind.Comment)
                _at++;
            else
                nodes.Add(Statement(token));
        }

        if (ends.Length > 0 && Current.Kind == TokenKind.End)
            throw Bad($"{ends[^1]} is missing");
        _depth--;
        return [.. nodes];
    }

    private Node Statement(Token token)
    {
        _at++;
        switch (token.Kind)
        {
            case TokenKind.Text:
                return new TextNode(token.Position, token.Text);
            case TokenKind.OpenExpression:
                var output = new OutputNode(token.Position, Expression());
                Expect(TokenKind.CloseExpression);
                return output;
            case TokenKind.OpenStatement:
                return Tag(token.Position);
            default:
                _at--;
                throw Unexpected();
        }
    }

    private Node Tag(int position)
    {
        string name = Expect(TokenKind.Name);
        switch (name)
        {
            case "if": return If(position);
            case "for": return For(position);
            case "set": return Set(position);
            case "macro": return Macro(position);
            case "call": return CallBlock(position);
            case "filter": return FilterBlock(position);
            case "with": return With(position);
            case "do":
                var run = new DoNode(position, Sequence());
                Close();
                return run;
            case "break" or "continue":
                Close();
                return new JumpNode(position, name == "break");
            default:
                _at--;
                throw Bad($"unknown statement {name}");
        }
    }

    private IfNode If(int position)
    {
        var branches = new List<(Expression?, Node[])>();
        while (true)
        {
            Expression condition = Expression();
            Close();
            branches.Add((condition, Block("elif", "else", "endif")));
            string next = Ending();
            if (next == "elif")
                continue;
            if (next == "else")
            {
                Close();
                branches.Add((null, Block("endif")));
                Ending();
            }

            Close();
            return new IfNode(position, [.. branches]);
        }
    }

    private ForNode For(int position)
    {
        var targets = new List<string>();
        bool parenthesis = TakeMark("(");
        bool unpacks = false;
        do
        {
            targets.Add(Expect(TokenKind.Name));
            unpacks |= IsMark(",");
        }
        while (TakeMark(",") && !IsName("in"));
        if (parenthesis)
            ExpectMark(")");
        if (!TakeName("in"))
            throw Bad("expected in");
        Expression items = Expression(), filtered = items;
        Expression? condition = null;
        if (filtered is ConditionalNode { Otherwise: null } select)
            (items, condition) = (select.Value, select.Condition);
        Close();
        Node[] body = Block("else", "endfor"), otherwise = [];
        if (Ending() == "else")
        {
            Close();
            otherwise = Block("endfor");
            Ending();
        }

        Close();
        return new ForNode(position, [.. targets], unpacks, items, condition, body, otherwise);
    }

    private SetNode Set(int position)
    {
        Expression target = Target();
        var filters = new List<FilterNode>();
        while (IsMark("|"))
            filters.Add(Filter(null));
        if (filters.Count == 0 && TakeMark("="))
        {
            Expression value = Sequence();
            Close();
            return new SetNode(position, target, value, [], []);
        }

        Close();
        Node[] body = Block("endset");
        Ending();
        Close();
        return new SetNode(position, target, null, [.. filters], body);
    }

    /// <summary>What can be set: a name, a member, or several with commas between them.</summary>
    private Expression Target()
    {
        int position = Current.Position;
        bool parenthesis = TakeMark("(");
        var targets = new List<Expression>();
        do
        {
            Token token = Current;
            Expression target = new NameNode(token.Position, Expect(TokenKind.Name));
            if (IsMark("."))
            {
                Read(token.Text);
                while (TakeMark("."))
                {
                    target = new MemberNode(token.Position, target, Expect(TokenKind.Name));
                    if (targets.Count + _depth > Deepest)
                        throw Bad("too many members");
                }
            }

            targets.Add(target);
        }
        while (TakeMark(",") && !IsMark("=") && !IsMark(")"));
        if (parenthesis)
            ExpectMark(")");
        return targets.Count == 1 ? targets[0] : new ListNode(position, [.. targets], isTuple: true);
    }

    private MacroNode Macro(int position)
    {
        string name = Expect(TokenKind.Name);
        Parameter[] parameters = Parameters();
        Close();
        return new MacroNode(position, Body(name, parameters, "endmacro"));
    }

    private CallBlockNode CallBlock(int position)
    {
        Parameter[] parameters = IsMark("(") ? Parameters() : [];
        if (Postfix() is not CallNode call)
            throw Bad("expected a call");
        Close();
        return new CallBlockNode(position, call, Body("caller", parameters, "endcall"));
    }

    private Callable Body(string name, Parameter[] parameters, string end)
    {
        int named = _namedUses, positional = _positionalUses;
        Node[] body = Block(end);
        Ending();
        Close();
        bool declaresNamed = parameters.Any(p => p.Name == "kwargs"), declaresPositional = parameters.Any(p => p.Name == "varargs");
        return new Callable(name, parameters, body, _namedUses > named && !declaresNamed, _positionalUses > positional && !declaresPositional);
    }

    private Parameter[] Parameters()
    {
        ExpectMark("(");
        var parameters = new List<Parameter>();
        while (!TakeMark(")"))
        {
            string name = Expect(TokenKind.Name);
            if (parameters.Exists(p => p.Name == name))
                throw Bad($"two parameters {name}");
            Expression? fallback = TakeMark("=") ? Expression() : null;
            if (fallback is null && parameters is [.., { Default: not null }])
                throw Bad("a parameter without a default after one with a default");
            parameters.Add(new Parameter(name, fallback));
            if (!TakeMark(",") && !IsMark(")"))
                throw Unexpected();
        }

        return [.. parameters];
    }

    private FilterBlockNode FilterBlock(int position)
    {
        var filters = new List<FilterNode> { FilterCall(null) };
        while (IsMark("|"))
            filters.Add(Filter(null));
        Close();
        Node[] body = Block("endfilter");
        Ending();
        Close();
        return new FilterBlockNode(position, [.. filters], body);
    }

    private WithNode With(int position)
    {
        var variables = new List<(string, Expression)>();
        while (Current.Kind == TokenKind.Name)
        {
            string name = Expect(TokenKind.Name);
            ExpectMark("=");
            variables.Add((name, Expression()));
            if (!TakeMark(","))
                break;
        }

        Close();
        Node[] body = Block("endwith");
        Ending();
        Close();
        return new WithNode(position, [.. variables], body);
    }

    /// <summary>Takes the tag that ended a block and gives its name; what follows the name stays.</summary>
    private string Ending()
    {
        Expect(TokenKind.OpenStatement);
        return Expect(TokenKind.Name);
    }

    private void Close() => Expect(TokenKind.CloseStatement);

    private string Expect(TokenKind kind)
    {
        Token token = Current;
        if (token.Kind != kind)
            throw Unexpected();
        _at++;
        return token.Text;
    }

    private void Enter()
    {
        if (++_depth > Deepest)
            throw Bad($"more than {Deepest} levels of nesting");
    }

    private TemplateException Unexpected() => Bad($"unexpected {(Current.Kind == TokenKind.Text ? "text" : Current.Text)}");

    private TemplateException Bad(string message) => new(message, _source, Current.Position);
}

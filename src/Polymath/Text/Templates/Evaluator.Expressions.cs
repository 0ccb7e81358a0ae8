namespace Polymath.Text.Templates;

/// <summary>Expressions and calls.</summary>
internal sealed partial class Evaluator
{
    /// <summary>The value of an expression.</summary>
    public TemplateValue Evaluate(Expression node, Scope scope)
    {
        Enter(node.Position);
        TemplateValue value = node switch
        {
            LiteralNode literal => literal.Value,
            NameNode name => Find(name.Name, scope),
            MemberNode member => Members.Get(this, Evaluate(member.Target, scope), member.Name),
            IndexNode index => Members.Index(this, Evaluate(index.Target, scope), Evaluate(index.Index, scope)),
            BinaryNode binary => Binary(binary, scope),
            UnaryNode unary => Operators.Unary(this, unary.Operation, Evaluate(unary.Operand, scope)),
            FilterNode filter => Filter(filter, scope),
            TestNode test => Test(test, scope),
            CallNode call => Call(call, scope),
            ConditionalNode choice => Choose(choice, scope),
            SliceNode slice => Slice(slice, scope),
            ListNode list => List(list, scope),
            MapNode map => Map(map, scope),
            _ => throw Fail("an unknown expression"),
        };
        _frames--;
        return value;
    }

    /// <summary>Calls a macro, method or function.</summary>
    public TemplateValue Call(FunctionValue function, Arguments arguments, Scope scope)
    {
        if (++_calls > _limits.Nesting)
            throw Fail($"more than {_limits.Nesting} calls inside each other");
        TemplateValue result = function.Call(this, arguments, scope);
        _calls--;
        return result;
    }

    private TemplateValue Find(string name, Scope scope)
    {
        TemplateValue value = scope.Find(name, out int scopes);
        Work(scopes << 4);
        return value;
    }

    private TemplateValue Binary(BinaryNode node, Scope scope)
    {
        TemplateValue left = Evaluate(node.Left, scope);
        if (node.Operation is "and" or "or")
            return left.IsTrue == (node.Operation == "or") ? left : Evaluate(node.Right, scope);
        TemplateValue right = Evaluate(node.Right, scope);
        _position = node.Position;
        return Operators.Binary(this, node.Operation, left, right);
    }

    private TemplateValue Filter(FilterNode node, Scope scope)
    {
        TemplateValue operand = Evaluate(node.Operand!, scope);
        Arguments arguments = Arguments(node.Arguments, scope);
        _position = node.Position;
        return Filters.Apply(this, node.Name, operand, arguments);
    }

    private TemplateValue Test(TestNode node, Scope scope)
    {
        TemplateValue operand = Evaluate(node.Operand, scope);
        List<TemplateValue> arguments = Arguments(node.Arguments, scope).Positional;
        _position = node.Position;
        return Tests.Passes(this, node.Name, operand, arguments) != node.IsNegated;
    }

    private TemplateValue Choose(ConditionalNode node, Scope scope) =>
        Evaluate(node.Condition, scope).IsTrue ? Evaluate(node.Value, scope)
        : node.Otherwise is null ? TemplateValue.Undefined
        : Evaluate(node.Otherwise, scope);

    private TemplateValue Call(CallNode node, Scope scope)
    {
        Arguments arguments = Arguments(node.Arguments, scope);
        if (node.Callee is MemberNode member)
        {
            TemplateValue target = Evaluate(member.Target, scope);
            _position = node.Position;
            // The usual case: no function value is made for a method that is called at once.
            if (!Members.Holds(target, member.Name) && Members.Call(this, target, member.Name, arguments) is { } result)
                return result;
            return Members.Get(this, target, member.Name) is FunctionValue found
                ? Call(found, arguments, scope)
                : throw Fail($"{ValueText.Name(target)} has no method {member.Name}");
        }

        TemplateValue callee = Evaluate(node.Callee, scope);
        _position = node.Position;
        if (callee is not FunctionValue function)
            throw Fail(node.Callee is NameNode name ? $"{name.Name} is no function" : $"cannot call {ValueText.Name(callee)}");
        return Call(function, arguments, scope);
    }

    private Arguments Arguments(ArgumentNode[] nodes, Scope scope)
    {
        var arguments = new Arguments();
        foreach (ArgumentNode node in nodes)
        {
            if (node.Kind == ArgumentKind.Positional)
                arguments.Positional.Add(Evaluate(node.Value, scope));
            else if (node.Kind == ArgumentKind.Spread)
                arguments.Positional.AddRange(Evaluate(node.Value, scope) is ListValue list ? List(list.Items).Items : throw Fail("only a list can follow *"));
        }

        foreach (ArgumentNode node in nodes)
        {
            if (node.Kind == ArgumentKind.Named)
                AddNamed(arguments, node.Name, Evaluate(node.Value, scope));
            else if (node.Kind == ArgumentKind.NamedSpread)
                AddNamed(arguments, Evaluate(node.Value, scope));
        }

        return arguments;
    }

    private void AddNamed(Arguments arguments, TemplateValue values)
    {
        if (values is not MapValue map)
            throw Fail("only a map can follow **");
        MakeItems(map.Entries.Count);
        foreach ((string name, TemplateValue value) in map.Entries)
            AddNamed(arguments, name, value);
    }

    private void AddNamed(Arguments arguments, string name, TemplateValue value)
    {
        if (!arguments.Named.TryAdd(name, value))
            throw Fail($"two values for the argument {name}");
    }

    private TemplateValue Slice(SliceNode node, Scope scope)
    {
        TemplateValue target = Evaluate(node.Target, scope);
        var bounds = new long?[3];
        for (int i = 0; i < node.Bounds.Length; i++)
        {
            bounds[i] = node.Bounds[i] is not { } bound ? null : Evaluate(bound, scope) switch
            {
                IntegerValue number => number.Value,
                UndefinedValue => null,
                var other => throw Fail($"{ValueText.Name(other)} is no bound of a slice"),
            };
        }

        _position = node.Position;
        return Members.Slice(this, target, bounds[0], bounds[1], bounds[2] ?? 1);
    }

    private ListValue List(ListNode node, Scope scope)
    {
        MakeItems(node.Items.Length);
        var items = new List<TemplateValue>(node.Items.Length);
        foreach (Expression item in node.Items)
            items.Add(Evaluate(item, scope));
        return new ListValue(items);
    }

    private MapValue Map(MapNode node, Scope scope)
    {
        MakeItems(node.Entries.Length);
        var map = new MapValue();
        foreach ((Expression key, Expression value) in node.Entries)
        {
            TemplateValue name = Evaluate(key, scope);
            map.Entries[name is StringValue text ? text.Value : throw Fail($"a key must be a string, not {ValueText.Name(name)}")] = Evaluate(value, scope);
        }

        return map;
    }

    /// <summary>The function of a macro, whose names come after those of its caller; of a call block, after those around the block.</summary>
    private FunctionValue Macro(Callable callable, Scope? around) => new(callable.Name, (_, arguments, scope) =>
    {
        var inner = new Scope(around ?? scope);
        Bind(callable, arguments, inner);
        return Capture(callable.Body, inner);
    });

    private void Bind(Callable callable, Arguments arguments, Scope scope)
    {
        var named = new MapValue();
        foreach ((string name, TemplateValue value) in arguments.Named)
            named.Entries[name] = value;
        Parameter[] parameters = callable.Parameters;
        var missing = new List<Parameter>();
        for (int i = 0; i < parameters.Length; i++)
        {
            TemplateValue? value = i < arguments.Positional.Count ? arguments.Positional[i] : null;
            if (value is null && named.Entries.Remove(parameters[i].Name, out TemplateValue? given))
                value = given;
            if (value is null && parameters[i].Default is not null)
                missing.Add(parameters[i]);
            scope.Set(parameters[i].Name, value ?? TemplateValue.Undefined);
        }

        if (callable.UsesNamed)
            scope.Set("kwargs", named);
        else if (named.Entries.Count > 0)
            throw Fail($"{callable.Name} has no parameter {named.Entries.GetAt(0).Key}");
        if (callable.UsesPositional)
            scope.Set("varargs", List([.. arguments.Positional.Skip(parameters.Length)]));
        else if (arguments.Positional.Count > parameters.Length)
            throw Fail($"{callable.Name} takes not more than {parameters.Length} arguments");
        foreach (Parameter parameter in missing)
            scope.Set(parameter.Name, Evaluate(parameter.Default!, scope));
    }
}

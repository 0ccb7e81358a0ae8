namespace Polymath.Text.Templates;

/// <summary>A part of a parsed template. Immutable.</summary>
/// <param name="position">Where it stands in the source.</param>
internal abstract class Node(int position)
{
    public int Position => position;
}

internal abstract class Expression(int position) : Node(position);

internal sealed class LiteralNode(int position, TemplateValue value) : Expression(position)
{
    public TemplateValue Value => value;
}

internal sealed class NameNode(int position, string name) : Expression(position)
{
    public string Name => name;
}

internal sealed class ListNode(int position, Expression[] items, bool isTuple) : Expression(position)
{
    public Expression[] Items => items;

    public bool IsTuple => isTuple;
}

internal sealed class MapNode(int position, (Expression Key, Expression Value)[] entries) : Expression(position)
{
    public (Expression Key, Expression Value)[] Entries => entries;
}

/// <summary>value.name.</summary>
internal sealed class MemberNode(int position, Expression target, string name) : Expression(position)
{
    public Expression Target => target;

    public string Name => name;
}

/// <summary>value[index].</summary>
internal sealed class IndexNode(int position, Expression target, Expression index) : Expression(position)
{
    public Expression Target => target;

    public Expression Index => index;
}

/// <summary>value[start:stop:step].</summary>
internal sealed class SliceNode(int position, Expression target, Expression?[] bounds) : Expression(position)
{
    public Expression Target => target;

    /// <summary>Up to three, null where left out.</summary>
    public Expression?[] Bounds => bounds;
}

internal enum ArgumentKind
{
    Positional,
    Named,
    Spread,
    NamedSpread,
}

internal sealed record ArgumentNode(ArgumentKind Kind, string Name, Expression Value);

internal sealed class CallNode(int position, Expression callee, ArgumentNode[] arguments) : Expression(position)
{
    public Expression Callee => callee;

    public ArgumentNode[] Arguments => arguments;
}

internal sealed class FilterNode(int position, Expression? operand, string name, ArgumentNode[] arguments) : Expression(position)
{
    /// <summary>Null where a block is filtered.</summary>
    public Expression? Operand => operand;

    public string Name => name;

    public ArgumentNode[] Arguments => arguments;
}

internal sealed class TestNode(int position, Expression operand, string name, ArgumentNode[] arguments, bool negated) : Expression(position)
{
    public Expression Operand => operand;

    public string Name => name;

    public ArgumentNode[] Arguments => arguments;

    public bool IsNegated => negated;
}

internal sealed class UnaryNode(int position, string operation, Expression operand) : Expression(position)
{
    public string Operation => operation;

    public Expression Operand => operand;
}

internal sealed class BinaryNode(int position, string operation, Expression left, Expression right) : Expression(position)
{
    public string Operation => operation;

    public Expression Left => left;

    public Expression Right => right;
}

/// <summary>a if condition else b; without the else it is undefined where the condition fails.</summary>
internal sealed class ConditionalNode(int position, Expression condition, Expression value, Expression? otherwise) : Expression(position)
{
    public Expression Condition => condition;

    public Expression Value => value;

    public Expression? Otherwise => otherwise;
}

internal sealed class TextNode(int position, string text) : Node(position)
{
    public string Text => text;
}

internal sealed class OutputNode(int position, Expression value) : Node(position)
{
    public Expression Value => value;
}

/// <summary>An expression whose value is not shown.</summary>
internal sealed class DoNode(int position, Expression value) : Node(position)
{
    public Expression Value => value;
}

internal sealed class IfNode(int position, (Expression? Condition, Node[] Body)[] branches) : Node(position)
{
    /// <summary>In order; the last has no condition where there is an else.</summary>
    public (Expression? Condition, Node[] Body)[] Branches => branches;
}

internal sealed class ForNode(int position, string[] targets, bool unpacks, Expression items, Expression? condition, Node[] body, Node[] otherwise)
    : Node(position)
{
    public string[] Targets => targets;

    /// <summary>True where each item is a list with one value for every target.</summary>
    public bool Unpacks => unpacks;

    public Expression Items => items;

    public Expression? Condition => condition;

    public Node[] Body => body;

    public Node[] Otherwise => otherwise;
}

internal sealed class SetNode(int position, Expression target, Expression? value, FilterNode[] filters, Node[] body) : Node(position)
{
    public Expression Target => target;

    /// <summary>Null where a block is set.</summary>
    public Expression? Value => value;

    public FilterNode[] Filters => filters;

    public Node[] Body => body;
}

internal sealed record Parameter(string Name, Expression? Default);

/// <summary>The body of a macro or a call block.</summary>
internal sealed record Callable(string Name, Parameter[] Parameters, Node[] Body, bool UsesNamed, bool UsesPositional);

internal sealed class MacroNode(int position, Callable callable) : Node(position)
{
    public Callable Callable => callable;
}

internal sealed class CallBlockNode(int position, CallNode call, Callable caller) : Node(position)
{
    public CallNode Call => call;

    public Callable Caller => caller;
}

internal sealed class FilterBlockNode(int position, FilterNode[] filters, Node[] body) : Node(position)
{
    public FilterNode[] Filters => filters;

    public Node[] Body => body;
}

internal sealed class WithNode(int position, (string Name, Expression Value)[] variables, Node[] body) : Node(position)
{
    public (string Name, Expression Value)[] Variables => variables;

    public Node[] Body => body;
}

/// <summary>break or continue.</summary>
internal sealed class JumpNode(int position, bool isBreak) : Node(position)
{
    public bool IsBreak => isBreak;
}

using System.Runtime.CompilerServices;
using Polymath.Text;

namespace Polymath.Generation.Constraints;

/// <summary>
/// What an answer may be: JSON, a regular expression, a grammar, a choice, or several of them in sequence. Compiled when
/// it is made; immutable, to be shared between threads and requests. A <see cref="Constraint"/> holds one answer to it.
/// </summary>
public sealed class Grammar
{
    private readonly ConditionalWeakTable<Tokenizer, BoundGrammar> _bound = [];

    internal Grammar(Expression expression, CompileBudget budget)
    {
        Expression = expression;
        Program = GrammarProgram.Compile(expression, budget);
    }

    internal Expression Expression { get; }

    internal GrammarProgram Program { get; }

    /// <summary>Any JSON value.</summary>
    /// <param name="whitespace">Where spaces may stand.</param>
    public static Grammar Json(JsonWhitespace whitespace = JsonWhitespace.Natural) =>
        new(Schemas.JsonSyntax.For(whitespace).Value, new CompileBudget());

    /// <summary>JSON that a schema finds valid (draft 2020-12, and what earlier drafts write otherwise).</summary>
    /// <param name="schema">The schema's text.</param>
    /// <param name="options">What the JSON looks like.</param>
    /// <exception cref="ConstraintException">Not a schema, too large, or with a keyword that cannot be honoured; the exception names it.</exception>
    public static Grammar JsonSchema(string schema, JsonSchemaOptions? options = null) => Schemas.SchemaCompiler.Compile(schema, options ?? new());

    /// <summary>JSON that a schema finds valid.</summary>
    /// <inheritdoc cref="JsonSchema(string, JsonSchemaOptions?)"/>
    public static Grammar JsonSchema(System.Text.Json.JsonElement schema, JsonSchemaOptions? options = null) =>
        JsonSchema(schema.GetRawText(), options);

    /// <summary>Text of which the whole matches a pattern.</summary>
    /// <param name="pattern">What ECMAScript and .NET have in common, without lookaround, back references and word boundaries.</param>
    /// <exception cref="ConstraintException">A wrong pattern, or one with a part that is not supported; the exception names it.</exception>
    public static Grammar Regex(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        var budget = new CompileBudget();
        return new(Pattern.Parse(pattern, budget).Whole(Expression.Character), budget);
    }

    /// <summary>Text of a grammar in llama.cpp's GBNF, from its rule "root".</summary>
    /// <exception cref="ConstraintException">A wrong grammar; the message says where.</exception>
    public static Grammar Gbnf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(new GbnfParser(text).Parse(), new CompileBudget());
    }

    /// <summary>One of some texts.</summary>
    /// <exception cref="ConstraintException">None, or too many.</exception>
    public static Grammar Choice(IReadOnlyList<string> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        var budget = new CompileBudget();
        CompileBudget.CheckSource(choices.Sum(choice => choice.Length), "list of choices");
        return new(Expression.Of(ByteDfa.Literals(choices.Select(System.Text.Encoding.UTF8.GetBytes), budget)), budget);
    }

    /// <summary>One text.</summary>
    public static Grammar Text(string literal)
    {
        ArgumentNullException.ThrowIfNull(literal);
        CompileBudget.CheckSource(literal.Length, "text");
        return new(Expression.Literal(literal), new CompileBudget());
    }

    /// <summary>The control token written as <paramref name="text"/>, or that text where a vocabulary has no such token.</summary>
    public static Grammar Token(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        CompileBudget.CheckSource(text.Length, "text");
        return new(new Expression.Token(text, Expression.Literal(text)), new CompileBudget());
    }

    /// <summary>Any text, control tokens that do not end an answer included.</summary>
    public static Grammar AnyText() => new(FreeText.Any(), new CompileBudget());

    /// <summary>All of them, one after the other.</summary>
    public static Grammar Sequence(params IReadOnlyList<Grammar> parts) => new(Expression.All([.. Parts(parts)]), new CompileBudget());

    /// <summary>One of them.</summary>
    public static Grammar Or(params IReadOnlyList<Grammar> alternatives) => new(Expression.Any([.. Parts(alternatives)]), new CompileBudget());

    /// <summary>A grammar several times.</summary>
    /// <param name="part">What is repeated.</param>
    /// <param name="least">Fewest times.</param>
    /// <param name="most">Most times; null for no end.</param>
    public static Grammar Repeat(Grammar part, int least = 0, int? most = null)
    {
        ArgumentNullException.ThrowIfNull(part);
        ArgumentOutOfRangeException.ThrowIfNegative(least);
        ArgumentOutOfRangeException.ThrowIfLessThan(most ?? least, least, nameof(most));
        return new(Expression.Times(part.Expression, least, most), new CompileBudget());
    }

    /// <summary>
    /// Free text until a trigger appears in it, then what belongs to that trigger, then free text again: answers with calls
    /// of tools among them. Control tokens may stand in the free text; a trigger that is a control token of the vocabulary
    /// counts as that too.
    /// </summary>
    /// <param name="triggers">The triggers.</param>
    /// <param name="least">Fewest times that a trigger must appear before the answer may end.</param>
    /// <param name="most">Most times; after the last one the answer ends. Null for no end.</param>
    /// <exception cref="ConstraintException">A trigger within another one.</exception>
    public static Grammar Triggered(IReadOnlyList<GrammarTrigger> triggers, int least = 0, int? most = null)
    {
        ArgumentNullException.ThrowIfNull(triggers);
        ArgumentOutOfRangeException.ThrowIfNegative(least);
        ArgumentOutOfRangeException.ThrowIfLessThan(most ?? int.MaxValue, Math.Max(1, least), nameof(most));
        var budget = new CompileBudget();
        return new(FreeText.Until(triggers, least, most, budget), budget);
    }

    /// <summary>The grammar over the tokens of a vocabulary; made once for each.</summary>
    internal BoundGrammar Bind(Tokenizer tokenizer) => _bound.GetValue(tokenizer, t => new BoundGrammar(Program, t));

    private static IEnumerable<Expression> Parts(IReadOnlyList<Grammar> grammars)
    {
        ArgumentNullException.ThrowIfNull(grammars);
        return grammars.Select(grammar => grammar.Expression);
    }
}

/// <summary>A text that ends free text, and what must follow it.</summary>
/// <param name="Text">The trigger, such as &lt;tool_call&gt;.</param>
/// <param name="Then">What stands behind it.</param>
public sealed record GrammarTrigger(string Text, Grammar Then);

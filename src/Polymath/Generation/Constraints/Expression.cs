namespace Polymath.Generation.Constraints;

/// <summary>What a grammar matches, as a tree: what every way of writing a grammar becomes before it is compiled. Immutable.</summary>
internal abstract class Expression
{
    private const int MostDepth = 2000;

    private Expression(int depth)
    {
        if (depth > MostDepth)
            throw new ConstraintException($"the grammar is nested more than {MostDepth} deep");
        Depth = depth;
    }

    /// <summary>Matches nothing but the empty text.</summary>
    public static Expression Empty { get; } = new Machine(ByteDfa.Literal(""));

    /// <summary>Never matches.</summary>
    public static Expression Never { get; } = new Alternation([], 0);

    /// <summary>Expressions within each other.</summary>
    public int Depth { get; }

    /// <summary>A regular language of bytes.</summary>
    public static Expression Of(ByteDfa dfa) => dfa.IsEmpty ? Never : new Machine(dfa);

    /// <summary>One text.</summary>
    public static Expression Literal(string text) => new Machine(ByteDfa.Literal(text));

    /// <summary>One character of a set.</summary>
    public static Expression Character(CodePointSet set) => Of(ByteDfa.Character(set));

    /// <summary>All of <paramref name="parts"/>, one after the other.</summary>
    public static Expression All(params ReadOnlySpan<Expression> parts)
    {
        var kept = new List<Expression>(parts.Length);
        int depth = 0;
        foreach (Expression part in parts)
        {
            if (part == Never)
                return Never;
            if (part == Empty)
                continue;
            kept.Add(part);
            depth = Math.Max(depth, part.Depth);
        }

        return kept.Count switch { 0 => Empty, 1 => kept[0], _ => new Sequence([.. kept], depth + 1) };
    }

    /// <summary>Any of <paramref name="parts"/>.</summary>
    public static Expression Any(params ReadOnlySpan<Expression> parts)
    {
        var kept = new List<Expression>(parts.Length);
        int depth = 0;
        foreach (Expression part in parts)
        {
            if (part == Never)
                continue;
            kept.Add(part);
            depth = Math.Max(depth, part.Depth);
        }

        return kept.Count switch { 0 => Never, 1 => kept[0], _ => new Alternation([.. kept], depth + 1) };
    }

    /// <summary><paramref name="part"/> from <paramref name="least"/> to <paramref name="most"/> times; null for no end.</summary>
    public static Expression Times(Expression part, int least, int? most)
    {
        if (most == 0 || part == Empty)
            return Empty;
        if (part == Never)
            return least == 0 ? Empty : Never;
        return (least, most) == (1, 1) ? part : new Repeat(part, least, most);
    }

    /// <summary><paramref name="part"/> or nothing.</summary>
    public static Expression Maybe(Expression part) => Times(part, 0, 1);

    /// <summary>A named expression, which may refer to itself. Its body is set once, before the grammar is compiled.</summary>
    /// <param name="name">For messages.</param>
    internal sealed class Rule(string name)
    {
        public string Name => name;

        public Expression? Body { get; set; }
    }

    internal sealed class Machine(ByteDfa dfa) : Expression(1)
    {
        public ByteDfa Dfa => dfa;
    }

    internal sealed class Sequence(Expression[] parts, int depth) : Expression(depth)
    {
        public Expression[] Parts => parts;
    }

    internal sealed class Alternation(Expression[] parts, int depth) : Expression(depth)
    {
        public Expression[] Parts => parts;
    }

    internal sealed class Repeat(Expression part, int least, int? most) : Expression(part.Depth + 1)
    {
        public Expression Part => part;

        public int Least => least;

        public int? Most => most;
    }

    internal sealed class Reference(Rule rule) : Expression(1)
    {
        public Rule Target => rule;
    }

    /// <summary>A control token, by its text; where a vocabulary has none of that text, <paramref name="otherwise"/>.</summary>
    internal sealed class Token(string text, Expression otherwise) : Expression(otherwise.Depth + 1)
    {
        public string Text => text;

        public Expression Otherwise => otherwise;
    }

    /// <summary>Any control token that no <see cref="Token"/> of the grammar names and that does not end an answer.</summary>
    internal sealed class OtherToken() : Expression(1);

    /// <summary>
    /// A list of members with separators: each at most once, in this order, the required ones always; then some more.
    /// </summary>
    internal sealed class Members(Member[] members, Expression separator, Expression more, int least, int? most, int depth)
        : Expression(depth)
    {
        public Member[] Items => members;

        public Expression Separator => separator;

        /// <summary>A member that may follow any number of times, or <see cref="Never"/>.</summary>
        public Expression More => more;

        /// <summary>Fewest of the named members; 1 is met by any member.</summary>
        public int Least => least;

        /// <summary>Most members in all; null for no end.</summary>
        public int? Most => most;
    }

    /// <summary>One of <see cref="Members"/>.</summary>
    internal readonly record struct Member(Expression Body, bool Required);
}

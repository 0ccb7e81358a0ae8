namespace Polymath.Generation.Constraints;

/// <summary>A regular expression, read but not yet bound to the way in which its characters are written.</summary>
internal sealed class Pattern
{
    private readonly Part _root;

    internal Pattern(Part root) => _root = root;

    /// <summary>A part of a pattern.</summary>
    internal abstract record Part
    {
        /// <summary>True when ^ or $ is within.</summary>
        public abstract bool HasAnchor { get; }
    }

    internal sealed record One(CodePointSet Set) : Part
    {
        public override bool HasAnchor => false;
    }

    internal sealed record Anchor(bool IsEnd, int Offset) : Part
    {
        public override bool HasAnchor => true;
    }

    internal sealed record Sequence(IReadOnlyList<Part> Parts) : Part
    {
        public override bool HasAnchor { get; } = Parts.Any(part => part.HasAnchor);
    }

    internal sealed record Either(IReadOnlyList<Part> Parts) : Part
    {
        public override bool HasAnchor { get; } = Parts.Any(part => part.HasAnchor);
    }

    internal sealed record Repeat(Part Of, int Least, int? Most, int Offset) : Part
    {
        public override bool HasAnchor { get; } = Of.HasAnchor;
    }

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="ConstraintException">It is wrong, too large, or has a part that is not supported.</exception>
    public static Pattern Parse(string pattern, CompileBudget budget) => new(new PatternParser(pattern, budget).Parse());

    /// <summary>Texts of which the whole matches.</summary>
    /// <param name="write">How a character of a set is written.</param>
    public Expression Whole(Func<CodePointSet, Expression> write) => Lower(_root, write, Expression.Empty, first: true, last: true);

    /// <summary>Texts of which some part matches.</summary>
    /// <param name="write">How a character of a set is written.</param>
    public Expression Anywhere(Func<CodePointSet, Expression> write) =>
        Lower(_root, write, Expression.Times(write(CodePointSet.All), 0, null), first: true, last: true);

    /// <summary>The expression of a part; <paramref name="around"/> stands before it where it is first, and behind it where it is last.</summary>
    private static Expression Lower(Part part, Func<CodePointSet, Expression> write, Expression around, bool first, bool last)
    {
        if (!part.HasAnchor && (first || last) && around != Expression.Empty)
        {
            Expression bare = Lower(part, write, around, first: false, last: false);
            return Expression.All(first ? around : Expression.Empty, bare, last ? around : Expression.Empty);
        }

        switch (part)
        {
            case One one:
                return write(one.Set);
            case Anchor anchor when anchor.IsEnd ? last : first:
                return first && last ? around : Expression.Empty;
            case Anchor anchor:
                throw ConstraintException.Refused(anchor.IsEnd ? "$" : "^", $"offset {anchor.Offset}", "only at the ends of a pattern");
            case Either either:
                return Expression.Any([.. either.Parts.Select(p => Lower(p, write, around, first, last))]);
            case Repeat { HasAnchor: true } repeat:
                throw ConstraintException.Refused("anchor", $"offset {repeat.Offset}", "it stands under a quantifier");
            case Repeat repeat:
                return Expression.Times(Lower(repeat.Of, write, around, first: false, last: false), repeat.Least, repeat.Most);
            case Sequence sequence:
                int count = sequence.Parts.Count;
                return Expression.All(
                    [.. sequence.Parts.Select((p, i) => Lower(p, write, around, first && i == 0, last && i == count - 1))]);
            default:
                throw new InvalidOperationException($"no such part: {part.GetType().Name}");
        }
    }
}

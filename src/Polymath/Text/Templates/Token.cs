namespace Polymath.Text.Templates;

internal enum TokenKind
{
    /// <summary>What stands outside of tags.</summary>
    Text,
    Comment,
    OpenStatement,
    CloseStatement,
    OpenExpression,
    CloseExpression,
    Name,
    Number,
    String,

    /// <summary>An operator, a bracket, a comma, ….</summary>
    Mark,
    End,
}

/// <summary>A part of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text; of a string what it says.</param>
/// <param name="Position">Where it stands in the source.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Position);

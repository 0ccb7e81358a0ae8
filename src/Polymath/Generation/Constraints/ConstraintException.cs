using System.Text;

namespace Polymath.Generation.Constraints;

/// <summary>
/// A grammar, schema or pattern that is wrong, too large, or asks for what cannot be honoured; or a constraint that no
/// token of the vocabulary can meet. The message is one line.
/// </summary>
public sealed class ConstraintException : Exception
{
    /// <summary>Makes the exception with a generic message.</summary>
    public ConstraintException()
        : this("the constraint is not valid")
    {
    }

    /// <summary>Makes the exception; <paramref name="message"/> says what is wrong and where.</summary>
    public ConstraintException(string message)
        : base(OneLine(message))
    {
    }

    /// <summary>Makes the exception with its cause.</summary>
    public ConstraintException(string message, Exception innerException)
        : base(OneLine(message), innerException)
    {
    }

    /// <summary>The keyword, operator or rule that is refused, where there is one.</summary>
    public string? Keyword { get; init; }

    /// <summary>Where it stands: a JSON pointer in a schema, an offset in a pattern, a line in a grammar.</summary>
    public string? Place { get; init; }

    /// <summary>A part that is well formed but not honoured.</summary>
    internal static ConstraintException Refused(string keyword, string place, string why) =>
        new($"{keyword} at {place} is not supported: {why}") { Keyword = keyword, Place = place };

    // Messages quote from hostile text: no line breaks, no terminal codes, no endless names.
    private static string OneLine(string message)
    {
        const int Longest = 600;
        ReadOnlySpan<char> shown = message.AsSpan(0, Math.Min(message.Length, Longest));
        var line = new StringBuilder(shown.Length + 1);
        foreach (char c in shown)
            line.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c);
        return message.Length > Longest ? line.Append('…').ToString() : line.ToString();
    }
}

using System.Globalization;
using System.Text;

namespace Polymath.Text.Templates;

/// <summary>A chat template that cannot be read, or that fails while it renders. The message is one line and names the place.</summary>
public sealed class TemplateException : Exception
{
    private const int Longest = 1200;

    /// <summary>Makes the exception with a generic message.</summary>
    public TemplateException()
        : this("the chat template is not valid")
    {
    }

    /// <summary>Makes the exception without a place.</summary>
    public TemplateException(string message)
        : base(OneLine(message))
    {
    }

    /// <summary>Makes the exception with its cause.</summary>
    public TemplateException(string message, Exception innerException)
        : base(OneLine(message), innerException)
    {
    }

    /// <summary>Makes the exception for a place in a template's source.</summary>
    internal TemplateException(string message, string source, int position, bool raised = false)
        : this(message, PlaceOf(source, position), raised)
    {
    }

    private TemplateException(string message, (int Line, int Column) place, bool raised)
        : base(OneLine(string.Create(CultureInfo.InvariantCulture, $"{place.Line}:{place.Column}: {message}")))
    {
        (Line, Column) = place;
        IsRaisedByTemplate = raised;
    }

    /// <summary>Line in the source, from 1; 0 when there is no place.</summary>
    public int Line { get; }

    /// <summary>Column in that line in UTF-16 units, from 1; 0 when there is no place.</summary>
    public int Column { get; }

    /// <summary>True when the template itself refused the conversation with <c>raise_exception</c>.</summary>
    public bool IsRaisedByTemplate { get; }

    private static (int Line, int Column) PlaceOf(string source, int position)
    {
        ReadOnlySpan<char> before = source.AsSpan(0, Math.Clamp(position, 0, source.Length));
        return (before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'));
    }

    // Messages quote templates and conversations: no line breaks, no terminal codes, no endless texts.
    private static string OneLine(string message)
    {
        ReadOnlySpan<char> shown = message.AsSpan(0, Math.Min(message.Length, Longest));
        var line = new StringBuilder(shown.Length + 1);
        foreach (char c in shown)
            line.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c);
        return message.Length > Longest ? line.Append('…').ToString() : line.ToString();
    }
}

using System.Text;

namespace Polymath.Files;

/// <summary>A model file, or a file beside it, that is damaged, hostile or not supported. The message is one line.</summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Makes the exception with a generic message.</summary>
    public ModelFormatException()
        : this("the model file is not valid")
    {
    }

    /// <summary>Makes the exception; <paramref name="message"/> names the file, the field or tensor, and the offset where known.</summary>
    public ModelFormatException(string message)
        : base(OneLine(message))
    {
    }

    /// <summary>Makes the exception with its cause.</summary>
    public ModelFormatException(string message, Exception innerException)
        : base(OneLine(message), innerException)
    {
    }

    // Messages quote names from hostile files: no line breaks, no terminal codes, no endless names.
    private static string OneLine(string message)
    {
        const int Longest = 1200;
        ReadOnlySpan<char> shown = message.AsSpan(0, Math.Min(message.Length, Longest));
        var line = new StringBuilder(shown.Length + 1);
        foreach (char c in shown)
            line.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c);
        return message.Length > Longest ? line.Append('…').ToString() : line.ToString();
    }
}

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
        : base(message)
    {
    }

    /// <summary>Makes the exception with its cause.</summary>
    public ModelFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

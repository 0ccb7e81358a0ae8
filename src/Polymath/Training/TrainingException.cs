namespace Polymath.Training;

/// <summary>
/// Training cannot start or go on: unusable data, options that do not agree, or a loss that is no number. The message is
/// one line.
/// </summary>
public sealed class TrainingException : Exception
{
    /// <summary>Makes the exception with a generic message.</summary>
    public TrainingException()
        : this("training cannot go on")
    {
    }

    /// <summary>Makes the exception; <paramref name="message"/> says what is wrong and what would help.</summary>
    public TrainingException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with its cause.</summary>
    public TrainingException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

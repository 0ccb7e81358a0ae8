namespace Polymath.Hub;

/// <summary>A model that cannot be had: the hub refuses, the connection fails, what came is not what was promised. The message is one line.</summary>
public sealed class HubException : Exception
{
    /// <summary>Makes the exception with a generic message.</summary>
    public HubException()
        : this("the hub could not be used")
    {
    }

    /// <summary>Makes the exception; <paramref name="message"/> says what to do where something can be done.</summary>
    public HubException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with its cause.</summary>
    public HubException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Trying again may help: the connection broke, or the server had a bad moment.</summary>
    internal bool IsPassing { get; init; }

    /// <summary>How long the server asks to wait before the next try; zero when it does not say.</summary>
    internal TimeSpan Wait { get; init; }
}

namespace Polymath.Server;

/// <summary>A request that is not answered, and what its sender is told.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">One line for people; holds no path.</param>
internal sealed class ApiException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>The field that is wrong, where it is one.</summary>
    public string? Field { get; init; }

    /// <summary>What programs tell it by.</summary>
    public string? Code { get; init; }

    /// <summary>Kind of the error, in OpenAI's words.</summary>
    public string Type => Status switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        404 or 405 => "not_found_error",
        429 => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };

    /// <summary>A field with a wrong value.</summary>
    public static ApiException Wrong(string field, string message) => new(400, $"{field}: {message}") { Field = field };
}

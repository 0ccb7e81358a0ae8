using System.Text.Json;

namespace Polymath.Chat;

/// <summary>One call of a tool, as a model wrote it.</summary>
public sealed record ToolCall
{
    /// <summary>Longest id, in characters.</summary>
    internal const int LongestId = 256;

    /// <summary>Takes a call.</summary>
    /// <param name="id">Ties the result to the call; 1–256 characters.</param>
    /// <param name="name">The tool.</param>
    /// <param name="arguments">JSON text of an object.</param>
    /// <exception cref="ArgumentException">The id or name is empty or too long, or the arguments are no JSON object.</exception>
    public ToolCall(string id, string name, string arguments)
    {
        Id = CheckedId(id);
        Name = ToolDefinition.CheckedName(name);
        Arguments = Checked(arguments);
    }

    /// <summary>Ties the result to the call.</summary>
    public string Id { get; }

    /// <summary>The tool.</summary>
    public string Name { get; }

    /// <summary>JSON text of an object, as the model wrote it.</summary>
    public string Arguments { get; }

    internal static string CheckedId(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return id.Length <= LongestId ? id : throw new ArgumentException($"an id of a call is longer than {LongestId} characters", nameof(id));
    }

    private static string Checked(string arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        try
        {
            using JsonDocument document = JsonDocument.Parse(arguments);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return arguments;
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"the arguments of a call are no JSON: {e.Message}", nameof(arguments), e);
        }

        throw new ArgumentException("the arguments of a call are no JSON object", nameof(arguments));
    }
}

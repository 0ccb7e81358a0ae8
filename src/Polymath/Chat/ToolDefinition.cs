using System.Text.Json;

namespace Polymath.Chat;

/// <summary>A tool that the model may call.</summary>
public sealed record ToolDefinition
{
    /// <summary>Longest name of a tool, in characters.</summary>
    public const int LongestName = 128;

    /// <summary>Describes a tool.</summary>
    /// <param name="name">1–128 of the letters a–z and A–Z, digits and <c>_ - . /</c>.</param>
    /// <param name="description">What it does, for the model.</param>
    /// <param name="parameters">JSON schema of the arguments, an object; it is copied.</param>
    /// <exception cref="ArgumentException">The name has other characters or the schema is no object.</exception>
    public ToolDefinition(string name, string description, JsonElement parameters)
    {
        ArgumentNullException.ThrowIfNull(description);
        Name = CheckedName(name);
        Description = description;
        if (parameters.ValueKind != JsonValueKind.Object)
            throw new ArgumentException($"the parameters of the tool {name} are no JSON schema: an object is expected", nameof(parameters));
        Parameters = parameters.Clone();
    }

    /// <summary>Describes a tool whose schema is given as text.</summary>
    /// <exception cref="ArgumentException">The name has other characters or the schema is no JSON object.</exception>
    public ToolDefinition(string name, string description, string parameters)
        : this(name, description, Parse(name, parameters))
    {
    }

    /// <summary>Under which it is called.</summary>
    public string Name { get; }

    /// <summary>What it does.</summary>
    public string Description { get; }

    /// <summary>JSON schema of its arguments.</summary>
    public JsonElement Parameters { get; }

    /// <summary>True for a character that names of tools are made of.</summary>
    internal static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/';

    internal static string CheckedName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Length > LongestName || !name.All(IsNameCharacter))
            throw new ArgumentException($"a tool's name is 1–{LongestName} ASCII letters, digits, _, -, . or /", nameof(name));
        return name;
    }

    private static JsonElement Parse(string name, string parameters)
    {
        try
        {
            return JsonElement.Parse(parameters);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"the parameters of the tool {name} are no JSON: {e.Message}", nameof(parameters), e);
        }
    }
}

namespace Polymath.Chat;

/// <summary>Whether the model may, must or must not call a tool.</summary>
public sealed record ToolChoice
{
    private ToolChoice()
    {
    }

    /// <summary>The model decides.</summary>
    public static ToolChoice Auto { get; } = new();

    /// <summary>No tool is called.</summary>
    public static ToolChoice None { get; } = new() { IsNone = true };

    /// <summary>At least one tool is called, whichever.</summary>
    public static ToolChoice Required { get; } = new() { IsRequired = true };

    /// <summary>True when no tool may be called.</summary>
    public bool IsNone { get; private init; }

    /// <summary>True when the reply, after reasoning, must begin with a call.</summary>
    public bool IsRequired { get; private init; }

    /// <summary>The one tool that must be called, or null.</summary>
    public string? Name { get; private init; }

    /// <summary>One tool must be called.</summary>
    /// <exception cref="ArgumentException">No tool can have this name.</exception>
    public static ToolChoice Of(string name) => new() { IsRequired = true, Name = ToolDefinition.CheckedName(name) };

    /// <summary>The tools that may be called.</summary>
    /// <exception cref="ArgumentException">The one that must be called is not among them, or one must be and there is none.</exception>
    public IReadOnlyList<ToolDefinition> Allowed(IReadOnlyList<ToolDefinition> tools)
    {
        ArgumentNullException.ThrowIfNull(tools);
        if (IsNone)
            return [];
        ToolDefinition[] allowed = [.. tools.Where(tool => Name is null || tool.Name == Name)];
        if (!IsRequired || allowed.Length > 0)
            return allowed;
        string what = Name is null ? "a call is required and there are no tools" : $"a call of {Name} is required and there is no such tool";
        throw new ArgumentException(what, nameof(tools));
    }
}

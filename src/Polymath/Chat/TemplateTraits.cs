using System.Text.RegularExpressions;

namespace Polymath.Chat;

/// <summary>What a chat template expects of its messages, told by its source. Templates agree on the names, not on the details.</summary>
internal sealed class TemplateTraits
{
    private static readonly Regex JoinedArguments = new(@"[+~]\s*[\w.\[\]'""]*arguments(['""]\])?\s*[+~]", RegexOptions.NonBacktracking);
    private static readonly Regex HandledArguments = new(
        @"arguments(['""]\])?\s*(\||\.items| is )|(=|in) [\w.\[\]'""]*arguments(['""]\])?\s*[|%]", RegexOptions.NonBacktracking);
    private static readonly Regex NoneContent = new(@"content(['""]\])? is none", RegexOptions.NonBacktracking);
    private static readonly Regex ContentLength = new(@"content(['""]\])?\s*(\|\s*length|== '')", RegexOptions.NonBacktracking);
    private static readonly Regex ThinkingBlock = new(@"\[?'type'\]?\)? == 'thinking'", RegexOptions.NonBacktracking);
    private static readonly Regex ThinkingField = new(@"message\.thinking|\['thinking'\]", RegexOptions.NonBacktracking);

    /// <summary>Reads the source of a template.</summary>
    public TemplateTraits(string source)
    {
        ShowsTools = Dialect.ShowsTools(source);
        ShowsCalls = source.Contains("tool_calls", StringComparison.Ordinal);
        ArgumentsAsText = JoinedArguments.IsMatch(source) && !HandledArguments.IsMatch(source);
        NullContent = NoneContent.IsMatch(source) && !ContentLength.IsMatch(source);
        RefusesSystem = source.Contains("System role not supported", StringComparison.OrdinalIgnoreCase);
        KnowsDeveloper = source.Contains("developer'", StringComparison.Ordinal) || source.Contains("developer\"", StringComparison.Ordinal);
        ThinkingBlocks = ThinkingBlock.IsMatch(source);
        ReasoningKey = source.Contains("reasoning_content", StringComparison.Ordinal) ? "reasoning_content"
            : ThinkingField.IsMatch(source) ? "thinking"
            : source.Contains("['thought']", StringComparison.Ordinal) ? "thought"
            : "reasoning_content";
        OneText = source.Contains("both content and thinking", StringComparison.Ordinal);
    }

    /// <summary>True when tools can be presented.</summary>
    public bool ShowsTools { get; }

    /// <summary>True when past calls can be presented.</summary>
    public bool ShowsCalls { get; }

    /// <summary>True when the arguments of a call must be JSON text, false for an object.</summary>
    public bool ArgumentsAsText { get; }

    /// <summary>True when calls only show where the content is null; false for an empty text.</summary>
    public bool NullContent { get; }

    /// <summary>True when there must be no system message.</summary>
    public bool RefusesSystem { get; }

    /// <summary>True when the role developer has a meaning.</summary>
    public bool KnowsDeveloper { get; }

    /// <summary>True when reasoning is a block of the content.</summary>
    public bool ThinkingBlocks { get; }

    /// <summary>The member that holds reasoning.</summary>
    public string ReasoningKey { get; }

    /// <summary>True when a message with calls has reasoning or a text, not both.</summary>
    public bool OneText { get; }
}

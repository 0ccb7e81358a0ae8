namespace Polymath.Text.Templates;

/// <summary>
/// A chat template: the Jinja program that turns a conversation into the text a model was trained on. Immutable and thread safe.
/// Rendering is bounded by <see cref="TemplateLimits"/>, and a template reaches nothing but the variables it is given.
/// The language and its differences from Jinja2 are in docs/templates.md.
/// </summary>
public sealed class ChatTemplate
{
    /// <summary>Longest source; the longest known has some 40,000 characters.</summary>
    private const int LongestSource = 1 << 18;

    private readonly Node[] _body;
    private readonly HashSet<string> _variables;

    private ChatTemplate(string source, Node[] body, HashSet<string> variables) => (Source, _body, _variables) = (source, body, variables);

    /// <summary>The text it was parsed from.</summary>
    public string Source { get; }

    /// <summary>Parses a template.</summary>
    /// <param name="source">Jinja, read with trim_blocks and lstrip_blocks as Hugging Face reads it.</param>
    /// <exception cref="TemplateException">No valid template, longer than 262,144 characters, or nested more than 128 deep.</exception>
    public static ChatTemplate Parse(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Length > LongestSource)
            throw new TemplateException($"a template of {source.Length} characters; {LongestSource} are allowed");
        (Node[] body, HashSet<string> variables) = Parser.Parse(source);
        return new ChatTemplate(source, body, variables);
    }

    /// <summary>True when the template reads a variable of that name, such as tools or enable_thinking.</summary>
    public bool UsesVariable(string name) => _variables.Contains(name);

    /// <summary>Renders the template.</summary>
    /// <param name="variables">What the template sees: messages, add_generation_prompt, bos_token, ….</param>
    /// <param name="limits">What the rendering may use; <see cref="TemplateLimits.Default"/> where null.</param>
    /// <param name="clock">Source of the date and of the time limit; the system's where null.</param>
    /// <param name="cancellation">Stops the rendering.</param>
    /// <exception cref="TemplateException">The template fails, refuses the conversation or goes beyond a limit.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public string Render(
        IReadOnlyDictionary<string, TemplateValue> variables, TemplateLimits? limits = null, TimeProvider? clock = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(variables);
        return new Evaluator(Source, UsesVariable("loop"), limits ?? TemplateLimits.Default, clock ?? TimeProvider.System, cancellation)
            .Render(_body, variables);
    }
}

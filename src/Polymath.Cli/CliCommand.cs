using System.CommandLine;

namespace Polymath.Cli;

/// <summary>
/// A command of the command line. To add one: a file in Commands/ that derives from this, declares its arguments and
/// options as fields, adds them in the constructor, and does its work in <see cref="Execute"/>; then one line in
/// <see cref="CommandLine.Commands"/>.
/// </summary>
internal abstract class CliCommand(string name, string description) : Command(name, description)
{
    private readonly List<(string Title, Option[] Options)> _groups = [];
    private readonly List<(string Line, string Meaning)> _examples = [];

    /// <summary>Options under their headings, in the order help shows them.</summary>
    public IReadOnlyList<(string Title, Option[] Options)> Groups => _groups;

    /// <summary>Example lines with what they do.</summary>
    public IReadOnlyList<(string Line, string Meaning)> Examples => _examples;

    /// <summary>More that help should say, a paragraph a string.</summary>
    public IReadOnlyList<string> Notes { get; protected init; } = [];

    /// <summary>
    /// Does the work and returns the exit code. Throws for what goes wrong: <see cref="UsageException"/> for a command
    /// line that makes no sense, anything else for the rest; <see cref="CommandLine"/> turns it into one line on
    /// standard error.
    /// </summary>
    public abstract int Execute(ParseResult parse, Terminal terminal);

    /// <summary>Adds options under a heading.</summary>
    protected void AddGroup(string title, params Option[] options)
    {
        _groups.Add((title, options));
        foreach (Option option in options)
            Add(option);
    }

    /// <summary>Adds an example for help.</summary>
    protected void AddExample(string line, string meaning) => _examples.Add((line, meaning));
}

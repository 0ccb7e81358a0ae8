using System.CommandLine;
using System.CommandLine.Help;

namespace Polymath.Cli;

/// <summary>Writes the help of a command: what it does, how it is called, its options by topic, examples.</summary>
internal static class Help
{
    private const int Width = 100;
    private const int Indent = 2;

    /// <summary>Writes the help of <paramref name="command"/>.</summary>
    public static void Write(Command command, TextWriter output)
    {
        Wrap(command.Description ?? "", 0, output);
        output.WriteLine();
        output.WriteLine("Usage:");
        output.WriteLine($"  {Usage(command)}");
        if (command is CliCommand cli)
            WriteCommand(cli, output);
        else
            WriteRoot(command, output);
    }

    private static void WriteRoot(Command root, TextWriter output)
    {
        Section("Commands", Rows(root.Subcommands, c => (c.Name, FirstSentence(c.Description))), output);
        Section("Options", Rows(root.Options, o => (Names(o), o is HelpOption ? "Show help; also after a command." : o is VersionOption ? "Show the version." : o.Description ?? "")), output);
        WriteExamples(
            [
                ("polymath run \"Once upon a time\"", "Let the model that comes with this program write on."),
                ("polymath run --help", "Show the options of a command."),
            ],
            output);
    }

    private static void WriteCommand(CliCommand command, TextWriter output)
    {
        Section("Arguments", Rows(command.Arguments, a => (Placeholder(a), a.Description ?? "")), output);
        foreach ((string title, Option[] options) in command.Groups)
            Section(title, Rows(options, o => (Names(o), o.Description ?? "")), output);
        foreach (string note in command.Notes)
        {
            output.WriteLine();
            Wrap(note, 0, output);
        }

        WriteExamples(command.Examples, output);
    }

    private static void WriteExamples(IReadOnlyList<(string Line, string Meaning)> examples, TextWriter output)
    {
        if (examples.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine("Examples:");
        foreach ((string line, string meaning) in examples)
        {
            output.WriteLine($"  {line}");
            output.Write("      ");
            Wrap(meaning, 6, output);
        }
    }

    private static string Usage(Command command)
    {
        if (command is not CliCommand cli)
            return "polymath COMMAND [options]";
        string arguments = string.Concat(cli.Arguments.Select(a =>
            a.Arity.MinimumNumberOfValues == 0 ? $" [{Placeholder(a)}]" : $" {Placeholder(a)}"));
        string required = string.Concat(cli.Options.Where(o => o.Required).Select(o => $" {Names(o).Split(", ")[^1]}"));
        return $"polymath {cli.Name}{arguments}{required}{(cli.Groups.Count > 0 ? " [options]" : "")}";
    }

    private static string Placeholder(Argument argument) =>
        (argument.HelpName ?? argument.Name.ToUpperInvariant()) + (argument.Arity.MaximumNumberOfValues > 1 ? "..." : "");

    private static string Names(Option option)
    {
        IEnumerable<string> names = option.Aliases.Append(option.Name).Where(n => n.StartsWith('-') && n != "-?").Order(ShortFirst);
        string value = option.ValueType == typeof(bool) || option.HelpName is null ? "" : $" {option.HelpName}";
        return string.Join(", ", names) + value;
    }

    private static Comparer<string> ShortFirst { get; } = Comparer<string>.Create((a, b) => a.Length.CompareTo(b.Length));

    private static string FirstSentence(string? text)
    {
        int end = text?.IndexOf(". ", StringComparison.Ordinal) ?? -1;
        return end < 0 ? text ?? "" : text![..(end + 1)];
    }

    private static List<(string, string)> Rows<T>(IEnumerable<T> symbols, Func<T, (string, string)> row)
        where T : Symbol => [.. symbols.Where(s => !s.Hidden).Select(row)];

    private static void Section(string title, List<(string Left, string Right)> rows, TextWriter output)
    {
        if (rows.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine($"{title}:");
        int column = Indent + Math.Min(rows.Max(r => r.Left.Length), 30) + 3;
        foreach ((string left, string right) in rows)
        {
            output.Write(new string(' ', Indent) + left);
            if (Indent + left.Length + 2 > column)
            {
                output.WriteLine();
                output.Write(new string(' ', column));
            }
            else
            {
                output.Write(new string(' ', column - Indent - left.Length));
            }

            Wrap(right, column, output);
        }
    }

    /// <summary>Writes words up to the width; the cursor is at <paramref name="column"/>, where the other lines begin too.</summary>
    private static void Wrap(string text, int column, TextWriter output)
    {
        int at = column;
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (at > column && at + 1 + word.Length > Width)
            {
                output.WriteLine();
                output.Write(new string(' ', column));
                at = column;
            }

            if (at > column)
            {
                output.Write(' ');
                at++;
            }

            output.Write(word);
            at += word.Length;
        }

        output.WriteLine();
    }
}

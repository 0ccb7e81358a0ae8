using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Reflection;
using Polymath.Cli.Commands;
using Polymath.Files;
using Polymath.Generation.Batching;
using Polymath.Generation.Constraints;
using Polymath.Hub;
using Polymath.Text.Templates;
using Polymath.Training;

namespace Polymath.Cli;

/// <summary>Finds the command, runs it, and turns what goes wrong into one line and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>Words given to @files and [directives] by the parser would be taken from prompts; both are off.</summary>
    private static readonly ParserConfiguration Parsing = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    private static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Show the whole stack trace of an error.",
        Recursive = true,
    };

    /// <summary>All commands, in the order help lists them.</summary>
    public static IReadOnlyList<CliCommand> Commands() =>
    [
        new RunCommand(),
        new ChatCommand(),
        new ServeCommand(),
        new ExtractCommand(),
        new ClassifyCommand(),
        new SummarizeCommand(),
        new AskCommand(),
        new ShowCommand(),
        new DoctorCommand(),
        new TokenizeCommand(),
        new EmbedCommand(),
        new RerankCommand(),
        new PerplexityCommand(),
        new LogitsCommand(),
        new BenchCommand(),
        new ConvertCommand(),
        new ImatrixCommand(),
        new QuantizeCommand(),
        new TrainCommand(),
        new PullCommand(),
        new ListCommand(),
        new RemoveCommand(),
    ];

    /// <summary>The version of this program.</summary>
    public static string Version =>
        typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code; see <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> args, Terminal terminal)
    {
        bool verbose = args.Contains("--verbose");
        try
        {
            int code = Dispatch(args, terminal);
            terminal.Out.Flush();
            return code;
        }
        catch (IOException e) when (Terminal.IsBrokenPipe(e))
        {
            return ExitCode.Success;   // the reader has seen enough
        }
        catch (Exception e)
        {
            FlushQuietly(terminal);
            return Report(e, verbose, terminal);
        }
    }

    private static int Dispatch(IReadOnlyList<string> args, Terminal terminal)
    {
        RootCommand root = Root();
        ParseResult parse = root.Parse(args, Parsing);
        Command command = parse.CommandResult.Command;
        if (parse.Action is HelpAction)
        {
            Help.Write(command, terminal.Out);
            return ExitCode.Success;
        }

        if (parse.Action == root.Options.OfType<VersionOption>().Single().Action)
        {
            terminal.Out.WriteLine($"polymath {Version}");
            return ExitCode.Success;
        }

        if (args.Count == 0)
        {
            Help.Write(root, terminal.Error);
            return ExitCode.Usage;
        }

        if (parse.Errors.Count > 0)
            throw new UsageException(Complaint(parse));
        RefuseUnknownOptions(parse);
        return ((CliCommand)command).Execute(parse, terminal);
    }

    private static RootCommand Root()
    {
        var root = new RootCommand("Runs and trains language models, in C# alone.") { Verbose };
        root.Directives.Clear();
        foreach (CliCommand command in Commands())
            root.Add(command);
        return root;
    }

    private static string Complaint(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        string where = command is RootCommand ? "polymath --help" : $"polymath {command.Name} --help";
        string what = parse.Errors[0].Message.TrimEnd('.');
        if (parse.UnmatchedTokens is [string first, ..])
        {
            what = LooksLikeOption(first) ? $"unknown option {first}"
                : command is RootCommand ? $"unknown command {first}"
                : $"unexpected argument {first} (a text of several words needs quotes)";
        }

        return $"{what}; see {where}";
    }

    /// <summary>The parser takes a mistyped option for a positional argument; here it is told apart, unless -- stood before it.</summary>
    private static void RefuseUnknownOptions(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        foreach (Argument argument in command.Arguments)
        {
            foreach (Token token in parse.GetResult(argument)?.Tokens ?? [])
            {
                bool literal = parse.Tokens.TakeWhile(t => !ReferenceEquals(t, token)).Any(t => t.Type == TokenType.DoubleDash);
                if (!literal && LooksLikeOption(token.Value))
                    throw new UsageException($"unknown option {token.Value}; see polymath {command.Name} --help");
            }
        }
    }

    private static bool LooksLikeOption(string word) => word.Length > 1 && word[0] == '-' && !word.Any(char.IsWhiteSpace);

    /// <summary>What was written before an error still belongs to the output.</summary>
    private static void FlushQuietly(Terminal terminal)
    {
        try
        {
            terminal.Out.Flush();
        }
        catch (IOException)
        {
            // The error under way is the one to report.
        }
    }

    private static int Report(Exception exception, bool verbose, Terminal terminal)
    {
        if (exception is OperationCanceledException && terminal.Cancellation.IsCancellationRequested)
            return ExitCode.Interrupted;
        string message = exception switch
        {
            AggregateException { InnerException: { } inner } => Describe(inner),
            _ => Describe(exception),
        };
        terminal.Error.WriteLine($"polymath: {Printable.OneLine(message)}");
        if (verbose)
            terminal.Error.WriteLine(exception);
        return exception is UsageException ? ExitCode.Usage : ExitCode.Failure;
    }

    /// <summary>What an exception says, without the name of a parameter that nobody typed.</summary>
    internal static string MessageOf(Exception exception) => exception is ArgumentException { ParamName: { } name }
        ? exception.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : exception.Message;

    private static string Describe(Exception exception) => exception switch
    {
        OutOfMemoryException => "not enough memory",
        ArgumentException e => MessageOf(e),
        UsageException or ModelFormatException or TrainingException or HubException or ConstraintException or TemplateException or EngineBusyException or IOException or UnauthorizedAccessException or InvalidDataException
            or NotSupportedException or InvalidOperationException or OperationCanceledException => exception.Message,
        _ => $"{exception.GetType().Name}: {exception.Message} (this is a bug; --verbose shows where)",
    };
}

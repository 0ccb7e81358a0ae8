namespace Polymath.Cli;

/// <summary>A command line that parses and yet makes no sense. The message is one line; the process ends with <see cref="ExitCode.Usage"/>.</summary>
internal sealed class UsageException(string message) : Exception(message);

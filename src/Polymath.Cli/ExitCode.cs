namespace Polymath.Cli;

/// <summary>Exit codes of the process.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>The work failed: a file, a model, the machine.</summary>
    public const int Failure = 1;

    /// <summary>The command line made no sense.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl-C: 128 + SIGINT, as shells count it.</summary>
    public const int Interrupted = 130;
}

using System.Text;
using Polymath.Cli;

namespace Polymath.Tests.Cli;

/// <summary>One run of the command line inside the test process.</summary>
internal sealed record CliRun(int Code, byte[] Output, string Error)
{
    /// <summary>Standard output as text.</summary>
    public string Text => Encoding.UTF8.GetString(Output);

    /// <summary>Lines of standard error.</summary>
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static CliRun Of(params string[] args) => With([], args);

    /// <summary>Runs with bytes on standard input.</summary>
    public static CliRun With(byte[] input, params string[] args)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(new MemoryStream(input), output, error);
        int code = CommandLine.Run(args, terminal);
        return new CliRun(code, output.ToArray(), error.ToString());
    }

    /// <summary>Runs and requires success.</summary>
    public static string Succeed(params string[] args)
    {
        CliRun run = Of(args);
        Xunit.Assert.True(run.Code == 0, $"{string.Join(' ', args)} gave {run.Code}: {run.Error}");
        return run.Text;
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Polymath.Cli;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>The command line as a process of its own: streams, signals, exit codes.</summary>
public sealed partial class ProcessTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>
{
    private const int Interrupt = 2;   // SIGINT
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Standard_output_has_no_byte_order_mark_and_exit_codes_pass_through()
    {
        using Process run = Start("tokenize", tiny.Path, "--ids", "é");
        run.StandardInput.Close();
        using var output = new MemoryStream();
        await run.StandardOutput.BaseStream.CopyToAsync(output);
        await Exit(run);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("256 ", Encoding.UTF8.GetString(output.ToArray())[..4]);

        using Process wrong = Start("tokenize", "--bogus");
        Assert.Equal("", await wrong.StandardOutput.ReadToEndAsync());
        await Exit(wrong);
        Assert.Equal(2, wrong.ExitCode);
    }

    [Fact]
    public async Task Ctrl_C_ends_a_long_answer_with_a_summary_and_130()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with kill");
        Assert.SkipWhen(InterruptsAreIgnored(), "started in the background by a shell that ignores Ctrl-C there");
        using Process run = StartEndless();
        await run.StandardOutput.BaseStream.ReadExactlyAsync(new byte[16]);   // the answer is under way
        Assert.Equal(0, Kill(run.Id, Interrupt));
        Task<string> output = run.StandardOutput.ReadToEndAsync(), error = run.StandardError.ReadToEndAsync();
        await Exit(run);
        Assert.Equal(130, run.ExitCode);
        await output;
        Assert.Matches(@"\Aprompt .* stopped: interrupted\n\z", await error);
    }

    [Fact]
    public async Task A_reader_that_goes_away_ends_the_answer_quietly()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "pipes break differently there");
        using Process run = StartEndless();
        await run.StandardOutput.BaseStream.ReadExactlyAsync(new byte[16]);
        run.StandardOutput.Close();
        Task<string> error = run.StandardError.ReadToEndAsync();
        await Exit(run);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("", await error);
    }

    [Fact]
    public async Task A_closed_standard_error_does_not_end_the_work()
    {
        Assert.SkipUnless(File.Exists("/bin/sh"), "needs a Unix shell");
        using Process run = StartProcess("/bin/sh", "-c", "exec \"$@\" 2>&-", "sh", Dotnet, Program, "run", "-m", tiny.Path, "Hello", "-n", "5", "--temp", "0");
        run.StandardInput.Close();
        string text = await run.StandardOutput.ReadToEndAsync();
        await Exit(run);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(CliRun.Succeed("run", "-m", tiny.Path, "Hello", "-n", "5", "--temp", "0"), text);
    }

    /// <summary>A model whose end token is never among the likeliest, and a context that takes long to fill.</summary>
    private Process StartEndless()
    {
        string path = tiny.Beside("endless.gguf");
        TinyModel.Write(path, change: (_, tensors) =>
        {
            Tensor embedding = tensors.Single(t => t.Name == "token_embd.weight").Elements();
            embedding.Row(TinyModel.Vocabulary - 1).Clear();   // its logit is 0, about half of the others are above
        });
        return Start("run", "-m", path, "-c", "200000", "-p", "Hello");
    }

    private static string Program => typeof(CommandLine).Assembly.Location;

    /// <summary>The dotnet that runs this test: three folders above shared/Microsoft.NETCore.App/10.0.x/.</summary>
    private static string Dotnet => Path.GetFullPath(
        Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    private static Process Start(params string[] args) => StartProcess(Dotnet, [Program, .. args]);

    private static Process StartProcess(string program, params string[] args)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string arg in args)
            start.ArgumentList.Add(arg);
        return Process.Start(start)!;
    }

    /// <summary>Whether programs started from here ignore SIGINT, as those do that a script starts with &amp;; told on Linux alone.</summary>
    private static bool InterruptsAreIgnored()
    {
        const string Label = "SigIgn:", Status = "/proc/self/status";
        string? line = File.Exists(Status) ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(Label, StringComparison.Ordinal)) : null;
        return line is not null && (Convert.ToUInt64(line[Label.Length..].Trim(), 16) >> (Interrupt - 1) & 1) != 0;
    }

    private static async Task Exit(Process process)
    {
        using var late = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            Assert.Fail($"still running after {Patience.TotalSeconds} s");
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}

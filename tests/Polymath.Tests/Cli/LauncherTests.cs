using System.Diagnostics;
using Polymath.Tests.Files;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>The launcher script, in a project of its own with a dotnet that only writes down what it is asked to do.</summary>
public sealed class LauncherTests : IDisposable
{
    private const string FakeDotnet =
        """
        #!/bin/sh
        root=$(dirname "$0")/..
        case $1 in
            --version) [ -z "$TOO_OLD" ] || exit 1; echo 10.0.100 ;;
            --list-sdks) echo "8.0.100 [somewhere]" ;;
            build)
                echo build >>"$root/builds"
                sleep 0.3
                [ -z "$BROKEN" ] || { echo "error CS1002: ; expected"; exit 1; }
                mkdir -p "$root/artifacts/bin/Polymath.Cli/release"
                : >"$root/artifacts/bin/Polymath.Cli/release/Polymath.Cli.dll" ;;
            *) shift; printf '<%s>' "$@"; exit "${CODE:-0}" ;;
        esac
        """;

    private readonly TemporaryFolder _folder = new();

    public LauncherTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a Unix script");
        File.Copy(Path.Combine(Shared.ProjectRoot, "polymath"), _folder["polymath"]);
        Directory.CreateDirectory(_folder["src/Polymath.Cli"]);
        Directory.CreateDirectory(_folder["bin"]);
        File.WriteAllText(_folder["src/Polymath.Cli/Polymath.Cli.csproj"], "");
        File.WriteAllText(_folder["src/code.cs"], "");
        File.WriteAllText(_folder["global.json"], "");
        File.WriteAllText(_folder["Directory.Build.props"], "");
        foreach (string tool in new[] { "cat", "dirname", "find", "flock", "head", "mkdir", "mv", "readlink", "rmdir", "sed", "sleep", "tr" })
        {
            string? found = new[] { $"/usr/bin/{tool}", $"/bin/{tool}" }.FirstOrDefault(File.Exists);
            if (found is not null)
                File.CreateSymbolicLink(_folder[$"bin/{tool}"], found);
        }

        File.WriteAllText(_folder["bin/dotnet"], FakeDotnet.ReplaceLineEndings("\n"));
        foreach (string script in new[] { "polymath", "bin/dotnet" })
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(_folder[script], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        foreach (string file in Directory.GetFiles(_folder["src"], "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(-5));
    }

    private int Builds => File.Exists(_folder["builds"]) ? File.ReadAllLines(_folder["builds"]).Length : 0;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_builds_at_first_use_and_when_a_source_has_changed_and_else_not()
    {
        (int code, string output, string error) = await Launch([], "run", "two words", "");
        Assert.Equal((0, "<run><two words><>"), (code, output));
        Assert.StartsWith("polymath: building", error, StringComparison.Ordinal);
        Assert.Equal((0, "<x>", ""), await Launch([], "x"));
        Assert.Equal(1, Builds);

        File.SetLastWriteTimeUtc(_folder["src/code.cs"], DateTime.UtcNow.AddMinutes(1));
        await Launch([], "x");
        Assert.Equal(2, Builds);
    }

    [Fact]
    public async Task A_removed_source_is_a_change()
    {
        await Launch([], "x");
        await Task.Delay(20);
        File.Delete(_folder["src/code.cs"]);
        await Launch([], "x");
        Assert.Equal(2, Builds);
    }

    [Fact]
    public async Task Two_at_once_build_once_and_both_run()
    {
        (int, string, string)[] runs = await Task.WhenAll(Launch([], "a"), Launch([], "b"), Launch([], "c"));
        Assert.Equal(["<a>", "<b>", "<c>"], runs.Select(r => r.Item2));
        Assert.Equal(1, Builds);
    }

    [Fact]
    public async Task The_exit_code_passes_through() => Assert.Equal(130, (await Launch([("CODE", "130")], "x")).Code);

    [Fact]
    public async Task A_failed_build_shows_its_messages_runs_nothing_and_is_tried_again()
    {
        (int code, string output, string error) = await Launch([("BROKEN", "1")], "x");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("error CS1002", error, StringComparison.Ordinal);
        Assert.EndsWith("polymath: the build failed\n", error, StringComparison.Ordinal);
        Assert.Equal("<x>", (await Launch([], "x")).Output);
    }

    [Fact]
    public async Task Without_a_fitting_SDK_it_says_so_in_one_line()
    {
        (int code, string output, string error) = await Launch([("TOO_OLD", "1")], "x");
        Assert.Equal((1, ""), (code, output));
        Assert.Equal("polymath: the .NET 10 SDK is needed; dotnet has: 8.0.100 \n", error);
        File.Delete(_folder["bin/dotnet"]);
        (code, _, error) = await Launch([], "x");
        Assert.Equal(1, code);
        Assert.Matches(@"\Apolymath: the \.NET 10 SDK is needed.*\n\z", error);
    }

    [Fact]
    public async Task It_finds_its_project_through_symbolic_links_from_any_folder()
    {
        Directory.CreateDirectory(_folder["elsewhere/deep"]);
        File.CreateSymbolicLink(_folder["elsewhere/one"], "../polymath");
        File.CreateSymbolicLink(_folder["elsewhere/deep/two"], _folder["elsewhere/one"]);
        Assert.Equal("<x>", (await Launch("elsewhere/deep/two", [], "x")).Output);
    }

    private Task<(int Code, string Output, string Error)> Launch((string Name, string Value)[] environment, params string[] args) =>
        Launch("polymath", environment, args);

    private async Task<(int Code, string Output, string Error)> Launch(
        string script, (string Name, string Value)[] environment, params string[] args)
    {
        var start = new ProcessStartInfo(_folder[script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["PATH"] = _folder["bin"];   // and nothing of this machine's dotnet
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        foreach (string arg in args)
            start.ArgumentList.Add(arg);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using Polymath.Cli;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>A chat on a real terminal, with a person's keys: in tmux, where that is installed.</summary>
public sealed class ChatTerminalTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _server = $"polymath-{Guid.NewGuid():N}";

    public void Dispose()
    {
        if (TmuxIsThere())
            Tmux("kill-server");
    }

    [Fact]
    public async Task A_person_talks_interrupts_changes_and_leaves()
    {
        Assert.SkipUnless(TmuxIsThere(), "tmux is not installed");
        string model = tiny.Beside("endless.gguf");
        TinyModel.Write(model, change: (_, tensors) =>
        {
            Tensor embedding = tensors.Single(t => t.Name == "token_embd.weight").Elements();
            embedding.Row(TinyModel.Vocabulary - 1).Clear();   // the end is never among the likeliest
        });
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        string chat = $"trap : INT; {dotnet} '{typeof(CommandLine).Assembly.Location}' chat '{model}' -c 60000; echo left with $?; cat";
        Tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "50", "sh", "-c", chat);
        await Shows(">>>");

        Tmux("send-keys", "Tell me a story that does not end", "Enter");
        await Task.Delay(700, TestContext.Current.CancellationToken);
        Tmux("send-keys", "C-c");
        await Shows("; interrupted");

        Tmux("send-keys", "/set max_tokens 3", "Enter", "\"\"\"two", "Enter", "lines\"\"\"", "Enter");
        await Shows("max_tokens = 3");
        await Shows("... lines\"\"\"");
        await Shows("reply 3 tokens");

        Tmux("send-keys", "/stats", "Enter");
        await Shows("2 answers:");
        Tmux("send-keys", "C-c");
        await Shows("so does Ctrl-C once more");
        Tmux("send-keys", "/undo", "Enter");
        await Shows("taken back; 2 messages are left");
        Tmux("send-keys", "C-d");
        await Shows("left with 0");
    }

    private async Task Shows(string text)
    {
        long start = Stopwatch.GetTimestamp();
        string screen = "";
        while (Stopwatch.GetElapsedTime(start) < Patience)
        {
            screen = Tmux("capture-pane", "-p", "-S", "-2000");
            if (screen.Contains(text, StringComparison.Ordinal))
                return;
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"\"{text}\" did not appear:\n{screen}");
    }

    private static bool TmuxIsThere() => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "tmux")));

    private string Tmux(params string[] args)
    {
        var start = new ProcessStartInfo("tmux") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string arg in (string[])["-L", _server, .. args])
            start.ArgumentList.Add(arg);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}

using Polymath.Cli;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>polymath serve: whom it will not serve, and that it stops when asked to.</summary>
public sealed class ServeCommandTests(TinyModelFile model) : IClassFixture<TinyModelFile>
{
    [Theory]
    [InlineData("--host", "0.0.0.0", "other machines", "key")]
    [InlineData("--host", "::", "other machines", "key")]
    [InlineData("--host", "evil.example", "--host", "evil.example")]
    [InlineData("--api-key", " , ", "key", "empty")]
    public void What_would_be_open_or_makes_no_sense_is_refused(string option, string value, params string[] words)
    {
        CliRun run = CliRun.Of("serve", model.Path, option, value);
        Assert.Equal(2, run.Code);
        Assert.All(words, word => Assert.Contains(word, Assert.Single(run.ErrorLines), StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_serves_until_it_is_interrupted()
    {
        using var error = new FirstLine();
        using var terminal = new Terminal(new MemoryStream(), new MemoryStream(), error);
        Task<int> run = Task.Run(() => CommandLine.Run(["serve", model.Path, "--port", "0", "--context", "256", "--threads", "1"], terminal));
        string line = await error.Line.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("polymath: tiny at http://127.0.0.1:", line, StringComparison.Ordinal);
        var address = new Uri(line.Split(' ')[3].TrimEnd(','));
        using var client = new HttpClient();
        Assert.Contains("ready", await client.GetStringAsync(new Uri(address, "/health/ready"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        terminal.Interrupt();
        Assert.Equal(0, await run);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(new Uri(address, "/health/live"), TestContext.Current.CancellationToken));
    }

    private sealed class FirstLine : StringWriter
    {
        public TaskCompletionSource<string> Line { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void WriteLine(string? value) => Line.TrySetResult(value ?? "");
    }
}

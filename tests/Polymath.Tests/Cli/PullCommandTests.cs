using System.Text;
using System.Text.Json;
using Polymath.Cli;
using Polymath.Cli.Commands;
using Polymath.Tests.Hub;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>pull, ls, rm, and models by their names in every command.</summary>
public sealed class PullCommandTests : IClassFixture<TinyModelFile>, IDisposable
{
    private readonly FakeHub _hub = new();

    public PullCommandTests(TinyModelFile tiny)
    {
        _hub.Files["tiny-Q8_0.gguf"] = File.ReadAllBytes(tiny.Path);
        _hub.Files["tiny-Q4_0.gguf"] = File.ReadAllBytes(tiny.Path);
    }

    public void Dispose() => _hub.Dispose();

    [Fact]
    public void A_pulled_model_has_its_path_on_standard_output_and_its_choice_on_standard_error()
    {
        CliRun pull = Run("pull", FakeHub.Repository);
        Assert.True(pull.Code == 0, pull.Error);
        string path = Assert.Single(pull.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(_hub.Files["tiny-Q4_0.gguf"], File.ReadAllBytes(path));
        Assert.Contains("me/it:Q4_0, ", pull.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("there are also Q8_0 (", pull.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("100 % of ", pull.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\r", pull.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(FakeHub.Token, pull.Error, StringComparison.Ordinal);
        Assert.Equal(path + "\n", Run("pull", "me/it", "--offline").Text);
    }

    [Fact]
    public void Every_command_that_takes_a_model_takes_its_name()
    {
        Run("pull", "me/it:Q8_0");
        File.WriteAllText(Path.Combine(_hub.Folder, "text"), new string('a', 100));
        string[][] lines =
        [
            ["show", "me/it"], ["tokenize", "ME/it:q8_0", "Hello"], ["logits", "me/it", "Hello"], ["run", "Hello", "-m", "me/it", "-n", "2"],
            ["run", "me/it:Q8_0", "Hello", "-n", "2"], ["perplexity", "me/it", Path.Combine(_hub.Folder, "text"), "-c", "16"],
            ["bench", "me/it", "-p", "2", "-n", "2", "-r", "1"], ["quantize", "me/it", Path.Combine(_hub.Folder, "out.gguf"), "F16"],
        ];
        Assert.All(lines, line =>
        {
            CliRun run = Run(line);
            Assert.True(run.Code == 0 && run.Output.Length > 0, $"{string.Join(' ', line)} gave {run.Code}: {run.Error}");
        });
    }

    [Fact]
    public void A_name_that_is_not_there_says_how_to_get_it()
    {
        foreach (string[] line in (string[][])[["show", "me/it:Q8_0"], ["run", "me/it:Q8_0", "Hello"], ["run", "-m", "me/it:Q8_0", "Hello"]])
        {
            CliRun run = Run(line);
            Assert.Equal(1, run.Code);
            Assert.Equal("polymath: me/it:Q8_0 is neither a file nor in the cache; get it with: polymath pull me/it:Q8_0", Assert.Single(run.ErrorLines));
        }

        Assert.Empty(_hub.Hub.Requests);
    }

    [Theory]
    [InlineData("\n", 0)]
    [InlineData("yes\n", 0)]
    [InlineData("n\n", 1)]
    [InlineData("what?\n", 1)]
    public void On_a_terminal_run_asks_and_pulls(string answer, int code)
    {
        CliRun run = Run(answer, terminal: true, "run", "me/it", "Hello", "-n", "2");
        Assert.True(run.Code == code, run.Error);
        Assert.StartsWith("me/it is not here yet. Pull it? [Y/n] ", run.Error, StringComparison.Ordinal);
        Assert.Equal(code == 0, _hub.Cache.List().Count == 1);
        if (code == 0)
            Assert.Contains("\r\u001b[K████████████████ ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Offline_it_does_not_ask()
    {
        CliRun run = Run("\n", terminal: true, "run", "me/it", "Hello", "--offline");
        Assert.Equal(1, run.Code);
        Assert.Contains("polymath pull me/it", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void Ls_shows_name_quant_size_and_age_and_rm_removes()
    {
        Assert.Contains("no models here yet", Run("ls").Error, StringComparison.Ordinal);
        Run("pull", "me/it:Q8_0");
        Run("pull", "me/it:Q4_0");
        string[] lines = Run("ls").Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Matches(@"\A  me/it  Q4_0  +\S+ [KM]iB  +just now\z", lines[0]);

        JsonElement json = JsonDocument.Parse(Run("ls", "--json").Output).RootElement;
        Assert.Equal(["me/it:Q4_0", "me/it:Q8_0"], json.GetProperty("models").EnumerateArray().Select(m => m.GetProperty("name").GetString()));
        Assert.True(File.Exists(json.GetProperty("models")[1].GetProperty("path").GetString()));

        Assert.StartsWith("removed me/it:Q8_0 (", Run("rm", "me/it:Q8_0").Text, StringComparison.Ordinal);
        Assert.Single(_hub.Cache.List());
        CliRun again = Run("rm", "me/it:Q8_0");
        Assert.Equal((1, "polymath: me/it:Q8_0 is not in the cache; see polymath ls"), (again.Code, Assert.Single(again.ErrorLines)));
        Assert.Equal(2, Run("rm").Code);
        Assert.Equal(2, Run("rm", "../x").Code);
        Assert.Equal(0, Run("rm", "--unfinished").Code);
    }

    [Theory]
    [InlineData("pull", "it")]
    [InlineData("pull", "../it")]
    [InlineData("run", "Once", "upon")]
    [InlineData("run", "-m", "x.gguf", "Once", "upon")]
    public void What_makes_no_sense_is_wrong_usage(params string[] line) => Assert.Equal(2, Run(line).Code);

    [Theory]
    [InlineData(30, "just now")]
    [InlineData(90, "1 minute ago")]
    [InlineData(7200, "2 hours ago")]
    [InlineData(86400 * 6, "6 days ago")]
    [InlineData(86400 * 15, "2 weeks ago")]
    [InlineData(86400 * 65, "2 months ago")]
    [InlineData(86400 * 400, "1 year ago")]
    public void An_age_is_told_in_its_largest_unit(int seconds, string text) => Assert.Equal(text, ListCommand.Age(TimeSpan.FromSeconds(seconds)));

    private CliRun Run(params string[] args) => Run("", terminal: false, args);

    private CliRun Run(string input, bool terminal, params string[] args)
    {
        var variables = new Dictionary<string, string>
        {
            ["HF_ENDPOINT"] = _hub.Hub.Address.ToString(),
            ["HF_TOKEN"] = FakeHub.Token,
            ["POLYMATH_MODELS"] = _hub.Folder,
        };
        using var output = new MemoryStream();
        using var error = new StringWriter { NewLine = "\n" };
        using var face = new Terminal(new MemoryStream(Encoding.UTF8.GetBytes(input)), output, error)
        {
            Variable = variables.GetValueOrDefault,
            InputIsTerminal = terminal,
            ErrorIsTerminal = terminal,
        };
        return new CliRun(CommandLine.Run(args, face), output.ToArray(), error.ToString());
    }
}

using Polymath.Cli;
using Xunit;

namespace Polymath.Tests.Cli;

public sealed class CommandLineTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>
{
    public static TheoryData<string> CommandNames => [.. CommandLine.Commands().Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(CommandNames))]
    public void Help_of_each_command_names_every_option_with_an_example_and_fits_100_columns(string name)
    {
        CliCommand command = CommandLine.Commands().Single(c => c.Name == name);
        string help = CliRun.Succeed(name, "--help");
        foreach (System.CommandLine.Option option in command.Options.Where(o => !o.Hidden))
            Assert.Contains(option.Name, help, StringComparison.Ordinal);
        Assert.Equal(command.Options.Count(o => !o.Hidden), command.Groups.Sum(g => g.Options.Length));
        Assert.NotEmpty(command.Examples);
        Assert.Contains($"polymath {name}", help, StringComparison.Ordinal);
        Assert.All(help.Split('\n').Where(l => !l.StartsWith("  polymath ", StringComparison.Ordinal)), line => Assert.True(line.Length <= 100, line));
    }

    [Fact]
    public void Help_of_the_program_names_every_command()
    {
        string help = CliRun.Succeed("--help");
        Assert.All(CommandLine.Commands(), c => Assert.Contains($"  {c.Name} ", help, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_command_help_goes_to_standard_error()
    {
        CliRun run = CliRun.Of();
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Output);
        Assert.Contains("Usage:", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_version_is_one_line() => Assert.Matches(@"\Apolymath \d+\.\d+\.\d+\S*\n\z", CliRun.Succeed("--version"));

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("@file")]
    [InlineData("[suggest]")]
    [InlineData("--bogus")]
    [InlineData("run", "--bogus")]
    [InlineData("run", "x", "-n", "-2")]
    [InlineData("run", "x", "-n", "many")]
    [InlineData("run", "x", "-n", "1.5")]
    [InlineData("run", "x", "-n")]
    [InlineData("run", "x", "--temp", "-0.1")]
    [InlineData("run", "x", "--temp", "NaN")]
    [InlineData("run", "x", "--temp", "Infinity")]
    [InlineData("run", "x", "--temp", "0,5")]
    [InlineData("run", "x", "--top-p", "1.01")]
    [InlineData("run", "x", "--top-p", "-0.5")]
    [InlineData("run", "x", "--min-p", "2")]
    [InlineData("run", "x", "--top-k", "-1")]
    [InlineData("run", "x", "--seed", "-2")]
    [InlineData("run", "x", "--repeat-penalty", "0")]
    [InlineData("run", "x", "-c", "-1")]
    [InlineData("run", "x", "-t", "-1")]
    [InlineData("run", "x", "y")]
    [InlineData("run", "x", "-p", "y")]
    [InlineData("tokenize")]
    [InlineData("perplexity", "model.gguf")]
    [InlineData("logits", "model.gguf")]
    [InlineData("logits", "model.gguf", "x", "--ids", "1")]
    [InlineData("bench", "model.gguf", "-p", "0", "-n", "0")]
    [InlineData("imatrix", "model.gguf")]
    [InlineData("quantize", "in.gguf", "out.gguf")]
    [InlineData("quantize", "in.gguf", "out.gguf", "Q9_9")]
    public void Wrong_usage_is_one_line_on_standard_error_and_code_2(params string[] args)
    {
        CliRun run = CliRun.Of(args);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Output);
        Assert.StartsWith("polymath: ", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show", "no-such-file.gguf")]
    [InlineData("run", "x", "-m", "no-such-file.gguf")]
    [InlineData("tokenize", "no-such-file.gguf", "x")]
    [InlineData("perplexity", "no-such-file.gguf", "text.txt")]
    [InlineData("logits", "no-such-file.gguf", "x")]
    [InlineData("bench", "no-such-file.gguf")]
    [InlineData("imatrix", "no-such-file.gguf", "text.txt")]
    [InlineData("quantize", "no-such-file.gguf", "out.gguf", "F16")]
    public void A_missing_file_is_one_line_that_names_it_and_code_1(params string[] args)
    {
        CliRun run = CliRun.Of(args);
        Assert.Equal(1, run.Code);
        Assert.Empty(run.Output);
        Assert.Contains("no-such-file.gguf", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stack_trace_is_shown_only_with_verbose()
    {
        CliRun run = CliRun.Of("show", "no-such-file.gguf", "--verbose");
        Assert.Equal(1, run.Code);
        Assert.Contains("   at Polymath.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_one_line_and_code_1()
    {
        string path = tiny.Beside("damaged.gguf");
        File.WriteAllBytes(path, File.ReadAllBytes(tiny.Path)[..1000]);
        CliRun run = CliRun.Of("show", path);
        Assert.Equal(1, run.Code);
        Assert.Contains("damaged.gguf", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mistyped_option_is_no_positional_argument_unless_two_dashes_stand_before()
    {
        CliRun mistyped = CliRun.Of("tokenize", tiny.Path, "--idz");
        Assert.Equal(2, mistyped.Code);
        Assert.Contains("unknown option --idz", mistyped.Error, StringComparison.Ordinal);
        Assert.Contains("'z'", CliRun.Succeed("tokenize", tiny.Path, "--", "--idz"), StringComparison.Ordinal);
        Assert.Contains("'b'", CliRun.Succeed("tokenize", tiny.Path, "- a b"), StringComparison.Ordinal);
    }

    [Fact]
    public void Control_characters_in_an_error_do_not_reach_the_terminal()
    {
        CliRun run = CliRun.Of("show", "no\u001b[31m\nsuch");
        Assert.Equal(1, run.Code);
        Assert.DoesNotContain('\u001b', Assert.Single(run.ErrorLines));
    }
}

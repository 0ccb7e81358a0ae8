using System.Text;
using Polymath.Cli;
using Polymath.Generation;
using Polymath.Models;
using Xunit;

namespace Polymath.Tests.Cli;

public sealed class RunCommandTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>
{
    [Fact]
    public void Standard_output_is_the_new_text_to_the_byte_and_the_summary_goes_to_standard_error()
    {
        CliRun run = Run("Hello", "-n", "20", "--seed", "7");
        Assert.Equal(0, run.Code);
        Assert.Equal(Expected("Hello", 20, 7), run.Output);
        Assert.Matches(@"\Aprompt 6 tokens, \S+ tokens/s; answer \d+ tokens, \S+ tokens/s; seed 7; stopped: [a-z ]+\n\z", run.Error);
    }

    [Fact]
    public void The_seed_in_the_summary_gives_the_same_text_again()
    {
        CliRun first = Run("Hello", "-n", "20");
        string seed = System.Text.RegularExpressions.Regex.Match(first.Error, @"seed (\d+);").Groups[1].Value;
        Assert.Equal(first.Output, Run("Hello", "-n", "20", "--seed", seed).Output);
    }

    [Theory]
    [InlineData("Hello\n")]
    [InlineData("Hello\r\n")]
    [InlineData("Hello")]
    [InlineData("\ufeffHello\n")]
    public void A_prompt_on_standard_input_is_the_same_as_an_argument(string input)
    {
        byte[] expected = Run("Hello", "-n", "10", "--temp", "0").Output;
        Assert.Equal(expected, CliRun.With(Encoding.UTF8.GetBytes(input), "run", "-m", tiny.Path, "-n", "10", "--temp", "0").Output);
        Assert.Equal(expected, CliRun.Of("run", "-m", tiny.Path, "-n", "10", "--temp", "0", "-p", "Hello").Output);
    }

    [Fact]
    public void An_empty_prompt_starts_from_the_begin_token() => Assert.Equal(0, Run("", "-n", "3").Code);

    [Fact]
    public void No_tokens_give_no_text()
    {
        CliRun run = Run("Hello", "-n", "0");
        Assert.Equal(0, run.Code);
        Assert.Empty(run.Output);
        Assert.Contains("stopped: token limit", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_an_error()
    {
        CliRun run = Run("a prompt of many tokens", "-c", "8");
        Assert.Equal(1, run.Code);
        Assert.Contains("24 tokens, the context holds 8", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_context_larger_than_the_memory_is_an_error()
    {
        CliRun run = Run("Hello", "-c", "2000000000");
        Assert.Equal(1, run.Code);
        Assert.Contains("memory", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void Interrupted_at_the_start_it_reports_and_ends_with_130()
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();
        using var terminal = new Terminal(Stream.Null, output, error);
        terminal.Interrupt();
        Assert.Equal(130, CommandLine.Run(["run", "Hello", "-m", tiny.Path], terminal));
        Assert.Contains("interrupted", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void On_a_terminal_the_last_line_is_ended_and_controls_are_visible()
    {
        using var output = new MemoryStream();
        using var terminal = new Terminal(Stream.Null, output, TextWriter.Null) { OutputIsTerminal = true };
        Assert.Equal(0, CommandLine.Run(["run", "Hello", "-m", tiny.Path, "-n", "60", "--seed", "7"], terminal));
        string text = Encoding.UTF8.GetString(output.ToArray());
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain(text, c => char.IsControl(c) && c is not ('\n' or '\t'));
    }

    private CliRun Run(string prompt, params string[] options) => CliRun.Of(["run", prompt, "-m", tiny.Path, .. options]);

    private byte[] Expected(string prompt, int tokens, ulong seed)
    {
        using Model model = Model.Load(tiny.Path);
        using Session session = model.NewSession();
        var options = new GenerationOptions { MaxTokens = tokens, Sampling = new SamplingOptions { Seed = seed } };
        return Encoding.UTF8.GetBytes(Generator.Run(session, model.Tokenizer.Encode(prompt), options).Text);
    }
}

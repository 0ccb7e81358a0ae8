using System.Text;
using System.Text.Json;
using Polymath.Cli;
using Xunit;

namespace Polymath.Tests.Cli;

public sealed class ChatCommandTests(TinyModelFile tiny) : IClassFixture<TinyModelFile>
{
    [Fact]
    public void A_message_from_a_pipe_is_answered_on_standard_output_and_nothing_else_stands_there()
    {
        CliRun run = Chat("Hello\n", "-n", "12", "--seed", "4");
        Assert.Equal(0, run.Code);
        CliRun again = Chat("Hello", "-n", "12", "--seed", "4");
        Assert.Equal(run.Output, again.Output);
        Assert.NotEmpty(run.Output);
        Assert.Contains("no chat template", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Matches(@"^prompt \d+ tokens, 0 of them reused, \S+ tokens/s; reply \d+ tokens, \S+ tokens/s", run.ErrorLines[1]);
    }

    [Fact]
    public void A_conversation_remembers_takes_back_and_computes_only_what_is_new()
    {
        CliRun run = Lines("One\nTwo\n/undo\n/retry\n/clear\nThree\n/stats\n/bye\nFour\n", "-n", "8", "--seed", "4");
        Assert.Equal(0, run.Code);
        int[] reused = [.. run.ErrorLines.Where(l => l.StartsWith("prompt ", StringComparison.Ordinal)).Select(l => int.Parse(l.Split(' ')[3], System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(4, reused.Length);   // One, Two, One again, Three
        Assert.Equal(0, reused[0]);
        Assert.True(reused[1] > 30 && reused[2] > 30, string.Join(' ', reused));
        Assert.Contains("taken back; 2 messages are left", run.Error, StringComparison.Ordinal);
        Assert.Contains("4 answers:", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("5 answers", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_may_have_several_lines()
    {
        string path = tiny.Beside("lines.json");
        CliRun run = Lines($"\"\"\"\nfirst\n\nsecond\"\"\"\nthird\\\nfourth\n/save {path}\n", "-n", "2");
        Assert.Equal(0, run.Code);
        Assert.Equal(["first\n\nsecond", "third\nfourth"], Said(path));
    }

    [Fact]
    public void A_conversation_is_saved_whole_and_goes_on_where_it_was()
    {
        string path = tiny.Beside("saved.json"), second = tiny.Beside("again.json");
        Lines($"/system Be kind.\nHello\n/save {path}\n", "-n", "6", "--seed", "2");
        CliRun run = Lines($"/load {path}\n/system\nMore\n/save {second}\n", "-n", "6", "--seed", "2");
        Assert.Contains("instructions: Be kind.", run.Error, StringComparison.Ordinal);
        Assert.Equal(["Hello", "More"], Said(second));
        using JsonDocument saved = JsonDocument.Parse(File.ReadAllBytes(second));
        Assert.Equal(["system", "user", "assistant", "user", "assistant"],
            saved.RootElement.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("role").GetString()!));
        Assert.Equal(0, Chat("x", "-n", "2", "-c", "2048", "--load", second).Code);
    }

    [Theory]
    [InlineData("/load {0}", "no such file")]
    [InlineData("/load", "needs the name of a file")]
    [InlineData("/save {0}/deeper/x.json", "there is no folder")]
    [InlineData("/set temperature hot", "a number from 0 to 100")]
    [InlineData("/set colour red", "no setting colour")]
    [InlineData("/set top_k", "needs a value")]
    [InlineData("/dance", "no command /dance")]
    public void A_wrong_command_is_told_in_one_line_and_the_chat_goes_on(string command, string told)
    {
        CliRun run = Lines(string.Format(System.Globalization.CultureInfo.InvariantCulture, command, tiny.Beside("nowhere")) + "\nHello\n", "-n", "2");
        Assert.Equal(0, run.Code);
        Assert.Contains(told, Assert.Single(run.ErrorLines, l => l.StartsWith("polymath: ", StringComparison.Ordinal) && !l.Contains("warning", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("reply ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_save_changes_nothing()
    {
        string path = tiny.Beside("damaged.json");
        File.WriteAllText(path, """{"messages":[{"role":"user","content":"x"},{"role":"tool","content":"y"}]}""");
        CliRun run = Lines($"Hello\n/load {path}\n/undo\n", "-n", "2");
        Assert.Contains("has no place", run.Error, StringComparison.Ordinal);
        Assert.Contains("taken back; 0 messages are left", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_change_what_comes_next()
    {
        CliRun run = Lines("/set temperature 0\n/set max_tokens 5\nHello\n/retry\n");
        Assert.Equal(2, run.ErrorLines.Count(l => l.Contains("reply 5 tokens", StringComparison.Ordinal)));
        string[] answers = run.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(answers[..(answers.Length / 2)], answers[(answers.Length / 2)..]);   // the likeliest token both times
    }

    [Fact]
    public void Ctrl_C_ends_the_answer_and_keeps_the_conversation()
    {
        using var output = new InterruptingStream();
        using var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(new MemoryStream("Hello\n/stats\n/undo\n"u8.ToArray()), output, error);
        output.Wrote = terminal.Interrupt;
        Assert.Equal(0, CommandLine.Run(["chat", tiny.Path, "--lines", "-c", "2048", "--regex", "[a-z]{2000,}"], terminal));
        Assert.Contains("; interrupted", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 answers:", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("taken back; 0 messages", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_from_a_pipe_that_is_interrupted_ends_with_130()
    {
        using var output = new InterruptingStream();
        using var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(new MemoryStream("Hello"u8.ToArray()), output, error);
        output.Wrote = terminal.Interrupt;
        Assert.Equal(130, CommandLine.Run(["chat", tiny.Path, "-c", "2048", "--regex", "[a-z]{2000,}"], terminal));
    }

    [Fact]
    public void A_message_too_long_for_the_context_is_taken_back()
    {
        CliRun run = Chat($"{new string('x', 300)}\nHello\n", "--lines", "-c", "128", "-n", "2");
        Assert.Contains("the context holds 128", run.Error, StringComparison.Ordinal);
        Assert.Contains("reply 2 tokens", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, Chat(new string('x', 300), "-c", "128").Code);
    }

    [Theory]
    [InlineData("--json", null)]
    [InlineData("--regex", "[ab]{1,9}")]
    public void Answers_have_the_form_that_is_asked_for(string option, string? value)
    {
        CliRun run = Chat("Hello", [option, .. value is null ? Array.Empty<string>() : [value], "--seed", "1", "-c", "2048"]);
        string text = run.Text.TrimEnd('\n');
        if (run.Error.Contains("context is full", StringComparison.Ordinal))
            return;
        if (value is null)
            JsonDocument.Parse(text).Dispose();
        else
            Assert.Matches($"^{value}$", text);
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused()
    {
        Assert.Equal(2, Chat("", "-n", "2").Code);
        Assert.Equal(2, Chat("x", "--think", "--no-think").Code);
        Assert.Equal(2, Chat("x", "--json", "--regex", "a").Code);
        CliRun wrong = Chat("x", "--regex", "(");
        Assert.Equal(1, wrong.Code);
        Assert.DoesNotContain("bug", Assert.Single(wrong.ErrorLines), StringComparison.Ordinal);
    }

    private static string[] Said(string path)
    {
        using JsonDocument saved = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. saved.RootElement.GetProperty("messages").EnumerateArray()
            .Where(m => m.GetProperty("role").GetString() == "user").Select(m => m.GetProperty("content").GetString()!)];
    }

    private CliRun Chat(string input, params string[] options) => CliRun.With(Encoding.UTF8.GetBytes(input), ["chat", tiny.Path, .. options]);

    private CliRun Lines(string input, params string[] options) => Chat(input, ["--lines", "-c", "2048", .. options]);

    /// <summary>Presses Ctrl-C once something was written.</summary>
    private sealed class InterruptingStream : MemoryStream
    {
        public Action? Wrote { get; set; }

        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            Act();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            base.Write(buffer);
            Act();
        }

        private void Act()
        {
            Action? act = Wrote;
            Wrote = null;
            act?.Invoke();
        }
    }
}

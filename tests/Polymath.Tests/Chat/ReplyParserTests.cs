using Polymath.Chat;
using Xunit;

namespace Polymath.Tests.Chat;

public sealed class ReplyParserTests
{
    [Theory]
    [MemberData(nameof(GoldenReplies.All), MemberType = typeof(GoldenReplies))]
    public void A_reply_means_what_the_template_would_have_written_for_it(string dialect, string reply, string expected) =>
        Assert.Equal(expected, Replies.Read(dialect, reply));

    [Theory]
    [MemberData(nameof(GoldenReplies.All), MemberType = typeof(GoldenReplies))]
    public void Any_split_into_pieces_means_the_same(string dialect, string reply, string expected)
    {
        Dialect of = Replies.Of(dialect);
        var random = new Random(reply.Length);
        Assert.Equal(expected, Replies.Read(of, reply.Select(c => c.ToString())));
        for (int round = 0; round < 50; round++)
            Assert.Equal(expected, Replies.Read(of, Replies.Cut(reply, random, 1 + round % 12)));
    }

    /// <summary>Wherever a reply is cut off: what was complete before is there, and no call that is incomplete is called done.</summary>
    [Theory]
    [MemberData(nameof(GoldenReplies.All), MemberType = typeof(GoldenReplies))]
    public void A_reply_cut_off_has_only_the_calls_that_were_complete(string dialect, string reply, string expected)
    {
        string[] done = [.. expected.Split('\n').Where(line => line.StartsWith("call", StringComparison.Ordinal))];
        for (int length = 0; length < reply.Length; length++)
        {
            string[] lines = Replies.Read(dialect, reply[..length]).Split('\n');
            Assert.Equal("end", lines[^1]);
            int calls = 0;
            for (int i = 0; i < lines.Length; i++)
            {
                if (lines[i].StartsWith("done", StringComparison.Ordinal))
                    Assert.Equal(done[calls++], lines[i - 1]);
            }
        }
    }

    [Fact]
    public void Arguments_are_delivered_while_they_are_written()
    {
        var seen = new List<string>();
        ReplyParser parser = Replies.Of("Hermes").NewParser(
            new ReplyOptions { Tools = Replies.Tools }, found => seen.Add($"{found.Part} {found.Text}{found.Name}"));
        parser.Push("Hi <tool_call>\n{\"name\": \"run\"");
        Assert.Equal(["Content Hi", "CallBegun run"], seen);
        parser.Push(", \"arguments\": {\"code\": \"a");
        Assert.Equal("CallArguments {\"code\": \"a", seen[^1]);
        parser.Push("bc");
        Assert.Equal("CallArguments bc", seen[^1]);
        parser.Push("\"}}");
        Assert.Equal(["CallArguments \"}", "CallDone "], seen[^2..]);
    }

    [Fact]
    public void Text_that_may_become_a_tag_waits_and_other_text_does_not()
    {
        string seen = "";
        ReplyParser parser = Replies.Of("Hermes").NewParser(new ReplyOptions { Tools = Replies.Tools }, found => seen += found.Text.ToString());
        parser.Push("a <tool");
        Assert.Equal("a", seen);
        parser.Push("box> b");
        Assert.Equal("a <toolbox> b", seen);
    }

    [Theory]
    [InlineData("Hermes", "Hm.\n</think>\n\nFour.", "reasoning Hm.\ncontent Four.\nend")]
    [InlineData("Hermes", "</think>Four.", "content Four.\nend")]
    [InlineData("Hermes", "Hm. <tool_call> is a tag", "reasoning Hm. <tool_call> is a tag\nend")]
    [InlineData("Kimi K2", "Hm. <|tool_calls_section_begin|><|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}<|tool_call_end|>", "reasoning Hm.\ncall 0 functions.now:0 now {}\ndone 0\nend")]
    [InlineData("harmony", "Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.", "reasoning Hm.\ncontent Four.\nend")]
    public void Reasoning_that_the_prompt_opened_goes_on(string dialect, string reply, string expected)
    {
        var options = new ReplyOptions { Tools = Replies.Tools, StartsInReasoning = true };
        Assert.Equal(expected, Replies.Read(dialect, reply, options));
        Assert.Equal(expected, Replies.Read(Replies.Of(dialect), reply.Select(c => c.ToString()), options));
    }

    [Fact]
    public void An_answer_may_speak_of_the_reasoning_tags() =>
        Assert.Equal("content Use <think> and </think>.\nend", Replies.Read("Hermes", "Use <think> and </think>."));

    [Theory]
    [InlineData("Hermes", "a <tool_call>\n{\"name\": \"nothing\", \"arguments\": {}}\n</tool_call> b", "content a\nmalformed -1 <tool_call>⏎{\"name\": \"nothing\", \"arguments\": {}}⏎</tool_call>\ncontent b\nend")]
    [InlineData("Hermes", "<tool_call>\n{\"name\": \"run\", \"arguments\": {\"code\": tru}}\n</tool_call>", "call 0 call_0 run {\"code\": tru\nmalformed 0 }}⏎</tool_call>\nend")]
    [InlineData("Hermes", "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}}\n</tool_call>", "call 0 call_0 now {}\ndone 0\nmalformed -1 }⏎</tool_call>\nend")]
    [InlineData("Hermes", "<tool_call><tool_call>{\"name\": \"now\", \"arguments\": {}}<tool_call>{\"arguments\": {}, \"name\": \"now\"}", "malformed -1 <tool_call>\ncall 0 call_0 now {}\ndone 0\ncall 1 call_1 now {}\ndone 1\nend")]
    [InlineData("Hermes", "<tool_call>{\"name\": \"run\", \"arguments\": \"{\\\"code\\\": 1}\"}</tool_call>", "call 0 call_0 run {\"code\": 1}\ndone 0\nend")]
    [InlineData("Hermes", "<tool_call>{\"name\": \"now\", \"arguments\": null}</tool_call>", "call 0 call_0 now {}\ndone 0\nend")]
    [InlineData("Hermes", "<tool_call>{\"name\": \"run\", \"arguments\": {\"code\": \"a\nb\"}}</tool_call>", "call 0 call_0 run {\"code\": \"a\\nb\"}\ndone 0\nend")]
    [InlineData("Hermes", "<tool_call>{\"name\": \"run\", \"arguments\": {\"code\": \"ab", "call 0 call_0 run {\"code\": \"ab\nmalformed 0 \nend")]
    [InlineData("Hermes", "a <tool_ca", "content a <tool_ca\nend")]
    [InlineData("DeepSeek 3.1", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>no<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "malformed -1 <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>no<｜tool▁sep｜>{}<｜tool▁call▁end｜>\ncall 0 call_0 now {}\ndone 0\nend")]
    [InlineData("Qwen Coder", "<tool_call>\n<function=run>\n<parameter=code>\na < b\n</param", "call 0 call_0 run {\"code\": \"a < b\nmalformed 0 ⏎</param\nend")]
    [InlineData("Gemma 4", "<|tool_call>call:run{code:<|\"|>a<|\"|>;}<tool_call|>b", "call 0 call_0 run {\"code\": \"a\"\nmalformed 0 ;}<tool_call|>\ncontent b\nend")]
    [InlineData("harmony", "<|channel|>commentary to=browser.open<|message|>{}<|call|>", "malformed -1 <|channel|>commentary to=browser.open<|message|>{}\nend")]
    [InlineData("harmony", "Plain.", "content Plain.\nend")]
    [InlineData("Llama 3", "<|python_tag|>print(1)", "malformed -1 <|python_tag|>print(1)\nend")]
    public void What_is_no_call_comes_out_as_it_was_written(string dialect, string reply, string expected)
    {
        Assert.Equal(expected, Replies.Read(dialect, reply));
        Assert.Equal(expected, Replies.Read(Replies.Of(dialect), reply.Select(c => c.ToString())));
    }

    [Fact]
    public void Without_tools_everything_is_content()
    {
        const string Reply = "<tool_call>{\"name\": \"now\", \"arguments\": {}}</tool_call>";
        Assert.Equal($"content {Reply}\nend", Replies.Read("Hermes", Reply, new ReplyOptions { Tools = [] }));
        Assert.Equal("call 0 call_0 now {}\ndone 0\nend", Replies.Read("Hermes", Reply, new ReplyOptions()));
    }

    [Fact]
    public void Ids_count_on_through_the_conversation_and_never_repeat()
    {
        const string Reply = "<|START_ACTION|>[{\"tool_call_id\": \"5\", \"tool_name\": \"now\", \"parameters\": {}}, {\"tool_call_id\": \"5\", \"tool_name\": \"now\", \"parameters\": {}}]<|END_ACTION|>";
        Assert.Equal("call 0 5 now {}\ndone 0\ncall 1 call_7 now {}\ndone 1\nend", Replies.Read("Cohere", Reply, new ReplyOptions { FirstCall = 7 }));
    }

    [Fact]
    public void The_end_comes_once_and_nothing_after_it()
    {
        int ends = 0;
        ReplyParser parser = Dialect.Generic.NewParser(new ReplyOptions(), found => ends += found.Part == ReplyPart.End ? 1 : 0);
        parser.End();
        parser.End();
        Assert.Equal(1, ends);
        Assert.Throws<InvalidOperationException>(() => parser.Push("a"));
    }

    [Fact]
    public void A_builder_gives_the_message_with_what_was_malformed_as_text()
    {
        ChatMessage message = Replies.Message(Replies.Of("Hermes"), "<think>A</think>B<tool_call>{\"name\": \"now\", \"arguments\": {}}</tool_call><tool_call>{\"name\": \"run\", \"arguments\": {\"code\": x");
        Assert.Equal("A", message.Reasoning);
        Assert.Equal("Brun {\"code\": x", message.Text);
        Assert.Equal([new ToolCall("call_0", "now", "{}")], message.ToolCalls);
    }
}

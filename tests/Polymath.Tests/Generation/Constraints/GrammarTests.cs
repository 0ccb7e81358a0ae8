using System.Text;
using System.Text.Json;
using Polymath.Generation;
using Polymath.Generation.Constraints;
using Polymath.Models;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>Grammars of several parts, and answers of a model held to them.</summary>
public sealed class GrammarTests
{
    private static readonly Grammar s_call = Grammar.Sequence(
        Grammar.JsonSchema("""{"type":"object","properties":{"name":{"const":"add"},"x":{"type":"integer"}},"required":["name","x"],"additionalProperties":false}"""),
        Grammar.Text("</tool_call>"));

    [Fact]
    public void Json_reads_as_json()
    {
        var random = new RandomSource(8);
        int read = 0;
        for (int i = 0; i < 300; i++)
        {
            if (Answers.Draw(new Constraint(Grammar.Json(), Vocabularies.Words), Vocabularies.Words, ref random) is not { } text)
                continue;
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1000 });
            Strings(document.RootElement);
            read++;
        }

        Assert.True(read > 100, $"{read}");

        static void Strings(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.String)
                _ = element.GetString();   // throws for half a surrogate pair
            foreach (JsonElement item in element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : Array.Empty<JsonElement>())
                Strings(item);
        }
    }

    [Theory]
    [InlineData("just text", true)]
    [InlineData("", true)]
    [InlineData("a < b and <tool_ball>", true)]
    [InlineData("first <tool_call>{\"name\":\"add\",\"x\":1}</tool_call>", true)]
    [InlineData("<tool_call>{\"name\":\"add\",\"x\":1}</tool_call> then <<tool_call>{\"name\":\"add\",\"x\":2}</tool_call>\n", true)]
    [InlineData("<tool_call>", false)]
    [InlineData("<tool_call>text", false)]
    [InlineData("<tool_call>{\"name\":\"sub\",\"x\":1}</tool_call>", false)]
    [InlineData("<tool_call>{\"name\":\"add\",\"x\":1}</tool_call><tool_call>no", false)]
    public void Free_text_may_hold_calls(string text, bool accepted) =>
        Assert.Equal(accepted, Answers.Matches(Grammar.Triggered([new("<tool_call>", s_call)]), text));

    [Fact]
    public void Triggers_are_counted()
    {
        const string Once = "x<tool_call>{\"name\":\"add\",\"x\":1}</tool_call>";
        Grammar one = Grammar.Triggered([new("<tool_call>", s_call)], least: 1, most: 1);
        Assert.True(Answers.Matches(one, Once));
        Assert.False(Answers.Matches(one, "text"));
        Assert.False(Answers.Matches(one, Once + " more"));
        Grammar two = Grammar.Triggered([new("<tool_call>", s_call)], most: 2);
        Assert.True(Answers.Matches(two, "text") && Answers.Matches(two, Once + " more") && Answers.Matches(two, Once + Once));
        Assert.False(Answers.Matches(two, Once + Once + "x"));
        Assert.Throws<ConstraintException>(() => Grammar.Triggered([new("<a>", s_call), new("b<a>", s_call)]));
    }

    [Fact]
    public void A_control_token_is_a_trigger_too_and_others_may_stand_in_free_text()
    {
        Tokenizer tokenizer = Vocabularies.Words;
        int tool = Id("<|tool|>"), think = Id("<think>");
        var constraint = new Constraint(Grammar.Triggered([new("<|tool|>", s_call)], least: 1, most: 1), tokenizer);
        Assert.True(constraint.Allows(think) && constraint.Allows(tool) && !constraint.Allows(Vocabularies.End(tokenizer)));
        constraint.Accept('a');
        constraint.Accept(think);
        constraint.Accept(tool);
        Assert.False(constraint.Allows('a') || constraint.Allows(think) || constraint.Allows(tool));
        foreach (byte value in "{\"name\":\"add\",\"x\":12}</tool_call>"u8)
            constraint.Accept(value);
        Assert.True(constraint.IsComplete);

        int Id(string text) => Enumerable.Range(0, tokenizer.VocabularySize).Single(id => tokenizer.TokenText(id) == text);
    }

    [Fact]
    public void A_named_token_is_the_token_where_there_is_one_and_text_elsewhere()
    {
        Grammar grammar = Grammar.Sequence(Grammar.Token("<think>"), Grammar.Text("x"));
        var words = new Constraint(grammar, Vocabularies.Words);
        Assert.False(words.Allows('<'));
        Assert.True(words.TryGetForced(out int id) && Vocabularies.Words.TokenText(id) == "<think>");
        Assert.True(Answers.Matches(grammar, "<think>x"));
    }

    [Fact]
    public void What_must_follow_is_known_without_asking_the_model()
    {
        var constraint = new Constraint(Grammar.JsonSchema("""{"type":"object","properties":{"název":{"type":"integer"}},"required":["název"]}""", new() { Whitespace = JsonWhitespace.None }), Vocabularies.Bytes);
        Assert.Equal("{\"název\":", constraint.ForcedText());
        foreach (byte value in Encoding.UTF8.GetBytes(constraint.ForcedText()))
            constraint.Accept(value);
        Assert.Equal("", constraint.ForcedText());
    }

    [Fact]
    public void A_clone_goes_its_own_way_and_reset_begins_again()
    {
        var constraint = new Constraint(Grammar.Choice(["ab", "ac"]), Vocabularies.Bytes);
        constraint.Accept('a');
        Constraint clone = constraint.Clone();
        clone.Accept('b');
        Assert.True(clone.IsComplete && !constraint.IsComplete && constraint.Allows('c'));
        Assert.Throws<InvalidOperationException>(() => constraint.Accept('x'));
        clone.Reset();
        Assert.True(clone.Allows('a') && !clone.CanEnd);
        constraint.Accept('c');
        constraint.Accept(Vocabularies.End(Vocabularies.Bytes));
        Assert.True(constraint.IsEnded && !constraint.Allows('a'));
    }

    /// <summary>Deep brackets make ever new states; the tables are made anew when they are full, and nothing is forgotten.</summary>
    [Fact]
    public void Tables_that_are_full_are_replaced_in_the_middle_of_an_answer()
    {
        Grammar grammar = Grammar.Gbnf("root ::= (\"[\" (root | [a-z]{0,900} \"1\"){1,60} \"]\")");
        var constraint = new Constraint(grammar, Vocabularies.Words);
        var random = new RandomSource(9);
        var allowed = new List<int>();
        for (int i = 0; i < 3000 && !constraint.IsComplete; i++)
        {
            Answers.Allowed(constraint, allowed);
            constraint.Accept(allowed[random.NextInt32(allowed.Count)]);
        }
    }

    [Fact]
    public void An_answer_ends_when_nothing_more_may_follow()
    {
        using Model model = Model.Load(Path.Combine(Shared.ProjectRoot, "models", "polymath-stories.gguf"));
        foreach (float temperature in (float[])[0, 1])
        {
            foreach (Grammar grammar in (Grammar[])[Grammar.Choice(["yes", "no"]), Grammar.JsonSchema("""{"type":"object","properties":{"name":{"type":"string","maxLength":12},"age":{"type":"integer","minimum":1,"maximum":99}},"required":["name","age"],"additionalProperties":false}""")])
            {
                using Session session = model.NewSession(200);
                var options = new GenerationOptions { Grammar = grammar, MaxTokens = 100, Sampling = new SamplingOptions { Temperature = temperature, Seed = 3 } };
                GenerationResult result = Generator.Run(session, model.Tokenizer.Encode("Once upon a time"), options);
                Assert.Equal(StopReason.Complete, result.Reason);
                Assert.True(Answers.Matches(grammar, result.Text), result.Text);
            }
        }
    }
}

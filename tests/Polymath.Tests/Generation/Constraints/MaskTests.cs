using Polymath.Generation;
using Polymath.Generation.Constraints;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>A mask allows exactly the tokens that can be read byte by byte, in every state and vocabulary.</summary>
public sealed class MaskTests
{
    /// <summary>Grammars of every kind.</summary>
    public static Grammar[] Grammars { get; } =
    [
        Grammar.Json(),
        Grammar.Json(JsonWhitespace.None),
        Grammar.JsonSchema("""{"type":"object","properties":{"name":{"type":"string","maxLength":40},"tags":{"type":"array","items":{"type":"string","pattern":"^[a-z]{1,20}$"}},"n":{"type":"number","minimum":0}},"required":["name"]}"""),
        Grammar.JsonSchema("""{"type":"string","minLength":3,"maxLength":6}"""),
        Grammar.Regex(@"\w+( \w+){0,5}[.!?]"),
        Grammar.Regex(@"[^x]{0,9}x?"),
        Grammar.Regex(@"(.|\n)*"),
        Grammar.Regex(@"\p{L}{1,30}-\p{Lu}*"),
        Grammar.Gbnf("root ::= (expr \"=\" num \"\\n\")+\nexpr ::= term ([-+*/] term)*\nterm ::= num | \"(\" expr \")\"\nnum ::= [0-9]+"),
        Grammar.Gbnf("root ::= \"a\"+ root \"b\" | \"c\" | [^a-c] root"),
        Grammar.Choice(["red", "redder", "green", "世界", "世"]),
        Grammar.AnyText(),
        Grammar.Triggered([new("<tool_call>", Grammar.Json()), new("[[", Grammar.Text("x]]"))], most: 2),
        Grammar.Triggered([new("<|tool|>", Grammar.Json())], least: 1, most: 1),
        Grammar.Sequence(Grammar.Token("<think>"), Grammar.Regex("[a-z ]*"), Grammar.Token("</think>"), Grammar.Or(Grammar.Text("yes"), Grammar.Text("no"))),
    ];

    [Fact]
    public void A_mask_is_what_reading_byte_by_byte_allows()
    {
        var random = new RandomSource(3);
        int states = 0, allowedTokens = 0;
        foreach (Tokenizer tokenizer in (Tokenizer[])[Vocabularies.Words, Vocabularies.Stories])
        {
            foreach (Grammar grammar in Grammars)
            {
                var constraint = new Constraint(grammar, tokenizer);
                var allowed = new List<int>();
                for (int i = 0; i < 40; i++, states++)
                {
                    Answers.Allowed(constraint, allowed);
                    for (int id = 0; id < tokenizer.VocabularySize; id++)
                        Assert.True(constraint.Allows(id) == allowed.Contains(id), $"grammar {Array.IndexOf(Grammars, grammar)}, after {i} tokens: {tokenizer.TokenText(id)}");
                    allowedTokens += allowed.Count;
                    int chosen = allowed[random.NextInt32(allowed.Count)];
                    if (tokenizer.IsEndOfGeneration(chosen))
                        constraint.Reset();
                    else
                        constraint.Accept(chosen);
                }
            }
        }

        Assert.True(states > 1000 && allowedTokens > 100_000, $"{states} states, {allowedTokens} tokens");
    }

    [Fact]
    public void The_same_answers_have_the_same_masks_whatever_was_asked_before()
    {
        Grammar grammar = Grammar.JsonSchema("""{"type":"array","items":{"type":"string","maxLength":30},"maxItems":5}""");
        Grammar again = Grammar.JsonSchema("""{"type":"array","items":{"type":"string","maxLength":30},"maxItems":5}""");
        var random = new RandomSource(4);
        Assert.NotNull(Answers.Draw(new Constraint(again, Vocabularies.Words), Vocabularies.Words, ref random));
        var first = new Constraint(grammar, Vocabularies.Words);
        var second = new Constraint(again, Vocabularies.Words);
        for (int i = 0; i < 60 && !first.IsComplete; i++)
        {
            Assert.True(first.Allowed().SequenceEqual(second.Allowed()));
            var allowed = new List<int>();
            Answers.Allowed(first, allowed);
            int id = allowed[random.NextInt32(allowed.Count)];
            first.Accept(id);
            second.Accept(id);
        }
    }

    [Fact]
    public void A_token_costs_no_allocation_once_its_state_is_known()
    {
        Tokenizer tokenizer = Vocabularies.Words;
        int[] answer = [.. System.Text.Encoding.UTF8.GetBytes("{\"name\": \"Ada\", \"tags\": [\"a\", \"b\"]}").Select(value => (int)value)];
        var constraint = new Constraint(Grammars[2], tokenizer);
        float[] logits = new float[tokenizer.VocabularySize];
        Assert.Equal(0, Allocations.Of(() =>
        {
            constraint.Reset();
            foreach (int id in answer)
            {
                constraint.Apply(logits);
                constraint.Accept(id);
            }
        }));
    }

    [Fact]
    public void Logits_of_other_tokens_become_minus_infinity()
    {
        var constraint = new Constraint(Grammar.Choice(["a", "abc"]), Vocabularies.Words);
        float[] logits = new float[Vocabularies.Words.VocabularySize + 40];
        constraint.Apply(logits);
        for (int id = 0; id < logits.Length; id++)
            Assert.Equal(id < Vocabularies.Words.VocabularySize && constraint.Allows(id) ? 0 : float.NegativeInfinity, logits[id]);
        Assert.Equal(3, logits.Count(float.IsFinite));
    }

    [Fact]
    public void Constraints_of_many_threads_share_a_grammar()
    {
        Grammar grammar = Grammar.Json();
        string?[] alone = [.. Enumerable.Range(0, 16).Select(i => Draw(Grammar.Json(), i))];
        string?[] together = new string?[16];
        Parallel.For(0, 16, i => together[i] = Draw(grammar, i));
        Assert.Equal(alone, together);

        static string? Draw(Grammar grammar, int seed)
        {
            var random = new RandomSource((ulong)seed);
            return Answers.Draw(new Constraint(grammar, Vocabularies.Words), Vocabularies.Words, ref random);
        }
    }
}

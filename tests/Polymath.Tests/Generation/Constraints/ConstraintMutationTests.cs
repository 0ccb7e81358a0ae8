using System.Text;
using Polymath.Files;
using Polymath.Generation.Constraints;
using Polymath.Tests.Files;
using Xunit;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>Mutated schemas, patterns and grammars are refused clearly, or compile and can be used for some tokens.</summary>
public sealed class ConstraintMutationTests
{
    private const int Seed = 1206;
    private const int Rounds = 10_000;

    private static readonly byte[][] s_json = Fragments(
        "0", "-1", "1e400", "1.5", "null", "true", "false", "[]", "{}", "\"\"", "\"string\"", "\"integer\"", "\"#\"", "\"#/$defs/a\"", "\"^(a|b)*$\"", "\"(((((((\"", "99999", "100000",
        "{\"$ref\":\"#\"}", "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}", "{\"not\":{}}", "\"date\"", ",\"minLength\":50000", ",\"maxItems\":9999", ",\"oneOf\":[{},{}]", ",\"pattern\":\"(.{100}){100}\"", "[[[[[[1]]]]]]");

    private static readonly byte[][] s_patterns = Fragments(
        "{0,1000}", "{1000}", "(", ")", "[", "]", "*", "+", "?", "|", "\\", "\\p{L}", ".", "^", "$", "(a*)*", "((((((", "[^", "(?:", "(?=", "\\1", "{99999}", "\\u{10FFFF}");

    private static readonly byte[][] s_grammars = Fragments(
        "root", "::=", "\n", "{0,1000}", "{1000}", "(", ")", "[", "]", "*", "+", "?", "|", "\"", "\\", "a ::= a\n", "root ::= root\n", "# c\n", "[^", "\\U0010FFFF", "<tool>", ".", "ws");

    [Fact]
    public void Ten_thousand_mutated_schemas() =>
        Run("schema", [.. SchemaSuite.Own.Skip(13)], s_json, text => Use(Grammar.JsonSchema(text)));

    [Fact]
    public void Ten_thousand_mutated_patterns() =>
        Run("pattern", ["(\\d{4}-\\d\\d)?[A-Za-z_é-ü]+(x|y{2,3}|z*)\\.$", "^((a|b)*abb|[^\\n\"]{0,40})$", "\\p{Lu}\\w+@(\\w+\\.){1,3}[a-z]{2,8}"], s_patterns, text => Use(Grammar.Regex(text)));

    [Fact]
    public void Ten_thousand_mutated_grammars() =>
        Run("grammar", ["root ::= (expr \"=\" ws term \"\\n\")+\nexpr ::= term ([-+*/] term)*\nterm ::= [a-z]+ | num | \"(\" ws expr \")\" ws\nnum ::= [0-9]{1,5} ws\nws ::= [ \\t\\n]*\n", "root ::= \"[\" (root (\",\" root)*)? \"]\" # list\n"],
            s_grammars, text => Use(Grammar.Gbnf(text)));

    [Fact]
    public void A_compiler_that_fails_otherwise_is_found_out()
    {
        string? bad = Hostile("pattern", ["(a[b-c]{1,2})"], s_patterns, text =>
        {
            if (text.Contains("((", StringComparison.Ordinal))
                throw new InvalidOperationException("planted");
            Use(Grammar.Regex(text));
        }).FirstBad(2000);
        Assert.Contains("planted", bad ?? "nothing found", StringComparison.Ordinal);
    }

    private static void Run(string name, string[] valid, byte[][] fragments, Action<string> use) => Hostile(name, valid, fragments, use).Check(Rounds);

    private static HostileRun Hostile(string name, string[] valid, byte[][] fragments, Action<string> use) =>
        new(name, Seed, [.. valid.Select(text => new Specimen(text, Encoding.UTF8.GetBytes(text)))], bytes =>
        {
            try
            {
                use(Encoding.UTF8.GetString(bytes));
            }
            catch (ConstraintException refused)
            {
                throw new ModelFormatException(refused.Message, refused);   // what this run allows
            }
        })
        {
            Fragments = fragments,
            Limit = TimeSpan.FromSeconds(4),
        };

    /// <summary>A few tokens, each the first that is allowed after the last one.</summary>
    private static void Use(Grammar grammar)
    {
        var constraint = new Constraint(grammar, Vocabularies.Bytes);
        var allowed = new List<int>();
        for (int i = 0; i < 6 && !constraint.IsComplete; i++)
        {
            Answers.Allowed(constraint, allowed);
            constraint.Accept(allowed[i * 37 % allowed.Count]);
            if (constraint.IsEnded)
                return;
        }
    }

    private static byte[][] Fragments(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];
}

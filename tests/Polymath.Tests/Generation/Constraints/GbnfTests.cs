using Polymath.Generation.Constraints;
using Xunit;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>Grammars of the kinds that people write for llama.cpp.</summary>
public sealed class GbnfTests
{
    private const string Arithmetic =
        """
        # sums, one a line
        root  ::= (expr "=" ws term "\n")+
        expr  ::= term ([-+*/] term)*
        term  ::= ident | num | "(" ws expr ")" ws
        ident ::= [a-z] [a-z0-9_]* ws
        num   ::= [0-9]+ ws
        ws    ::= [ \t\n]*
        """;

    private const string Json =
        """
        root   ::= object
        value  ::= object | array | string | number | ("true" | "false" | "null") ws

        object ::=
          "{" ws (
            string ":" ws value
            ("," ws string ":" ws value)*
          )? "}" ws

        array  ::= "[" ws (value ("," ws value)*)? "]" ws
        string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
        number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
        ws ::= | " " | "\n" [ \t]{0,20}
        """;

    private const string Items = "root ::= item{2,4} \"end\"?\nitem ::= \"- \" [^\\r\\n\\x0b\\x0c\\x85\\u2028\\u2029]+ \"\\n\"";

    private const string Moves =
        """
        root   ::= "1. " move " " move "\n" ([1-9] [0-9]? ". " move " " move "\n")*
        move   ::= (pawn | nonpawn | castle) [+#]?
        nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
        pawn   ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
        castle ::= "O-O" "-O"?
        """;

    [Theory]
    [InlineData(Arithmetic, "1+2=3\n|a*(b_1 -20)/3 = x\n|(1)=1\n2=2\n", "1+2=3|1+=3\n|=\n|A=1\n|1+2=3=4\n|(1=1\n")]
    [InlineData(Json, "{}|{\"a\":[1,-2.5e3,{\"b\":null}]}|{ \"é\": \"\\u00e9\\n\" }|{\n\t\"a\": true\n}", "[]|{\"a\"}|{\"a\":01}|{\"a\":1,}|{\"a\":\"\\x\"}|{")]
    [InlineData(Items, "- a\n- b\n|- a\n- b\n- c\n- é世\nend", "- a\n|- a\n- b|- a\n- b\n- c\n- d\n- e\n|- a\n- b\nend.")]
    [InlineData(Moves, "1. e4 e5\n|1. d4 d5\n2. c4 dxc4\n3. Nf3 O-O-O+\n|1. e8=Q Kxd2\n", "1. e4\n|2. e4 e5\n|1. e9 e5\n|1. O-O-O-O e5\n|1. e4 e5")]
    [InlineData("root ::= [\\u4e00-\\u9fff]+ | \"\\U0001F600\" | \"\\x41\"", "世界|😀|A", "a|世a|😁|")]
    [InlineData("root ::= a b? # comment\na ::= \"x\" |\n  \"y\"\nb ::= .", "x|y|x世|yy", "|z|x12")]
    [InlineData("root ::= \"a\"+ root \"b\" | \"c\"", "c|acb|aacb|aacbb", "acbb|ab|cb")]
    [InlineData("root ::= (\"a\" | \"b\"?)*", "|a|b|abba", "c|ac")]
    public void A_text_is_accepted_when_the_grammar_describes_it(string grammar, string accepted, string rejected)
    {
        Grammar compiled = Grammar.Gbnf(grammar);
        Assert.All(accepted.Split('|'), text => Assert.True(Answers.Matches(compiled, text), $"not accepted: {text}"));
        Assert.All(rejected.Split('|'), text => Assert.False(Answers.Matches(compiled, text), $"accepted: {text}"));
    }

    [Theory]
    [InlineData("root ::= a", "rule a is used and never defined", "line 1")]
    [InlineData("a ::= \"x\"", "no rule root", "line 1")]
    [InlineData("root ::= \"x\"\nroot ::= \"y\"", "defined twice", "line 2")]
    [InlineData("root ::= \"x", "not closed", "line 1")]
    [InlineData("root ::= [a", "not closed", "line 1")]
    [InlineData("root ::= (\"a\"", "not closed", "line 1")]
    [InlineData("root ::= \"a\"{2", "not closed", "line 1")]
    [InlineData("root ::= \"a\"{3,2}", "wrong order", "line 1")]
    [InlineData("root ::= \"\\q\"", "escape", "line 1")]
    [InlineData("\n\nroot = \"a\"", "::=", "line 3")]
    [InlineData("root ::= \"a\" )", "end of a line", "line 1")]
    public void A_wrong_grammar_is_refused_with_its_line(string grammar, string message, string place)
    {
        var refused = Assert.Throws<ConstraintException>(() => Grammar.Gbnf(grammar));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Equal(place, refused.Place);
    }

    [Theory]
    [InlineData("root ::= root \"a\" | \"b\"")]
    [InlineData("root ::= a\na ::= b? c\nb ::= \"x\"\nc ::= a \"y\" | \"z\"")]
    [InlineData("root ::= \"x\"* root \"y\" | \"z\"")]
    public void Left_recursion_is_refused_by_name(string grammar) =>
        Assert.Equal("left recursion", Assert.Throws<ConstraintException>(() => Grammar.Gbnf(grammar)).Keyword);

    [Fact]
    public void A_grammar_without_end_or_too_large_is_refused()
    {
        Assert.Throws<ConstraintException>(() => Grammar.Gbnf("root ::= \"a\" root"));
        Assert.Throws<ConstraintException>(() => Grammar.Gbnf("root ::= " + new string('(', 1000) + "\"a\"" + new string(')', 1000)));
        Assert.Throws<ConstraintException>(() => Grammar.Gbnf("root ::= a0\n" + string.Concat(Enumerable.Range(0, 10_001).Select(i => $"a{i} ::= a{i + 1}\n")) + "a10001 ::= [a-z]+"));
        Grammar.Gbnf("root ::= a0\n" + string.Concat(Enumerable.Range(0, 9_000).Select(i => $"a{i} ::= a{i + 1}\n")) + "a9000 ::= [a-z]+ \"x\" [0-9]*");
    }

    [Fact]
    public void Nesting_is_bounded()
    {
        var constraint = new Constraint(Grammar.Gbnf("root ::= \"[\" (root | \"x\") \"]\""), Vocabularies.Bytes);
        int depth = 0;
        while (depth < 10_000 && constraint.Allows('['))
        {
            constraint.Accept('[');
            depth++;
        }

        Assert.InRange(depth, 100, 2000);
        constraint.Accept('x');
        for (; depth > 0; depth--)
            constraint.Accept(']');
        Assert.True(constraint.IsComplete);
    }
}

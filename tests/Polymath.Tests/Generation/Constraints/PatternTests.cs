using System.Text;
using System.Text.RegularExpressions;
using Polymath.Generation;
using Polymath.Generation.Constraints;
using Polymath.Text;
using Xunit;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>Patterns match what .NET's regular expressions match.</summary>
public sealed class PatternTests
{
    private static readonly string[] s_patterns =
    [
        "", "a", "abc", "a*", "a+b?", "(ab)*c", "a|b|cd", "(a|ab)(c|bcd)(d*)", "a{2}", "a{2,}", "a{1,3}b{0,2}", "(?:ab){2,3}", "(?<n>a)b", "[abc]+", "[^abc]+", "[a-c0-2]*", "[-a]+", "[a\\-c]+",
        "[\\]\\[]+", "\\d+", "\\D+", "\\w+", "\\W+", "a.c", ".*", "(.|\\n)*", "\\.\\*\\+\\?", "[\\d-]+", "\\x41\\u0042", "\\t|\\n| ", "^a+$", "^a|^b", "(^a|^b)c$", "^(a|b)$", "a*?b+?", "((a)|(b))*",
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}", "(a*)*", "(a?){3}", "((a|b){2}){2}", "x{0}y", "{", "a{,2}", "a}", "]", "[a-z&&[b]]?", "\\p{L}+", "\\p{Lu}\\p{Ll}*", "\\P{L}+", "[\\p{N}_]+", "é+", "[à-ü]+", "世|界", "\\/\\-",
        "(a|b)*abb", "0|[1-9][0-9]*", "-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?", "[^\\n]*\\n?", "[\\w.]+@[\\w.]+", "a$", "$", "^", "^$", "(a|)b", "|a", "()", "a(?:)b",
    ];

    private static readonly string[] s_pieces =
    [
        "a", "b", "c", "d", "ab", "abc", "abb", "aa", "0", "1", "12", "255", ".", "-", "+", "*", "?", "\n", "\t", " ", "A", "B", "é", "ü", "世", "界", "E", "e", "@", "_", "]", "[", "{", "}", "x", "y", "/", "\\", "&", ",2",
    ];

    [Fact]
    public void A_pattern_matches_what_it_matches_in_dotnet()
    {
        var random = new RandomSource(5);
        int matched = 0, not = 0;
        foreach (string pattern in s_patterns)
        {
            Grammar grammar = Grammar.Regex(pattern);
            var reference = Reference(pattern);
            for (int i = 0; i < 150; i++)
            {
                var text = new StringBuilder();
                for (int left = random.NextInt32(5); left > 0; left--)
                    text.Append(s_pieces[random.NextInt32(s_pieces.Length)]);
                bool expected = reference.IsMatch(text.ToString());
                _ = expected ? matched++ : not++;
                Assert.True(expected == Answers.Matches(grammar, text.ToString()), $"{pattern} on {text}: {expected} expected");
            }
        }

        Assert.True(matched > 500 && not > 3000, $"{matched} matched, {not} not");
    }

    [Fact]
    public void What_is_drawn_from_a_pattern_matches_it_in_dotnet()
    {
        var random = new RandomSource(6);
        int drawn = 0;
        foreach (string pattern in s_patterns)
        {
            if (pattern is "^a|^b" or "(^a|^b)c$")
                continue;   // anchored on one side each: as a whole they are the same as without
            var reference = Reference(pattern);
            Grammar grammar = Grammar.Regex(pattern);
            for (int i = 0; i < 20; i++)
            {
                if (Answers.Draw(new Constraint(grammar, Vocabularies.Words), Vocabularies.Words, ref random, 60) is not { } text || text.Any(char.IsSurrogate))
                    continue;
                drawn++;
                Assert.True(reference.IsMatch(text), $"{pattern} drew {text}");
            }
        }

        Assert.True(drawn > 500, $"{drawn}");
    }

    /// <summary>With \d and \w as ECMAScript has them.</summary>
    private static Regex Reference(string pattern)
    {
        var text = new StringBuilder();
        bool inClass = false;
        for (int i = 0; i < pattern.Length; i++)
        {
            char escaped = pattern[i] == '\\' && i + 1 < pattern.Length ? pattern[++i] : '\0';
            inClass = escaped == '\0' && pattern[i] is '[' or ']' ? pattern[i] == '[' : inClass;
            string? range = escaped switch { 'd' or 'D' => "0-9", 'w' or 'W' => "A-Za-z0-9_", _ => null };
            if (range is not null)
                text.Append(inClass ? range : $"[{(char.IsUpper(escaped) ? "^" : "")}{range}]");
            else if (escaped != '\0')
                text.Append('\\').Append(escaped);
            else
                text.Append(pattern[i]);
        }

        return new Regex($"^(?:{text})\\z", RegexOptions.CultureInvariant);
    }

    [Theory]
    [InlineData("(?=a)b", "lookaround")]
    [InlineData("(?<!a)b", "lookaround")]
    [InlineData("(a)\\1", "back reference")]
    [InlineData("\\bword", "\\b")]
    [InlineData("(?i)a", "(?")]
    [InlineData("(?>a)", "(?")]
    [InlineData("a++", "quantifier")]
    [InlineData("\\p{Greek}", "\\p{Greek}")]
    [InlineData("a^b", "^")]
    [InlineData("a$b", "$")]
    [InlineData("[]a]", "empty class")]
    [InlineData("[a-z-[b]]", "class subtraction")]
    [InlineData("\\q", "\\q")]
    public void What_is_not_regular_or_not_common_is_refused_by_name(string pattern, string name)
    {
        var refused = Assert.Throws<ConstraintException>(() => Grammar.Regex(pattern));
        Assert.Equal(name, refused.Keyword);
    }

    [Theory]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a{3,2}")]
    [InlineData("[b-a]")]
    [InlineData("\\x4")]
    [InlineData("\\ud800")]
    [InlineData("a\\")]
    [InlineData("[^\\d\\D]")]
    [InlineData("a{1000000}")]
    [InlineData("((a{1000}){1000}){1000}")]
    public void A_wrong_pattern_is_refused(string pattern) => Assert.Throws<ConstraintException>(() => Grammar.Regex(pattern));

    [Fact]
    public void Deep_and_large_patterns_are_refused_and_do_no_harm()
    {
        Assert.Throws<ConstraintException>(() => Grammar.Regex(new string('(', 100_000)));
        Assert.Throws<ConstraintException>(() => Grammar.Regex(new string('a', 300_000)));
        Grammar.Regex(new string('(', 200) + "a" + new string(')', 200));
    }

    /// <summary>Subset construction of this one needs 2^25 states; found as they are needed there are few.</summary>
    [Fact]
    public void A_pattern_with_a_vast_automaton_costs_what_is_used_of_it()
    {
        var constraint = new Constraint(Grammar.Regex("(a|b)*a(a|b){25}"), Vocabularies.Words);
        var random = new RandomSource(7);
        for (int i = 0; i < 200; i++)
        {
            Assert.False(constraint.Allowed().IsEmpty);
            constraint.Accept('a' + random.NextInt32(2));
        }
    }

    [Fact]
    public void No_half_of_a_character_is_ever_the_end()
    {
        var constraint = new Constraint(Grammar.Regex(".*"), Vocabularies.Bytes);
        foreach (byte value in Encoding.UTF8.GetBytes("é世😀"))
        {
            bool begins = value < 0x80 || value >= 0xC0;
            Assert.Equal(begins, constraint.CanEnd);
            constraint.Accept(value);
        }

        Assert.True(constraint.CanEnd);
        Assert.False(constraint.Allows(0xC0) || constraint.Allows(0x80) || constraint.Allows(0xFF));
    }
}

using static Polymath.Generation.Constraints.Expression;

namespace Polymath.Generation.Constraints.Schemas;

/// <summary>The parts of JSON text (RFC 8259) under one choice of whitespace. Immutable.</summary>
internal sealed class JsonSyntax
{
    private const int MostIndent = 40;

    private JsonSyntax(JsonWhitespace whitespace)
    {
        bool natural = whitespace == JsonWhitespace.Natural;
        Inside = natural ? Of(Machines.Gap) : Empty;
        AfterColon = natural ? Maybe(Literal(" ")) : Empty;
        Separator = All(Literal(","), Inside);
        var value = new Rule("value");
        Value = new Reference(value);
        Expression member = All(String, Literal(":"), AfterColon, Value);
        value.Body = Any(
            String, Number, Of(ByteDfa.Literals(["true"u8.ToArray(), "false"u8.ToArray(), "null"u8.ToArray()], new())),
            List("{", Many(member), "}"), List("[", Many(Value), "]"));
    }

    /// <summary>Any string, every escape allowed that stands for a character.</summary>
    public static Expression String { get; } = new Reference(new Rule("string") { Body = Of(Machines.String) });

    /// <summary>Any number of at most 17 digits before the point and behind it and 2 in the exponent, which all readers can hold.</summary>
    public static Expression Number { get; } = new Reference(new Rule("number") { Body = Of(Machines.Number) });

    /// <summary>Any value.</summary>
    public Expression Value { get; }

    /// <summary>Whitespace inside brackets.</summary>
    public Expression Inside { get; }

    /// <summary>Whitespace after a colon.</summary>
    public Expression AfterColon { get; }

    /// <summary>A comma and what may follow it.</summary>
    public Expression Separator { get; }

    /// <summary>The syntax for a choice of whitespace.</summary>
    public static JsonSyntax For(JsonWhitespace whitespace) => whitespace == JsonWhitespace.None ? Compact.Syntax : Natural.Syntax;

    /// <summary>Brackets around <paramref name="content"/>, which may be empty: then nothing stands between them.</summary>
    public Expression List(string open, Expression content, string close) =>
        All(Literal(open), Any(All(Inside, content, Inside, Literal(close)), Literal(close)));

    /// <summary>One or more of <paramref name="item"/>.</summary>
    public Expression Many(Expression item) => All(item, Times(All(Separator, item), 0, null));

    private static class Natural
    {
        public static readonly JsonSyntax Syntax = new(JsonWhitespace.Natural);
    }

    private static class Compact
    {
        public static readonly JsonSyntax Syntax = new(JsonWhitespace.None);
    }

    /// <summary>Automata of the tokens of JSON.</summary>
    public static class Machines
    {
        // A character as it is usually written: only what must be escaped is, in its shortest form.
        private static readonly CodePointSet s_plain = CodePointSet.Of(('"', '"'), ('\\', '\\'), (0, 0x1F)).Not();

        /// <summary>The inside of a string, one character in any of the ways in which it can be written.</summary>
        public static ByteDfa Character { get; } = Make(
            @"[^""\\\u0000-\u001f]|\\[""\\/bfnrt]|\\u([0-9a-cefA-CEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})");

        /// <summary>A whole string.</summary>
        public static ByteDfa String { get; } = ByteDfa.Of(All(Literal("\""), Times(Of(Character), 0, null), Literal("\"")), new CompileBudget());

        /// <summary>A number.</summary>
        public static ByteDfa Number { get; } = Make(@"-?(0|[1-9]\d{0,16})(\.\d{1,17})?([eE][+-]?\d{1,2})?");

        /// <summary>Whitespace after commas and inside brackets.</summary>
        public static ByteDfa Gap { get; } = Make($"( |\n( {{0,{MostIndent}}}|\t{{1,12}}))?");

        /// <summary>The automaton of a pattern.</summary>
        public static ByteDfa Make(string pattern)
        {
            var budget = new CompileBudget();
            return ByteDfa.Of(Pattern.Parse(pattern, budget).Whole(Expression.Character), budget);
        }

        /// <summary>One character of a set inside a string, as it is usually written.</summary>
        public static Expression Written(CodePointSet set)
        {
            var ways = new List<Expression> { Expression.Character(set.And(s_plain)) };
            foreach ((int first, int last) in set.Except(s_plain).Ranges)
            {
                for (int c = first; c <= last; c++)
                    ways.Add(Literal(Escape((char)c)));
            }

            return Any([.. ways]);
        }

        /// <summary>A whole string of one text, as it is usually written.</summary>
        public static string Quote(string text)
        {
            var quoted = new System.Text.StringBuilder("\"");
            foreach (char c in text)
                _ = s_plain.Contains(c) || char.IsSurrogate(c) ? quoted.Append(c) : quoted.Append(Escape(c));
            return quoted.Append('"').ToString();
        }

        private static string Escape(char c) => c switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\b' => "\\b",
            '\f' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ => $"\\u{(int)c:x4}",
        };
    }
}
